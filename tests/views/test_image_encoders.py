"""Encoders of pictures: the packaged one with real weights, and the interface of CLIP and SigLIP with tiny random ones."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from recsys.datasets import fetch_dataset
from recsys.encoder import TransformerEncoder
from recsys.errors import ConfigError, MissingExtraError
from recsys.settings import Settings
from recsys.views import colours, conse, efficientnet
from recsys.views.clip import Clip, Preparation
from recsys.views.efficientnet import EfficientNetLite
from recsys.views.image import open_image_view
from recsys.views.image_encoder import ImageEncoder, load_image_encoder
from tests.toy import ToyEncoder
from tests.views.measure_pictures import measure

WORDS = ["red", "blue", "kitchen", "pot", "a", "dog", "of"]


@pytest.fixture(scope="module")
def lite() -> EfficientNetLite:
    return EfficientNetLite.from_package(device="cpu")


class Remembering:
    """An encoder that reads the thousand names of classes once for all tests."""

    def __init__(self, encoder: TransformerEncoder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, ...], np.ndarray] = {}
        self.identity, self.dim = encoder.identity, encoder.dim

    def encode(self, texts: Sequence[str], **more: Any) -> np.ndarray:
        if tuple(texts) not in self._known:
            self._known[tuple(texts)] = self._encoder.encode(texts, **more)
        return self._known[tuple(texts)]


@pytest.fixture(scope="module")
def reader(minilm: TransformerEncoder) -> Any:
    return Remembering(minilm)


@pytest.fixture(scope="module", params=["clip", "siglip"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of random weights."""
    return write_tiny(tmp_path_factory.mktemp(request.param), request.param)


def write_tiny(folder: Path, kind: str) -> Path:
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast, SiglipConfig, SiglipModel

    vocabulary = {word: n for n, word in enumerate(["[PAD]", "[UNK]", "[EOS]", *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(single="$A [EOS]", special_tokens=[("[EOS]", 2)])
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    text = {**size, "vocab_size": len(vocabulary), "max_position_embeddings": 8, "eos_token_id": 2, "pad_token_id": 0}
    text |= {"bos_token_id": 1, "projection_size": 16}
    vision = {**size, "image_size": 32, "patch_size": 8}
    torch.manual_seed(0)
    if kind == "clip":
        model: Any = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12))
        size_of = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
    else:
        model = SiglipModel(SiglipConfig(text_config=text, vision_config=vision))
        size_of = {"size": {"height": 32, "width": 32}}
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", eos_token="[EOS]"
    ).save_pretrained(folder)
    about = {"image_mean": [0.5] * 3, "image_std": [0.25] * 3, "resample": 2, **size_of}
    (folder / "preprocessor_config.json").write_text(json.dumps(about))
    return folder


def drawings() -> list[Image.Image]:
    """A red disc, a blue square in a wide picture, a green line in a tall one."""
    made = [Image.new("RGB", size, "white") for size in ((90, 90), (120, 60), (40, 100))]
    ImageDraw.Draw(made[0]).ellipse((10, 10, 80, 80), fill=(200, 40, 40))
    ImageDraw.Draw(made[1]).rectangle((10, 10, 110, 50), fill=(60, 120, 210))
    ImageDraw.Draw(made[2]).line((0, 0, 40, 100), fill=(80, 150, 60), width=20)
    return made


def check_contract(encoder: ImageEncoder, text_encoder: Any) -> None:
    pixels = np.stack([encoder.prepare(picture) for picture in drawings()])
    assert pixels.shape == (3, encoder.side, encoder.side, 3) and pixels.dtype == np.uint8
    features = encoder.look(pixels)
    assert features.shape == (3, encoder.dim) and features.dtype == np.float32
    alone = np.concatenate([encoder.look(pixels[row : row + 1]) for row in range(3)])
    assert np.allclose(features, alone, atol=1e-4)
    assert encoder.look(pixels[:0]).shape == (0, encoder.dim)
    for rows in (encoder.vectors(features), encoder.bridge(features, text_encoder)):
        assert rows.dtype == np.float32 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
        assert np.abs(rows[0] - rows[1]).max() > 1e-4
    assert encoder.vectors(features[:0]).shape[0] == 0 == encoder.bridge(features[:0], text_encoder).shape[0]
    assert encoder.name and encoder.identity and encoder.words_by


