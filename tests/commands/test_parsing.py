"""Words → options: whatever is wrong with them is one typed error of one paragraph, code 2."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.cli import VERBS, main
from tastemaker.commands.parsing import as_error, nearest

LONG = "1" * 31
WRONG = [
    (["train", "sasrec", "--model.heads", "3"], "heads = 3"),
    (["train", "sasrec", "--model.dropout", "nan"], "dropout"),
    (["train", "sasrec", "--fit.lr", "-1"], "lr = -1"),
    (["train", "sasrec", "--fit.lr", "nan"], "nan"),
    (["train", "sasrec", "--fit.weight-decay", "inf"], "weight_decay = inf"),
    (["train", "sasrec", "--fit.metric", "bogus"], "bogus"),
    (["train", "sasrec", "--fit.batch", LONG], "batch = "),
    (["train", "sasrec", "--model", "hstu"], "--model"),
    (["train", "sasrec", "--model=hstu"], "--model"),
    (["train", "sasrec", "--seed", "3", "--fit.seed", "4"], "--fit.seed"),
    (["run", "--seed", "-1"], "seed = -1"),
    (["run", "--seed", LONG], "seed = 1"),
    (["run", "--seed", "x"], "--seed"),
    (["run", "--seed", "1", "--seed", "2"], "twice"),
    (["run", "--on-bad-rows", "drop", "--on_bad_rows=error"], "contradict"),
    (["run", "--repeats", "--no-repeats"], "contradict"),
    (["run", "--split", "last-²"], "last-²"),
    (["run", "--split", "last-0"], "last-0"),
    (["run", "--split", "last-99999999999999999999"], "last-9"),
    (["run", "--out", "."], "--out"),
    (["run", "--out", "runs/.."], "--out"),
    (["run", "--out", "/"], "--out"),
    (["run", "--out", ""], "empty"),
    (["run", "--out="], "empty"),
    (["run", "--data", ""], "empty"),
    (["run", "--data", "/dev/zero"], "device"),
    (["run", "--data", "/dev/null"], "device"),
    (["run", "--data", "pipe"], "device"),
    (["data", "check", "pipe"], "device"),
    (["data", "check", "x" * 5000], "too long"),
    (["run", "--resume"], "--out"),
    (["run", "--model", "sasrek"], "sasrek"),
    (["tune", "sasrec", "--trials", "0"], "trials = 0"),
    (["tune", "sasrec", "--trials", LONG], "trials = 1"),
    (["tune", "sasrec", "--epochs", "0"], "epochs = 0"),
    (["tune", "sasrec", "--resume"], "--out"),
    (["recommend"], "recommend"),
    (["recommend", "r", "--user", "u", "--k", LONG], "k = 1"),
    (["recommend", "r", "--user", "u", "--k", "10**30"], "--k"),
    (["recommend", "r", "--user", "u", "--k", "nan"], "--k"),
    (["recommend", "r", "--user", "u", "--boost", "A=nan"], "A=nan"),
    (["recommend", "r", "--user", "u", "--boost", "A=1", "--boost", "A=2"], "twice"),
    (["recommend", "r", "--user", "u", "--allow", "/dev/zero"], "device"),
    (["recommend", "r", "--users", "pipe", "--to", "a.csv"], "device"),
    (["evaluate", "r", "--metric", "hr@10"], "--against"),
    (["evaluate", "r", "--against"], "--against"),
    (["data", "check", "a", "b"], "b"),
]


@pytest.mark.parametrize(("words", "cause"), WRONG, ids=lambda value: str(value)[:60])
def test_wrong_words_are_one_typed_error(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    cause: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert main(words) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    (told,) = re.findall(r"^(?! *\d+:\d\d  ).*$", shown.err.rstrip("\n"), re.MULTILINE)
    assert told.startswith("Error: ")
    assert cause in shown.err
    assert "Error parsing" not in shown.err
    assert main([*words, "--json"]) == 2
    shown = capsys.readouterr()
    fields = json.loads(shown.out)
    assert fields["error"] == "BadInput"
    assert fields["exit_code"] == 2
    assert fields["fix"]
    assert "Error" not in shown.err
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_folder_that_may_not_be_read_is_said(
    capsys: pytest.CaptureFixture[str], small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert main(["data", "check", str(small_data)]) == 2
    assert "permission" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("reccomend runs/x", "tastemaker recommend"),
        ("evalute", "tastemaker evaluate"),
        ("train sasrek", "tastemaker train sasrec"),
        ("trian hstu", "tastemaker train hstu"),
        ("data chek x", "tastemaker data check"),
        ("dat", "tastemaker data"),
        ("run --sed 3", "--seed"),
        ("train hstu --fit.epoch 3", "--fit.epochs"),
        ("recommend r --usr u", "--user"),
    ],
)
def test_the_nearest_name_is_offered(
    capsys: pytest.CaptureFixture[str], words: str, meant: str
) -> None:
    assert main(words.split()) == 2
    assert f"Did you mean {meant}" in capsys.readouterr().err.replace("`", "")


BOX = """\
╭─ Unrecognized options ──────────────╮
│ Unrecognized options: --sed, 3      │
│ ─────────────────────────────────── │
│ Perhaps you meant:                  │
│     --seed INT                      │
╰─────────────────────────────────────╯
"""
TITLE = """\
 Unrecognized options
 --------------------
  Unrecognized options: --sed, 3
  --------------------
  Perhaps you meant:
      --seed INT
"""


@pytest.mark.parametrize("said", [BOX, TITLE, BOX.replace("--sed,", "\x1b[1m--sed\x1b[0m,")])
def test_what_the_parser_says_is_understood_in_every_dress(said: str) -> None:
    error = as_error(said, "run")
    assert error.what == "Unrecognized options: --sed, 3."
    assert error.fix.startswith("Did you mean --seed? ")


def test_nothing_is_offered_for_what_is_like_nothing() -> None:
    assert nearest(["xyzzy"], list(VERBS)) is None


def test_what_may_be_repeated_may(capsys: pytest.CaptureFixture[str], finished_run: Path) -> None:
    words = ["recommend", str(finished_run), "--user", "u1", "--boost", "Even=1", "--boost"]
    assert main([*words, "Odd=0.5", "--only", "All", "--only", "Odd"]) == 0
    assert "Even, Odd" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--version"], ["-V"]])
def test_the_version(capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    from tastemaker import __version__

    assert main(words) == 0
    assert capsys.readouterr().out == f"tastemaker {__version__}\n"


@pytest.mark.parametrize(
    "words", [["data", "describe", "--json"], ["data", "describe"], ["--help"], ["run", "--help"]]
)
def test_a_reader_that_goes_ends_the_command_quietly(words: list[str]) -> None:
    command = [sys.executable, "-m", "tastemaker.cli", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdout.close()
        said = started.stderr.read().decode()
    assert (started.returncode, said) == (141, "")
