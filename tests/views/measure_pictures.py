"""How well words find the pictures of the sample shop: run `python tests/views/measure_pictures.py`.

A question names a thing or colour that is to be seen. A picture answers it if it is the drawing that the question means (and has
the item's colour, where the question names one) and the item's text shares no word with the question, so that only the picture
can lead there. Where several do, the best one counts, and chance is what a random order would reach with as many.
"""

import math
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from recsys.datasets.openmoji import read_drawings
from recsys.datasets.samples import FOLDER
from recsys.encoder import Encoder
from recsys.schema import Dataset
from recsys.views.text import item_texts
from recsys.views.view import ItemView

QUESTIONS = (
    ("a sea mammal spouting", "1F433", ""),
    ("red pot of hot soup", "1F372", "red"),
    ("blue suitcase", "1F9F3", "blue"),
    ("ocean liner in a harbour", "26F4", ""),
    ("an infant", "1F476", ""),
    ("handsaw", "1FA9A", ""),
    ("somebody jogging", "1F3C3", ""),
    ("an empty tumbler", "1F95B", ""),
    ("spade", "1FA8F", ""),
    ("bathtub", "1F6C1", ""),
    ("green parcel", "1F4E6", "green"),
    ("palm in a flower pot", "1FAB4", ""),
    ("snowflake", "2744", ""),
    ("a cat", "1F431", ""),
    ("a sofa", "1F6CB", ""),
    ("tree trunk", "1FAB5", ""),
    ("black torch", "1F526", "black"),
    ("a sleepy yellow face", "1F634", ""),
    ("red rucksack", "1F392", "red"),
    ("lifebelt", "1F6DF", ""),
    ("red bicycle", "1F6B2", ""),
    ("a puppy", "1F436", ""),
    ("half moon", "1F319", ""),
    ("grey overcoat", "1F9E5", "grey"),
    ("spanner", "1F527", ""),
    ("yellow waistcoat", "1F9BA", ""),
    ("a bed", "1F6CF", ""),
    ("dinner plate with a knife and fork", "1F37D", ""),
    ("green polo shirt", "1F455", "green"),
    ("red door", "1F6AA", ""),
    ("yellow flower", "1F33C", ""),
    ("cup of tea", "1F375", ""),
    ("green leaves on a twig", "1F33F", ""),
    ("padlock", "1F512", ""),
    ("a hot drink in a cup", "2615", ""),
    ("red hat of a firefighter", "26D1", ""),
    ("surfing", "1F3C4", ""),
    ("songbird", "1F426", ""),
    ("bonfire", "1F525", ""),
    ("fried egg", "1F373", ""),
    ("pile of pancakes", "1F95E", ""),
    ("smiling sun", "1F31E", ""),
    ("ocean wave", "1F30A", ""),
    ("electrical plug", "1F50C", ""),
    ("a telescope", "1F52D", ""),
    ("red book", "1F4D5", ""),
    ("reel of cotton", "1F9F5", ""),
    ("an orange carrot", "1F955", ""),
    ("red rose", "1F339", ""),
    ("yellow light bulb", "1F4A1", ""),
    ("black rucksack", "1F392", "black"),
    ("a jester on a playing card", "1F0CF", ""),
    ("compact disc", "1F4BF", ""),
    ("mountain peak", "1F3D4", ""),
    ("loaf", "1F35E", ""),
    ("red paper lantern", "1F3EE", ""),
    ("computer screen", "1F5A5", ""),
    ("grey stone", "1FAA8", ""),
    ("black cat", "1F408-200D-2B1B", ""),
    ("microphone", "1F399", ""),
    ("laptop computer", "1F4BB", ""),
    ("grey rain cloud", "1F327", ""),
    ("green sneaker", "1F45F", "green"),
    ("yellow sneaker", "1F45F", "yellow"),
    ("blue sneaker", "1F45F", "blue"),
    ("chicken leg", "1F357", ""),
    ("window", "1FA9F", ""),
    ("hamster", "1F439", ""),
    ("tropical fish", "1F420", ""),
    ("cupcake", "1F9C1", ""),
    ("sailing boat", "26F5", ""),
    ("briefcase", "1F4BC", ""),
    ("broom", "1F9F9", ""),
    ("a cow", "1F404", ""),
    ("red shorts", "1FA73", "red"),
    ("black shorts", "1FA73", "black"),
    ("brown boxing gloves", "1F9E4", "brown"),
    ("red yarn", "1F9F6", "red"),
    ("green yarn", "1F9F6", "green"),
    ("red screw driver", "1FA9B", ""),
)
"""Words, the drawing that they mean, and the colour of the item where the drawing takes it."""
TOP = 10
_LITTLE = {"a", "an", "the", "of", "in", "on", "with", "and"}


