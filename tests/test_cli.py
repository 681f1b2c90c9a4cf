"""The command as a person meets it: help, answers, JSON, exit codes, one-paragraph errors."""

import json
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tastemaker.cli import VERBS, main
from tastemaker.options import RunOptions
from tastemaker.run.job import run_recommender
from tests.conftest import write_data
from tests.run.small import MODEL, TRAINING


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_has_help_with_defaults(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    code, out, _ = call(capsys, *verb.split(), "--help")
    assert code == 0
    assert f"tastemaker {verb}" in out
    assert "--json" in out
    if verb == "run" or verb.startswith("train "):
        assert "default: movielens-small" in out


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["-h"]):
        code, out, _ = call(capsys, *words)
        assert code == 0
        assert all(f"tastemaker {verb}" in out for verb in VERBS)
    code, out, _ = call(capsys, "data", "--help")
    assert code == 0
    assert "data check" in out
    assert "tastemaker run" not in out


@pytest.mark.parametrize("words", [[], ["fly"], ["data"], ["data", "fly"], ["--fly"]])
def test_unknown_commands_exit_with_2(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert call(capsys, *words)[0] == 2


def test_unknown_options_exit_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, "run", "--epoch", "3")
    assert code == 2
    assert "--epoch" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["run", "--help"],
        ["recommend", "--help"],
        ["evaluate", "--help"],
        ["data", "check", "--help"],
        ["gistbench", "run", "--help"],
        ["serve", "--help"],
        ["reinforce", "restrain", "--help"],
    ],
)
def test_help_loads_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys; from tastemaker.cli import main; main(sys.argv[1:]);"
        "heavy = {'torch', 'polars', 'altair', 'accelerate', 'numpy', 'scipy'} & set(sys.modules);"
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_recommend_shows_titles_beside_history(
    capsys: pytest.CaptureFixture[str], finished_run: Path
) -> None:
    code, out, _ = call(capsys, "recommend", str(finished_run), "--user", "u1", "--k", "3")
    assert code == 0
    assert "User u1" in out
    assert out.count("Item <") > 3
    code, out, _ = call(capsys, "recommend", str(finished_run), "--user", "u1", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["known"]
    assert len(answer["items"]) == 10
    assert answer["items"][0]["item"].startswith("i")


@pytest.mark.parametrize(
    ("words", "code", "cause"),
    [
        (["--k", "0"], 2, "k = 0"),
        (["--k", "-3"], 2, "k = -3"),
        (["--boost", "Fun=1"], 2, "no group 'Fun'"),
        (["--boost", "Even"], 2, "not a boost"),
        (["--boost", "Even=__import__('os')"], 2, "not a boost"),
        (["--boost", "Even=nan"], 2, "not a boost"),
        (["--model", "hstu"], 2, "no model 'hstu'"),
        (["--allow", "nowhere.txt"], 2, "cannot be read"),
        (["--only", "Fun"], 2, "no group 'Fun'"),
        (["--offset", "-1"], 2, "offset = -1"),
    ],
)
def test_wrong_wishes_are_answered_with_cause_and_fix(
    capsys: pytest.CaptureFixture[str], finished_run: Path, words: list[str], code: int, cause: str
) -> None:
    got, _, err = call(capsys, "recommend", str(finished_run), "--user", "u1", *words)
    assert got == code
    assert cause in err
    assert err.startswith("Error: ")
    assert "Traceback" not in err
    got, out, _ = call(capsys, "recommend", str(finished_run), "--user", "u1", *words, "--json")
    fields = json.loads(out)
    assert got == fields["exit_code"] == code
    assert cause in fields["what"]
    assert fields["fix"]


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str], finished_run: Path) -> None:
    words = ["recommend", str(finished_run), "--user", "u1", "--k", "0", "--debug"]
    assert "Traceback" in call(capsys, *words)[2]


