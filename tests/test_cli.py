import json
import subprocess
import sys
from pathlib import Path

import pytest

from recsys import cli
from recsys.encoder import TransformerEncoder
from recsys.schema import Dataset
from tests.toy import ToyEncoder


class Shell:
    """Runs ``recsys`` in this process on the toy world."""

    def __init__(self, data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.data_dir = data_dir
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Returns (exit code, stdout, stderr)."""
        self._monkeypatch.setattr(sys, "argv", ["recsys", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = self._capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    def json(self, *arguments: str) -> object:
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def shell(toy_folder: Dataset, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    data_dir = toy_folder.folder.parent
    monkeypatch.setattr(TransformerEncoder, "from_pretrained", lambda name, **options: ToyEncoder())
    for name in ("DATASET", "ENCODER", "DEVICE", "PRECISION"):
        monkeypatch.delenv(f"COLDLENS_{name}", raising=False)
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(data_dir, capsys, monkeypatch)


FULL = "--dataset toy --age 30 --gender F --attribute occupation=student --interest space --interest romance --liked 03"


def test_recommend_prints_json(shell: Shell):
    found = shell.json("recommend", *FULL.split(), "-k", "5")
    assert list(found) == [
        "dataset",
        "scorer",
        "encoder",
        "device",
        "elapsed_ms",
        "profile",
        "warnings",
        "recommendations",
    ]
    assert (found["dataset"], found["scorer"], found["encoder"]) == ("toy", "cosine", "toy")
    assert found["elapsed_ms"] > 0
    assert found["warnings"] == []
    assert found["profile"] == {
        "age": 30.0,
        "gender": "F",
        "attributes": {"occupation": "student"},
        "interests": ["space", "romance"],
        "liked": ["03"],
    }
    rows = found["recommendations"]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    keys = ["age", "gender", "attribute:occupation", "interest:space", "interest:romance", "liked:03"]
    for row in rows:
        assert list(row) == ["rank", "item_id", "title", "score", "probability", "contributions"]
        assert list(row["contributions"]) == keys
        assert sum(row["contributions"].values()) == pytest.approx(row["score"], abs=1e-6)


def test_recommend_prints_a_table(shell: Shell):
    code, out, err = shell("recommend", "--dataset", "toy", "--interest", "space", "-k", "2")
    assert (code, err) == (0, "")
    assert "Story 03" in out
    assert "Story 06" in out
    assert "Story 09" not in out
    assert "“space” +1.000" in out


def test_brackets_in_an_interest_are_printed_as_they_are(shell: Shell):
    _, out, _ = shell("recommend", "--dataset", "toy", "--interest", "[bold] space", "-k", "1")
    assert "“[bold] space”" in out


def test_warnings_go_to_stderr(shell: Shell):
    code, out, err = shell("recommend", "--dataset", "toy", "--age", "99")
    assert code == 0
    assert err.startswith("Note: Age 99 is outside")
    assert "Note" not in out


def test_category_filter_and_default_length(shell: Shell):
    found = shell.json("recommend", "--dataset", "toy", "--category", "comedy", "--category", "space")
    assert {int(row["item_id"]) % 3 for row in found["recommendations"]} == {0, 2}
    assert len(shell.json("recommend", "--dataset", "toy")["recommendations"]) == 10


def test_dataset_may_be_a_path_or_come_from_the_environment(shell: Shell, monkeypatch: pytest.MonkeyPatch):
    assert shell.json("recommend", "--dataset", str(shell.data_dir / "toy"))["dataset"] == "toy"
    monkeypatch.setenv("COLDLENS_DATASET", "toy")
    assert shell.json("recommend")["dataset"] == "toy"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--age abc", "The age is not a number: 'abc'. Give a number of years from 0 to 120, or leave the age out."),
        ("--age -1", "The age is impossible: '-1'."),
        ("--age 121", "The age is impossible: '121'."),
        ("--age nan", "The age is impossible: 'nan'."),
        ("--gender X", "The dataset has no such gender: 'X'. Use one of: F, M, or leave the gender out."),
        ("--attribute student", "The attribute is not NAME=VALUE: 'student'."),
        ("--attribute shoe=43", "The dataset has no such user attribute: 'shoe'."),
        ("--liked zz", "There is no such item in the catalog: 'zz'."),
        ("-k 0", "The length of the list is out of range: '0'."),
        ("-k 101", "The length of the list is out of range: '101'."),
        ("-k ten", "not a whole number"),
        ("--scorer magic", "This scorer is not available: 'magic'. Choose one of: cosine."),
        ("--scorer additive", "This scorer is not available: 'additive'."),
        ("--category opera", "The catalog has no such category: 'opera'."),
        ("--dataset nonsense", "There is no such dataset: 'nonsense'. Use one of: movielens-100k, toy"),
        (f"--interest {'x' * 201}", "An interest is too long: 'xxx"),
        (" ".join(f"--interest {n}" for n in range(21)), "There are too many interests: '21'."),
        ("--nonsense", "No such option"),
    ],
)
def test_bad_input_exits_with_2_and_says_what_to_do(shell: Shell, arguments: str, message: str):
    code, out, err = shell("recommend", "--dataset", "toy", *arguments.split(), "--json")
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert out == ""


def test_list(shell: Shell):
    assert shell.json("datasets", "list") == [
        {"name": "movielens-100k", "title": "movielens-100k", "state": "can be fetched"},
        {"name": "toy", "title": "Toy world", "state": "ready"},
    ]
    code, out, _ = shell("datasets", "list")
    assert code == 0
    assert "Toy world" in out


def test_fetch(shell: Shell):
    counts = {"dataset": "movielens-100k", "items": 1682, "users": 943, "interactions": 100000}
    assert shell.json("datasets", "fetch", "movielens-100k") == counts
    _, out, _ = shell("datasets", "fetch", "movielens-100k")
    assert out == "MovieLens 100K is ready: 1,682 items, 943 users, 100,000 interactions.\n"


@pytest.mark.parametrize("arguments", ["nonsense", "movielens-100k --from /no/such/file.zip"])
def test_fetch_of_what_is_not_there(shell: Shell, arguments: str):
    code, _, err = shell("datasets", "fetch", *arguments.split())
    assert code == 2
    assert "cannot be" in err


def test_build(shell: Shell):
    found = shell.json("build", "toy")
    assert found.pop("seconds") >= 0
    assert found == {"dataset": "toy", "items": 12, "encoder": "toy", "device": "cpu, toy"}
    assert list((shell.data_dir / "toy" / "artifacts").glob("text-*/embeddings.npy"))
    assert shell("build", "toy")[1].startswith("toy: 12 items encoded with toy (cpu, toy) in ")


def test_help_names_every_command(shell: Shell):
    code, out, _ = shell("--help")
    assert code == 0
    assert all(command in out for command in ("datasets", "build", "recommend", "bench"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "recsys", *arguments], capture_output=True, text=True, check=False)


def test_real_process_with_the_real_encoder(toy_folder: Dataset):
    options = ["--dataset", str(toy_folder.folder), "--interest", "romance", "-k", "3", "--device", "cpu", "--json"]
    done = run("recommend", *options)
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["encoder"] == "all-MiniLM-L6-v2"
    assert {int(row["item_id"]) % 3 for row in found["recommendations"]} == {1}


def test_real_process_exits_with_2():
    done = run("recommend", "--age", "abc")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("The age is not a number: 'abc'.")


@pytest.mark.parametrize(("options", "named"), [(["-k", "abc"], "abc"), (["--interest", "\udcff"], "udcff")])
def test_values_that_once_slipped_through_are_refused_in_three_parts(shell, options, named):
    code, _, err = shell("recommend", "--dataset", "toy", *options)

    assert code == 2
    assert named in err
    assert "Traceback" not in err
