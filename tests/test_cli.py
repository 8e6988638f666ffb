import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from recsys import cli
from recsys.datasets import open_dataset, write_folder
from recsys.encoder import TransformerEncoder
from recsys.evaluation import Plan, evaluate, fair_words, kept_evaluations, report_fairness
from recsys.lock import writing
from recsys.recommender import Recommender
from recsys.schema import PRIOR, Dataset
from recsys.training import list_runs
from tests.toy import ToyEncoder, toy_dataset
from tests.training.world import world


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
    monkeypatch.setattr(TransformerEncoder, "from_folder", lambda folder, **options: ToyEncoder())
    for name in ("DATASET", "ENCODER", "DEVICE", "PRECISION"):
        monkeypatch.delenv(f"COLDLENS_{name}", raising=False)
    monkeypatch.setenv("COLDLENS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    return Shell(data_dir, capsys, monkeypatch)


FULL = "--dataset toy --scorer cosine --age 30 --gender F --attribute occupation=student --liked 03"
FULL += " --interest space --interest romance"


def test_recommend_prints_json(shell: Shell):
    found = shell.json("recommend", *FULL.split(), "-k", "5")
    assert list(found) == [
        "dataset",
        "scorer",
        "encoder",
        "device",
        "views",
        "unused",
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
        assert list(row) == ["rank", "item_id", "title", "score", "probability", "contributions", "views", "reason"]
        assert list(row["contributions"]) == keys
        assert sum(row["contributions"].values()) == pytest.approx(row["score"], abs=1e-6)
        assert sum(row["views"].values()) == pytest.approx(row["score"], abs=1e-6)


def test_recommend_prints_a_table(shell: Shell):
    code, out, err = shell("recommend", "--dataset", "toy", "--scorer", "cosine", "--interest", "space", "-k", "2")
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
        (
            "--scorer magic",
            "This scorer is not available: 'magic'. Choose one of: additive, fine-tuned, private, federated, transferred, "
            "cosine.",
        ),
        ("--popularity 1.5", "The popularity weight is out of range: '1.5'. Choose a number from 0 to 1."),
        ("--popularity nan", "The popularity weight is out of range: 'nan'."),
        ("--popularity much", "Invalid value for '--popularity'"),
        ("--diversity -0.1", "The diversity is out of range: '-0.1'. Choose a number from 0 to 1."),
        ("--category opera", "The catalog has no such category: 'opera'."),
        ("--dataset nonsense", "There is no such dataset: 'nonsense'. Use one of: movielens-100k, sample-films-zh"),
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
        *(
            {"name": name, "title": name, "state": "can be fetched"}
            for name in ("movielens-100k", "sample-films-zh", "sample-music", "sample-news", "sample-shop")
        ),
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
    steps = {step["step"]: step["state"] for step in found.pop("steps")}
    assert steps == dict.fromkeys(("read", "encode", "index", "views", "train", "project"), "done")
    assert found == {
        "dataset": "toy",
        "items": 12,
        "encoded": 12,
        "encoder": "toy",
        "device": "cpu, toy",
        "until": "project",
        "trained": True,
        "mapped": True,
    }
    artifacts = shell.data_dir / "toy" / "artifacts"
    assert list(artifacts.glob("text-*/embeddings.npy"))
    assert [len(list(artifacts.glob(kind))) for kind in ("additive-*", "map-*")] == [1, 2]
    code, out, err = shell("build", "toy")
    assert code == 0
    assert out.startswith("toy: 12 items, 0 texts encoded with toy (cpu, toy); trained; maps laid out; ")
    assert err.splitlines() == [
        "Reading",
        "Encoding the items",
        "Keeping their embeddings",
        "Looking at pictures, listening to sounds, linking facts",
        "Learning from likes",
        "Laying out the maps",
    ]


def test_build_until(shell: Shell, tmp_path: Path):
    progress = tmp_path / "progress.json"
    found = shell.json("build", "toy", "--until", "encode", "--progress", str(progress))
    assert [step["step"] for step in found["steps"]] == ["read", "encode", "index"]
    assert (found["trained"], found["mapped"]) == (False, False)
    assert json.loads(progress.read_text()) == {"finished": True}
    found = shell.json("build", "toy", "--until", "train")
    assert (found["encoded"], found["trained"], found["mapped"]) == (0, True, False)
    assert [step["state"] for step in found["steps"]] == ["done", "reused", "reused", "done", "done"]


def test_build_says_what_it_leaves_out(shell: Shell):
    toy = toy_dataset()
    bare = replace(toy, users=toy.users.iloc[:0], interactions=toy.interactions.iloc[:0])
    write_folder(bare, shell.data_dir / "bare")
    assert "Left out: train, because no likes of other users are known.\n" in shell("build", "bare")[1]


@pytest.mark.parametrize("command", ["build", "train"])
def test_one_process_at_a_time_writes_a_dataset(shell: Shell, command: str):
    with writing(shell.data_dir / "toy", "import"):
        code, out, err = shell(command, "toy")
    assert (code, out) == (2, "")
    assert f"Another process is writing this dataset: 'toy: import, process {os.getpid()}'. Wait until" in err
    assert shell(command, "toy")[0] == 0


def test_help_names_every_command(shell: Shell):
    code, out, _ = shell("--help")
    assert code == 0
    assert all(command in out for command in ("datasets", "build", "train", "recommend", "evaluate", "bench"))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "recsys", *arguments], capture_output=True, text=True, check=False)


