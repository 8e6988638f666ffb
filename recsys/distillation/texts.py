"""What a student reads: texts of a dataset that need no label, since the teacher's embedding is the answer."""

import numpy as np

from recsys.schema import Dataset, Profile
from recsys.segmenter import bare_words
from recsys.views.text import item_texts, profile_text

_MOST_WORDS = 20_000


def unlabelled_texts(dataset: Dataset, *, n_profiles: int = 2000, seed: int = 0) -> list[str]:
    """Returns different texts: of every item, of invented people, of categories, and single words, as interests are typed.

    No interaction is read, so that nothing can leak into an evaluation.
    """
    rng = np.random.default_rng(seed)
    items = item_texts(dataset)
    words = dict.fromkeys(word for text in items for word in bare_words(text))
    people = (profile_text(_invented(dataset, rng, [*words]), dataset) for _ in range(n_profiles))
    texts = dict.fromkeys([*items, *dataset.categories, *people, *list(words)[:_MOST_WORDS]])
    return [text for text in texts if text]


def _invented(dataset: Dataset, rng: np.random.Generator, words: list[str]) -> Profile:
    """Returns a person with some of everything; each part is there for three people in four."""

    def there() -> bool:
        return bool(rng.random() < 0.75)

    low, high = dataset.age_range or (10.0, 80.0)
    pool = [name[:200] for name in dataset.categories] or words
    interests = rng.choice(pool, min(len(pool), int(rng.integers(1, 4))), replace=False) if pool and there() else ()
    return Profile(
        age=float(rng.integers(int(low), int(high) + 1)) if there() else None,
        gender=str(rng.choice(dataset.genders)) if dataset.genders and there() else None,
        attributes={
            name: str(rng.choice(values)) for name, values in dataset.user_attributes.items() if values and there()
        },
        interests=tuple(map(str, interests)),
    )