def test_a_folder_that_is_no_run_exits_with_3(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, _, err = call(capsys, "recommend", str(tmp_path), "--user", "u1")
    assert code == 3
    assert "manifest.json" in err
    assert call(capsys, "evaluate", str(tmp_path))[0] == 3


def test_items_outside_the_log_in_lists(
    capsys: pytest.CaptureFixture[str], finished_run: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "items.txt"
    listed.write_text("i1\ni2\nnot-an-item\n")
    words = ["recommend", str(finished_run), "--user", "u1", "--allow", str(listed)]
    code, _, err = call(capsys, *words)
    assert code == 2
    assert "'not-an-item'" in err


def test_data_commands(capsys: pytest.CaptureFixture[str], small_data: Path) -> None:
    assert "movielens-small" in call(capsys, "data", "list")[1].split()
    code, out, _ = call(capsys, "data", "check", str(small_data))
    assert code == 0
    assert "can be used" in out
    code, out, _ = call(capsys, "data", "describe", str(small_data), "--json")
    assert json.loads(out)["users"] == 60


def test_data_check_says_everything_that_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "user_id,item_id,timestamp\nu,a,1\n,b,2\nu,c,nan\n\x1b[31mu,d,-1\n"
    (tmp_path / "interactions.csv").write_text(text)
    code, _, err = call(capsys, "data", "check", ".")
    assert code == 2
    assert all(words in err for words in ("user_id, row 2", "timestamp, row 3", "timestamp, row 4"))
    assert "\x1b" not in err
    code, out, _ = call(capsys, "data", "check", ".", "--on-bad-rows", "drop", "--json")
    assert code == 0
    assert json.loads(out)["dropped"] >= 3
    assert (tmp_path / "bad-rows.csv").is_file()


def test_evaluate_repeats_what_the_run_said(
    capsys: pytest.CaptureFixture[str], finished_run: Path
) -> None:
    code, out, _ = call(capsys, "evaluate", str(finished_run), "--json")
    assert code == 0
    results = json.loads((finished_run / "results.json").read_text())
    assert json.loads(out)["models"] == results["models"]
    code, out, _ = call(capsys, "evaluate", str(finished_run), "--model", "ease")
    assert code == 0
    assert "ease" in out


def test_comparing_a_run_with_itself_finds_no_difference(
    capsys: pytest.CaptureFixture[str], finished_run: Path
) -> None:
    run = str(finished_run)
    code, out, _ = call(capsys, "evaluate", run, "--against", run, "--json")
    found = json.loads(out)["comparison"]
    assert code == 0
    assert (found["difference"], found["ci95"], found["p"]) == (0.0, [0.0, 0.0], 1.0)
    code, out, _ = call(capsys, "evaluate", run, "--against", run, "--model", "ease")
    assert code == 0
    assert "ring/ease" in out
    assert call(capsys, "evaluate", run, "--against", run, "--metric", "fun@10")[0] == 2


def test_run_prints_what_a_person_wants(
    capsys: pytest.CaptureFixture[str], small_data: Path, tmp_path: Path
) -> None:
    out_folder = tmp_path / "run"
    words = ["train", "sasrec", "--data", str(small_data), "--out", str(out_folder), "--fit.epochs",
             "2", "--model.dim", "8", "--model.heads", "1", "--model.layers", "1"]  # fmt: skip
    code, out, _ = call(capsys, *words)
    assert code == 0
    assert "60 users, 40 items" in out
    assert "Report:" in out
    assert "NDCG@10" in out
    config = json.loads((out_folder / "config.json").read_text())
    assert (config["model_config"]["dim"], config["fit"]["epochs"]) == (8, 2)
    code, out, err = call(capsys, *words)
    assert code == 2
    assert "holds something" in err


def test_memory_errors_exit_with_5(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*args: object, **options: object) -> None:
        raise MemoryError

    monkeypatch.setattr("tastemaker.data.datasets.load", too_much)
    assert call(capsys, "data", "check")[0] == 5


HOSTILE = "[/nope][red]\x1b]0;owned\x07\x9b2J\u202e\u2066\r\nError: fake :smile:"
"""Markup, escape sequences, marks that turn the text, line ends."""
ACTING = {"\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\r"}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose every name and text is hostile, and a run of it beside."""
    folder = tmp_path_factory.mktemp("hostile")
    data = write_data(folder / "data")
    frame = pl.read_csv(data / "interactions.csv")
    # Ids may hold no control characters; markup and marks they may.
    names = (pl.col(name) + "[/b]\u202e" for name in ("user_id", "item_id"))
    frame.with_columns(*names, event=pl.lit(TAME)).write_csv(data / "interactions.csv")
    items = pl.read_parquet(data / "items.parquet").with_columns(
        pl.col("item_id") + "[/b]\u202e",
        title=pl.col("title") + HOSTILE,
        categories=pl.col("categories").list.eval(pl.element() + HOSTILE),
    )
    items.write_parquet(data / "items.parquet")
    declared = {"name": HOSTILE, "licence": HOSTILE, "events": {TAME: "explicit_positive"}}
    (data / "dataset.json").write_text(json.dumps(declared))
    run_recommender(RunOptions(data=str(data), out=str(folder / "run")), MODEL, TRAINING)
    return folder


TAME = "[/nope]\u202elike"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("data check DATA", 0),
        ("data describe DATA", 0),
        ("evaluate RUN", 0),
        ("evaluate RUN --against RUN", 0),
        ("recommend RUN --user u1[/b]\u202e", 0),
        ("recommend RUN --user HOSTILE", 0),
        ("recommend RUN --users LIST --to OUT.csv", 0),
        ("recommend RUN --user u1[/b]\u202e --only HOSTILE", 2),
        ("recommend RUN --user u1[/b]\u202e --boost HOSTILE=1", 2),
        ("recommend RUN --user u1[/b]\u202e --deny LIST", 2),
        ("recommend RUN --user u1[/b]\u202e --model HOSTILE", 2),
        ("data check HOSTILE", 2),
        ("run --data HOSTILE", 2),
        ("run --split HOSTILE", 2),
        ("run --model HOSTILE", 2),
        ("run --HOSTILE x", 2),
        ("HOSTILE", 2),
        ("data HOSTILE", 2),
        ("train sasrec --data DATA --out RUN", 2),
        ("train sasrec --data DATA --out NEW --fit.epochs 1 --model.dim 8", 0),
        ("models install HOSTILE", 2),
    ],
)
def test_names_of_the_data_are_shown_inert(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    hostile: Path,
    tmp_path: Path,
    words: str,
    code: int,
) -> None:
    monkeypatch.setenv("COLUMNS", "500")
    (tmp_path / "list").write_text("x[/nope]\u202e\n=y\n")
    places = {
        "DATA": hostile / "data", "RUN": hostile / "run", "OUT": tmp_path / "out",
        "NEW": tmp_path / "new", "LIST": tmp_path / "list", "HOSTILE": HOSTILE,
    }  # fmt: skip
    parts = words.split(" ")
    for name, place in places.items():
        parts = [part.replace(name, str(place)) for part in parts]
    got, out, err = call(capsys, *parts)
    assert got == code, err
    assert not ACTING & set(out + err)
    assert "\nError: fake" not in out + err
    if "train" in parts or "--to" in parts:
        return
    got, out, err = call(capsys, *parts, "--json")
    assert got == code
    assert not ACTING & set(out + err)
    json.loads(out)