def test_real_process_with_the_real_encoder(toy_folder: Dataset):
    options = ["--dataset", str(toy_folder.folder), "--scorer", "cosine", "--interest", "romance", "-k", "3"]
    options += ["--device", "cpu", "--json"]
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


# Training and evaluating, in a world of known tastes.

EVALUATE = ["evaluate", "--dataset", "world", "--folds", "2", "--rivals", "popular", "--shots", "0,1"]


@pytest.fixture
def world_folder(shell: Shell) -> Dataset:
    return write_folder(world(n_users=100), shell.data_dir / "world")


def test_train_publishes_the_model_and_records_the_run(shell: Shell, world_folder: Dataset):
    found = shell.json("train", "world", "--seed", "3")
    assert list(found) == ["dataset", "scorer", "seconds", "held_out_ndcg@10", "about", "runs"]
    assert (found["dataset"], found["scorer"]) == ("world", "additive")
    assert found["about"]["n_users"] == 100
    assert found["about"]["n_likes"] == len(world_folder.likes)
    assert found["about"]["config"]["seed"] == 3
    (run_,) = list_runs(Path(found["runs"]))
    assert found["held_out_ndcg@10"] == max(run_.curve)
    assert len(list((world_folder.folder / "artifacts").glob("additive-*"))) == 1


def test_train_tells_a_person_where_its_runs_are(shell: Shell, world_folder: Dataset):
    code, out, err = shell("train", "world")
    assert (code, err) == (0, "")
    assert out.startswith("world: additive fitted in ")
    assert f"to {len(world_folder.likes):,} likes." in out
    assert f"tensorboard --logdir {world_folder.folder / 'runs'}" in out


def test_what_train_made_is_what_recommend_opens(shell: Shell, world_folder: Dataset, monkeypatch: pytest.MonkeyPatch):
    shell.json("train", "world")
    monkeypatch.setattr("recsys.training.store.train_additive", None)
    assert shell.json("recommend", "--dataset", "world", "--age", "20")["scorer"] == "additive"


def test_evaluate_prints_the_summary_and_keeps_the_evaluation(shell: Shell, world_folder: Dataset):
    found = shell.json(*EVALUATE)
    opened = open_dataset("world", data_dir=shell.data_dir)
    recommender = Recommender.from_dataset(opened, encoder=ToyEncoder())
    plan = Plan("world", folds=2, shots=(0, 1), rivals=("popular",))
    expected = evaluate(
        opened, recommender.embeddings, encoder=ToyEncoder(), plan=plan, views=recommender.views
    ).to_dict()
    assert found == expected | {"rivals_left_out": []}
    (kept,) = kept_evaluations(opened, recommender.material_key)
    assert kept.plan == plan
    assert kept.to_dict() == expected
    assert (
        found["command"]
        == "recsys evaluate --dataset world --protocol cold-user --shots 0,1 --folds 2 --seed 0 --rivals popular"
    )


def test_evaluate_repeated_by_its_own_command_says_the_same(shell: Shell, world_folder: Dataset):
    first = shell.json(*EVALUATE, "--seed", "4", "--protocol", "cold-item")
    words = first["command"].split()
    assert words[0] == "recsys"
    assert shell.json(*words[1:]) == first


