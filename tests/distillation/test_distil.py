"""Students of tiny teachers, whose answers are known."""

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.distillation import LayerConfig, TableConfig, distil, unlabelled_texts
from recsys.distillation.layers import fewer_layers
from recsys.distillation.table import fitted, token_vectors
from recsys.encoder import TransformerEncoder, open_encoder
from recsys.errors import ConfigError
from recsys.schema import Dataset
from tests.encoder.tiny import WORDS, add_modules, save_bert, save_gpt2, save_qwen, save_static
from tests.toy import ToyEncoder

TEXTS = [f"{first} {second} about {third}" for first in WORDS[4:8] for second in WORDS[4:9] for third in WORDS[4:10]]
QUICK = LayerConfig(layers=1, steps=40, batch=32, rate=5e-3)


def teacher_in(folder: Path, *, pooling: str = "mean_tokens", layers: int = 3) -> TransformerEncoder:
    folder.mkdir()
    save_bert(folder, layers=layers, spread=0.5)  # so that a layer matters
    add_modules(folder, {f"pooling_mode_{pooling}": True}, more={"prompts": {"q": "query : "}})
    return TransformerEncoder.from_pretrained(str(folder), device="cpu", precision="float32")


def mean_cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float((first * second).sum(1).mean())


@pytest.mark.parametrize("pooling", ["mean_tokens", "cls_token"])
def test_training_brings_a_student_of_one_layer_near_its_teacher(tmp_path: Path, pooling: str):
    teacher = teacher_in(tmp_path / "teacher", pooling=pooling)
    untrained = distil(teacher, TEXTS, into=tmp_path / "raw", config=LayerConfig(layers=1, steps=1, rate=1e-9))
    found = distil(teacher, TEXTS, into=tmp_path / "student", config=QUICK)
    assert untrained.cosine is not None and found.cosine is not None
    assert 1 - found.cosine < (1 - untrained.cosine) / 2
    student = open_encoder(str(tmp_path / "student"), device="cpu", precision="float32")
    assert isinstance(student, TransformerEncoder)
    assert (student.pooling, student.max_length, student.dim) == (teacher.pooling, teacher.max_length, teacher.dim)
    assert student.recipe.prompts == {"q": "query : "}
    assert student.model.config.num_hidden_layers == 1
    assert found.n_texts == 108


def test_other_tools_read_a_student_of_layers(tmp_path: Path):
    from sentence_transformers import SentenceTransformer

    distil(teacher_in(tmp_path / "teacher"), TEXTS, into=tmp_path / "student", config=QUICK)
    theirs = SentenceTransformer(str(tmp_path / "student"), device="cpu").encode(TEXTS[:9], show_progress_bar=False)
    ours = open_encoder(str(tmp_path / "student"), device="cpu").encode(TEXTS[:9])
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_other_tools_read_a_static_student(tmp_path: Path):
    from model2vec import StaticModel
    from sentence_transformers import SentenceTransformer

    folder = tmp_path / "student"
    distil(teacher_in(tmp_path / "teacher"), TEXTS, into=folder, config=TableConfig())
    ours = open_encoder(str(folder), device="cpu").encode(TEXTS[:9])
    np.testing.assert_allclose(ours, StaticModel.from_pretrained(folder).encode(TEXTS[:9]), atol=1e-5)
    theirs = SentenceTransformer(str(folder), device="cpu").encode(TEXTS[:9], show_progress_bar=False)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_fit_brings_a_static_student_nearer(tmp_path: Path):
    teacher = teacher_in(tmp_path / "teacher")
    alone = distil(teacher, TEXTS, into=tmp_path / "alone", config=TableConfig(ridge=None))
    fit = distil(teacher, TEXTS, into=tmp_path / "fit", config=TableConfig())
    assert alone.cosine is not None and fit.cosine is not None
    assert fit.cosine > alone.cosine + 0.05
    small = distil(teacher, TEXTS, into=tmp_path / "small", config=TableConfig(dim=4))
    assert open_encoder(str(small.folder)).dim == 4
    assert small.cosine is None
    assert 0.3 < small.neighbours_kept <= 1


def test_all_layers_give_the_teacher(tmp_path: Path):
    teacher = teacher_in(tmp_path / "teacher")
    same = fewer_layers(teacher.model, 3).state_dict()
    assert all((value == same[name]).all() for name, value in teacher.model.state_dict().items())


@pytest.mark.parametrize(("depth", "n", "kept"), [(5, 3, [0, 2, 4]), (4, 2, [0, 3]), (4, 1, [0])])
def test_layers_are_evenly_chosen(tmp_path: Path, depth: int, n: int, kept: list[int]):
    model = teacher_in(tmp_path / "teacher", layers=depth).model
    made = fewer_layers(model, n)
    for place, layer in enumerate(kept):
        ours, theirs = made.encoder.layer[place].state_dict(), model.encoder.layer[layer].state_dict()
        assert all((value == theirs[name]).all() for name, value in ours.items())
    assert (made.embeddings.word_embeddings.weight == model.embeddings.word_embeddings.weight).all()