def test_the_packaged_encoder_keeps_the_contract(lite: EfficientNetLite, reader: Any):
    check_contract(lite, reader)


def test_words_for_a_picture_lie_in_the_space_of_the_text_encoder(lite: EfficientNetLite, reader: Any):
    umbrella = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(umbrella).pieslice((20, 30, 204, 214), 180, 360, fill=(200, 30, 40))
    ImageDraw.Draw(umbrella).line((112, 120, 112, 205), fill="black", width=6)
    places = lite.bridge(lite.look(lite.prepare(umbrella)[None]), reader)
    near, far = reader.encode(["a red umbrella", "a blue submarine"]) @ places[0]
    assert places.shape == (1, reader.dim) and near > far + 0.1


def test_features_are_those_of_the_model_with_its_own_scaling(lite: EfficientNetLite):
    import torch

    pixels = np.stack([lite.prepare(picture) for picture in drawings()])
    scaled = torch.from_numpy((pixels.transpose(0, 3, 1, 2) - np.float32(127)) / np.float32(128))
    with torch.inference_mode():
        wanted = lite.model.extract_features(scaled).mean((2, 3)).numpy()
    assert np.allclose(lite.look(pixels)[:, :1280], wanted, atol=1e-4)


def test_pictures_are_not_all_alike(lite: EfficientNetLite):
    features = lite.look(np.stack([lite.prepare(picture) for picture in drawings()]))
    raw = features[:, :1280] / np.linalg.norm(features[:, :1280], axis=1, keepdims=True)
    ours = lite.vectors(features)
    assert (ours @ ours.T)[np.triu_indices(3, 1)].mean() < (raw @ raw.T)[np.triu_indices(3, 1)].mean() - 0.02


def test_words_find_pictures_of_the_shop_whose_texts_do_not_say_them(
    lite: EfficientNetLite, reader: Any, tmp_path: Path
):
    dataset = fetch_dataset("sample-shop", data_dir=tmp_path)
    view = open_image_view(dataset, text_encoder=reader, settings=Settings(), encoder=lite)
    assert view is not None and view.has.sum() > 190
    found = measure(dataset, view, reader)
    assert len(found.questions) >= 30
    assert found.hits > 3 * found.chance.mean() and found.interval[0] > 0
    shuffled = np.random.default_rng(0).permutation(np.flatnonzero(view.has))
    words = np.zeros_like(view.words)
    words[view.has] = view.words[shuffled]  # type: ignore[index]
    assert measure(dataset, replace(view, words=words), reader).interval[0] < 0.03  # a wrong order finds nothing


def test_a_thousand_classes_have_a_plain_name_each():
    names = conse.class_names()
    assert len(names) == len(set(names)) == 1000
    assert all(name.strip() == name and "_" not in name and name.isascii() for name in names)
    known = {7: "rooster", 281: "tabby cat", 504: "coffee mug", 879: "umbrella", 954: "banana", 999: "toilet roll"}
    assert {number: names[number] for number in known} == known


def test_a_picture_lies_where_its_likeliest_classes_are():
    class Numbers(ToyEncoder):
        """The n-th class lies along the n-th axis; colours lie nowhere."""

        dim = 1000

        def encode(self, texts: Any, **more: Any) -> np.ndarray:  # type: ignore[override]
            return np.eye(len(texts), 1000, dtype=np.float32) * (len(texts) == 1000)

    probabilities = np.zeros((1, 1000), np.float32)
    probabilities[0, :12] = [0.4, 0.2, 0.1, 0.08, 0.06, 0.04, 0.03, 0.03, 0.02, 0.02, 0.01, 0.01]
    found = conse.place(probabilities, np.zeros((1, len(colours.NAMES)), np.float32), Numbers())[0]
    assert (found[:10] > 0).all() and not found[10:].any()
    assert found[0] / found[1] == pytest.approx(2)