def test_evaluate_prints_a_table_and_its_progress(shell: Shell, world_folder: Dataset):
    code, out, err = shell(*EVALUATE)
    assert code == 0
    summary = shell.json(*EVALUATE)
    assert f"world, cold-user, {summary['n_users']} users" in out
    for level, methods in summary["results"].items():
        assert level in out
        for method, measures in methods.items():
            shown = measures["nDCG@10"]
            assert method in out
            assert f"{shown['mean']:.3f} [{shown['low']:.3f}, {shown['high']:.3f}]" in out
    best = summary["versus_best_rival"]["+1"]
    assert f"+1: additive against popular, the best rival: {best['difference']:+.4f}" in out
    assert err.splitlines()[0] == "fold 1, additive (0 of 8)"
    assert err.splitlines()[-1] == "fold 2, intervals (8 of 8)"


def test_fairness_reads_what_evaluate_has_kept(shell: Shell, world_folder: Dataset):
    code, _, err = shell("fairness", "--dataset", "world")
    assert code == 2
    assert (
        "No evaluation on held-out people has been kept: 'world'. Run `recsys evaluate --dataset world` first." in err
    )
    shell.json(*EVALUATE)
    found = shell.json("fairness", "--dataset", "world")
    opened = open_dataset("world", data_dir=shell.data_dir)
    recommender = Recommender.from_dataset(opened, encoder=ToyEncoder())
    (kept,) = kept_evaluations(opened, recommender.material_key)
    report = report_fairness(kept, opened, recommender=recommender)
    assert found == json.loads(json.dumps(report.to_dict())) | {"evaluation": kept.plan.command}
    assert found["command"] == "recsys fairness --dataset world --level demographics+interests"
    assert shell.json(*found["command"].split()[1:]) == found

    code, out, _ = shell("fairness", "--dataset", "world")
    assert code == 0
    assert all(f"- {words}" in out for words in fair_words(report))
    assert ("hidden" in out) == report.has_hidden
    hidden = [row for row in found["groups"]["gender and age"].values() if row == "hidden"]
    assert len(hidden) > 1


def test_evaluate_says_where_a_method_cannot_be_used(shell: Shell, world_folder: Dataset):
    _, out, _ = shell(*EVALUATE, "--rivals", "item knn")
    row = next(line for line in out.splitlines() if "item knn" in line)
    assert row.count("cannot use this") == 2
    code, out, _ = shell(*EVALUATE, "--rivals", "none")
    assert code == 0
    assert "best rival" not in out


def test_evaluate_writes_its_progress_to_a_file(
    shell: Shell, world_folder: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    written: list[dict] = []
    original = cli.shared.ProgressReport._write

    def spy(report: object, value: dict) -> None:
        original(report, value)
        written.append(json.loads((tmp_path / "progress.json").read_text("utf-8")))

    monkeypatch.setattr(cli.shared.ProgressReport, "_write", spy)
    code, _, err = shell(*EVALUATE, "--progress", str(tmp_path / "progress.json"), "--json")
    assert (code, err) == (0, "")
    assert [step["done"] for step in written[:-1]] == list(range(9))
    first = {"step": "fold 1, additive", "done": 0, "total": 8, "left": None, "fold": 1, "method": "additive"}
    assert written[0] == first
    assert all(step["left"] >= 0 for step in written[1:-1])
    assert written[-1] == {"finished": True}
    assert [path.name for path in tmp_path.glob("progress*")] == ["progress.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("evaluate --dataset world --rivals magic", "There is no such rival: 'magic'. Use one of: random, popular, "),
        (
            "evaluate --dataset world --protocol warm",
            "There is no such protocol: 'warm'. Choose one of: cold-user, cold-",
        ),
        (
            "evaluate --dataset world --shots a",
            "The shots are not numbers: 'a'. Write whole numbers separated by commas",
        ),
        ("evaluate --dataset world --shots 0,,1", "The shots are not numbers: '0,,1'."),
        (
            "evaluate --dataset world --shots 9",
            "The shots are out of range: '9'. Choose numbers of liked items from 0 to 5",
        ),
        ("evaluate --dataset world --folds 1", "There are too few folds: '1'. Choose at least 2."),
        ("evaluate --dataset world --folds many", "Invalid value for '--folds'"),
        ("evaluate --dataset world --seed -1 --rivals none", "Invalid value for '--seed'"),
        ("evaluate --dataset nonsense --rivals none", "There is no such dataset: 'nonsense'."),
        (
            "evaluate --dataset toy --folds 2 --rivals none",
            "No user of this dataset can be judged: 'toy'. It needs users",
        ),
        ("build toy --until never", "A build cannot end there: 'never'. Choose one of: encode, train, project."),
        (
            "train world --scorer cosine",
            "This scorer cannot be trained: 'cosine'. Choose additive, fine-tuned or private; cosine needs",
        ),
        ("train world --seed -1", "Invalid value for '--seed'"),
        ("train nonsense", "There is no such dataset: 'nonsense'."),
        ("train world --wandb", "Weights & Biases is not installed: 'wandb'. Install it with `pip install wandb`."),
    ],
)
def test_a_wrong_experiment_exits_with_2_and_leaves_nothing(
    shell: Shell, world_folder: Dataset, monkeypatch: pytest.MonkeyPatch, arguments: str, message: str
):
    monkeypatch.setattr("recsys.training.runs.find_spec", lambda name: None)
    code, out, err = shell(*arguments.split(), "--json")
    assert code == 2
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    kept = [path.name for path in shell.data_dir.glob("*/artifacts/*") if not path.name.startswith("text-")]
    assert [name for name in kept if name.startswith(("additive", "evaluation"))] == []