@pytest.mark.parametrize("save", [save_gpt2, save_qwen])
def test_decoders_have_students_too(tmp_path: Path, save):
    (tmp_path / "teacher").mkdir()
    teacher = TransformerEncoder.from_pretrained(str(save(tmp_path / "teacher")), device="cpu", precision="float32")
    found = distil(teacher, TEXTS, into=tmp_path / "student", config=QUICK)
    student = open_encoder(str(tmp_path / "student"), device="cpu")
    assert isinstance(student, TransformerEncoder)
    assert student.pooling == "lasttoken"
    assert found.cosine is not None and found.cosine > 0.9
    table = distil(teacher, TEXTS, into=tmp_path / "static", config=TableConfig())
    assert table.cosine is not None and table.cosine > 0.5


def test_a_token_goes_through_the_teacher_between_its_marks(tmp_path: Path):
    teacher = teacher_in(tmp_path / "teacher")
    (tokens,) = teacher.encode_tokens(["opera"])
    found = token_vectors(teacher, len(WORDS))
    np.testing.assert_allclose(found[WORDS.index("opera")], tokens.embeddings.mean(0), atol=1e-5)


def test_the_fit_is_the_least_squares_solution():
    rng = np.random.default_rng(0)
    table, counts, wanted = rng.standard_normal((6, 3)), rng.random((4, 6)), rng.standard_normal((4, 3))
    from scipy import sparse

    found = fitted(table, sparse.csr_array(counts), wanted, ridge=0.5)
    own = counts @ table
    scale = (own * wanted).sum() / (wanted * wanted).sum()
    ridge = 0.5 * np.trace(counts @ counts.T) / 4
    left = np.vstack([counts, np.sqrt(ridge) * np.eye(6)])
    expected = np.linalg.lstsq(left, np.vstack([scale * wanted, np.sqrt(ridge) * table]), rcond=None)[0]
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_same_seed_same_student(tmp_path: Path):
    teacher = teacher_in(tmp_path / "teacher")
    for config in (QUICK, TableConfig(most_texts=50)):
        made = [distil(teacher, TEXTS, into=tmp_path / f"{type(config).__name__}{n}", config=config) for n in (1, 2)]
        first, second = (open_encoder(str(one.folder), device="cpu").encode(TEXTS) for one in made)
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (LayerConfig(layers=4), r"number of layers is out of range: '4'\. Choose from 1 to 3"),
        (TableConfig(dim=17), r"dimension is out of range: '17'\. Choose from 1 to 16"),
    ],
)
def test_sizes_out_of_range_leave_nothing_behind(tmp_path: Path, config: LayerConfig | TableConfig, message: str):
    teacher = teacher_in(tmp_path / "teacher")
    with pytest.raises(ConfigError, match=message):
        distil(teacher, TEXTS, into=tmp_path / "student", config=config)
    assert [path.name for path in tmp_path.iterdir()] == ["teacher"]


def test_what_cannot_be_distilled(tmp_path: Path):
    static = open_encoder(str(save_static(tmp_path)))
    for teacher in (ToyEncoder(), static):
        with pytest.raises(ConfigError, match="Only a transformer can be distilled"):
            distil(teacher, TEXTS, into=tmp_path / "student", config=QUICK)
    teacher = teacher_in(tmp_path / "teacher")
    with pytest.raises(ConfigError, match="exists already"):
        distil(teacher, TEXTS, into=tmp_path, config=QUICK)
    with pytest.raises(ConfigError, match="too few texts to learn from: '19'"):
        distil(teacher, TEXTS[:19], into=tmp_path / "student", config=QUICK)


def test_texts_are_of_items_people_categories_and_words(toy: Dataset):
    found = unlabelled_texts(toy, n_profiles=40)
    assert len(found) == len(set(found))
    assert {"Story 03. space", "romance", "Story", "07"} <= set(found)
    people = [text for text in found if text.startswith("A ")]
    assert len(people) > 30
    assert any("who likes comedy" in text and "engineer" in text for text in people)
    assert found == unlabelled_texts(toy, n_profiles=40)
    bare = unlabelled_texts(toy, n_profiles=0)
    assert not [text for text in bare if "who likes" in text]


def test_the_command_makes_an_encoder_that_recommends(toy_folder: Dataset, tmp_path: Path, capsys):
    from typer.testing import CliRunner

    from recsys.cli import app

    teacher, student = teacher_in(tmp_path / "teacher"), tmp_path / "student"
    place = ["--data-dir", str(tmp_path / "data"), "--dataset", "toy", "--device", "cpu", "--json"]
    words = ["distil", teacher.name, "--into", str(student), "--kind", "static", *place]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert json.loads(done.stdout)["folder"] == str(student)
    asked = ["recommend", *place, "--encoder", str(student), "--interest", "space"]
    done = CliRunner().invoke(app, asked, catch_exceptions=False)
    assert len(json.loads(done.stdout)["recommendations"]) == 10
    with pytest.raises(ConfigError, match="no such kind of student: 'tiny'"):
        CliRunner().invoke(app, ["distil", "x", "--into", "y", "--kind", "tiny"], catch_exceptions=False)


def test_neighbours_that_are_kept_are_counted():
    from recsys.distillation.student import _kept

    rising = np.arange(12)[:, None] / 12
    assert _kept(rising, rising) == 1
    # each row has eleven others: the one left out is the first to rise, the last to fall; the first row has only ties
    assert _kept(rising, rising[::-1]) == pytest.approx((11 * 0.9 + 1) / 12)