@dataclass(frozen=True)
class Found:
    """What words find.

    Attributes:
        questions: those that some picture answers.
        ranks: of the best answer among all items with a picture, from 1.
        chance: for each question, of a random order having an answer among the first ten.
        interval: 95 %, of how much more often than by chance an answer is among the first ten; questions are drawn again.
    """

    questions: tuple[str, ...]
    ranks: np.ndarray
    chance: np.ndarray
    interval: tuple[float, float]

    @property
    def hits(self) -> float:
        """Share of the questions with an answer among the first ten."""
        return float((self.ranks <= TOP).mean())


def measure(dataset: Dataset, view: ItemView, text_encoder: Encoder, *, seed: int = 0) -> Found:
    """Asks every question that a picture of the dataset answers."""
    assert view.words is not None
    drawings = read_drawings(FOLDER / "shop" / "pictures.csv")
    pictured = np.flatnonzero(view.has)
    ids = dataset.items["item_id"].to_numpy()[pictured]
    colours = dataset.items["colour"].to_numpy()[pictured]
    said = [words_of(text) for text in np.array(item_texts(dataset), dtype=object)[pictured]]
    asked = []
    for question, emoji, colour in QUESTIONS:
        answers = [
            n
            for n, item_id in enumerate(ids)
            if drawings[item_id].emoji == emoji
            and (not colour or colours[n] == colour)
            and not said[n] & words_of(question)
        ]
        if answers:
            asked.append((question, answers))
    encode = view.encode_words or text_encoder.encode
    scores = encode([question for question, _ in asked]) @ view.words[pictured].T
    ranks = np.array([1 + (row > row[answers].max()).sum() for row, (_, answers) in zip(scores, asked, strict=True)])
    chance = np.array([1 - math.comb(len(ids) - len(a), TOP) / math.comb(len(ids), TOP) for _, a in asked])
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(asked), (10_000, len(asked)))
    more = ((ranks <= TOP) - chance)[drawn].mean(axis=1)
    low, high = np.quantile(more, [0.025, 0.975])
    return Found(tuple(question for question, _ in asked), ranks, chance, (float(low), float(high)))


def words_of(text: str) -> set[str]:
    """The words of a text, without little ones and the ending of the plural."""
    return {word.rstrip("s") for word in re.findall(r"\w+", text.lower())} - _LITTLE


def main() -> None:
    """Measures the default encoders on the sample shop, and says which questions find nothing."""
    import tempfile

    from recsys.datasets import fetch_dataset
    from recsys.encoder import TransformerEncoder
    from recsys.settings import DEFAULT_ENCODER, Settings
    from recsys.views.image import open_image_view

    settings = Settings.from_environment(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        dataset = fetch_dataset("sample-shop", data_dir=Path(folder))
        encoder = TransformerEncoder.from_pretrained(DEFAULT_ENCODER, device=settings.device)
        view = open_image_view(dataset, text_encoder=encoder, settings=settings)
        assert view is not None
        found = measure(dataset, view, encoder)
    table = pd.DataFrame({"rank": found.ranks, "question": found.questions}).sort_values("rank")
    print(table.to_string(index=False))
    low, high = found.interval
    print(f"{view.made_by}; {view.words_by}")
    print(f"{len(found.questions)} questions, {int(view.has.sum())} pictures")
    print(f"right picture among the first {TOP}: {found.hits:.1%}, chance {found.chance.mean():.1%}")
    print(f"more than by chance: 95 % interval {low:+.1%} to {high:+.1%}; median rank {np.median(found.ranks):g}")


if __name__ == "__main__":
    main()