def test_train_and_evaluate_without_likes(shell: Shell, world_folder: Dataset):
    write_folder(replace(world_folder, interactions=world_folder.interactions.iloc[:0]), world_folder.folder)
    code, _, err = shell("train", "world")
    assert code == 2
    assert "There are no likes of other users to learn from: 'world'. Use the cosine scorer" in err
    code, _, err = shell(*EVALUATE)
    assert code == 2
    assert "Nothing can be evaluated on this dataset: 'world'. Choose a dataset with users and likes of theirs" in err


def test_recommend_by_either_scorer(shell: Shell, world_folder: Dataset):
    options = ["recommend", "--dataset", "world", "--age", "20", "--gender", "F", "--interest", "space", "-k", "5"]
    usual, additive, cosine = (
        shell.json(*options, *more) for more in ((), ("--scorer", "additive"), ("--scorer", "cosine"))
    )
    assert [found["scorer"] for found in (usual, additive, cosine)] == ["additive", "additive", "cosine"]
    assert usual["recommendations"] == additive["recommendations"] != cosine["recommendations"]
    for row in additive["recommendations"]:
        assert list(row["contributions"]) == [PRIOR.key, "age", "gender", "interest:space"]
        assert sum(row["contributions"].values()) == pytest.approx(row["score"], abs=1e-6)
        assert sum(row["views"].values()) == pytest.approx(row["score"], abs=1e-6)
        assert 0 < row["probability"] < 1
    assert all(PRIOR.key not in row["contributions"] for row in cosine["recommendations"])


def test_recommend_with_less_popularity_leaves_the_prior_out(shell: Shell, world_folder: Dataset):
    options = ["recommend", "--dataset", "world", "--age", "20", "--interest", "space", "-k", "20"]
    full, half, none = (shell.json(*options, "--popularity", weight)["recommendations"] for weight in ("1", "0.5", "0"))
    weights = [{row["item_id"]: row["contributions"][PRIOR.key] for row in rows} for rows in (full, half, none)]
    both = weights[0].keys() & weights[1].keys()
    assert both and all(weights[1][item] == pytest.approx(weights[0][item] / 2, abs=1e-6) for item in both)
    assert set(weights[2].values()) == {0.0}
    assert [row["item_id"] for row in full] != [row["item_id"] for row in none]


def test_recommend_with_diversity_shows_other_kinds(shell: Shell, world_folder: Dataset):
    def kinds(diversity: str) -> int:
        rows = shell.json(*options, "--diversity", diversity)["recommendations"]
        return len({int(row["item_id"]) % 3 for row in rows})

    options = ["recommend", "--dataset", "world", "--scorer", "cosine", "--interest", "space", "-k", "3"]
    assert kinds("0") == 1
    assert kinds("1") == 3


def test_simulated_people_are_named_as_such(shell: Shell):
    code, out, err = shell("recommend", "--dataset", "sample-news", "--age", "30", "-k", "3", "--json")

    assert code == 0 and len(json.loads(out)["recommendations"]) == 3
    assert "are simulated" in err