def test_colours_are_told_by_their_names():
    pixels = np.full((4, 32, 32, 3), 255, np.uint8)
    for row, colour in enumerate([(210, 30, 35), (70, 160, 60), (50, 110, 215)]):
        pixels[row, 8:24, 8:24] = colour
    shares = colours.colour_shares(pixels)
    assert np.allclose(shares.sum(axis=1), 1)
    assert [colours.NAMES[n] for n in shares.argmax(axis=1)] == ["red", "green", "blue", "white"]


def test_altered_weights_are_not_loaded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(efficientnet, "WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(ConfigError, match="The weights of the image encoder are damaged or altered"):
        EfficientNetLite.from_package(device="cpu")


def test_without_its_packages_the_encoder_names_them(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install --no-deps efficientnet-lite-pytorch==0\.1\.0"):
        load_image_encoder(Settings())


def test_the_packaged_encoder_needs_no_torchvision(lite: EfficientNetLite):
    assert "torchvision" not in sys.modules


def test_clip_and_siglip_keep_the_contract(tiny: Path):
    encoder = load_image_encoder(replace(Settings(), image_encoder=str(tiny), device="cpu"))
    check_contract(encoder, ToyEncoder())
    assert (
        encoder.encode_words is not None and encoder.identity == Clip.from_pretrained(str(tiny), device="cpu").identity
    )
    texts = ["a red pot", "of", "", "a dog of a dog of a dog of a dog of a dog"]
    words = encoder.encode_words(texts)
    assert words.shape == (4, encoder.dim) and np.allclose(np.linalg.norm(words, axis=1), 1, atol=1e-5)
    alone = np.concatenate([encoder.encode_words([text]) for text in texts])
    assert np.allclose(words, alone, atol=1e-5)
    assert encoder.encode_words([]).shape == (0, encoder.dim)


def test_pictures_reach_the_model_as_its_own_preparation_makes_them(tiny: Path):
    from transformers import CLIPImageProcessorPil, SiglipImageProcessorPil

    kind = json.loads((tiny / "config.json").read_text())["model_type"]
    theirs = (CLIPImageProcessorPil if kind == "clip" else SiglipImageProcessorPil).from_pretrained(tiny)
    ours = Preparation.from_folder(tiny, 32)
    for picture in drawings():
        wanted = theirs(picture, return_tensors="np")["pixel_values"][0]
        found = ours.values(ours.square(picture)[None])[0]
        assert found.shape == wanted.shape == (3, 32, 32)
        assert np.abs(found - wanted).mean() < 0.08  # theirs scales all, then cuts; ours scales what is cut out


def test_a_picture_of_one_pixel_row_becomes_a_square(tiny: Path):
    assert Preparation.from_folder(tiny, 32).square(Image.new("RGB", (500, 1))).shape == (32, 32, 3)


def test_weights_that_are_a_pickle_are_not_loaded(tmp_path: Path):
    import torch

    folder = write_tiny(tmp_path / "tiny", "clip")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ConfigError, match="The image encoder does not load"):
        Clip.from_pretrained(str(folder), device="cpu")


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"image_std": [0, 1, 1]}', '{"size": {"shortest_edge": 8}}', '{"resample": 9}']
)
def test_a_preparation_that_makes_no_sense_is_refused(tmp_path: Path, content: str):
    (tmp_path / "preprocessor_config.json").write_text(content)
    with pytest.raises(ConfigError, match="The preparation of pictures cannot be"):
        Preparation.from_folder(tmp_path, 32)


def test_another_kind_of_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ConfigError, match="The image encoder does not load|no image encoder"):
        Clip.from_pretrained(str(tmp_path), device="cpu")
