"""One thing, several things: words follow their number."""

import re
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.counts import by_count, counted


@pytest.mark.parametrize(
    ("number", "one", "said"),
    [
        (0, "user", "0 users"),
        (1, "user", "1 user"),
        (2, "test user", "2 test users"),
        (1_200, "history", "1,200 histories"),
        (1, "history", "1 history"),
        (3, "day", "3 days"),
        (2, "process", "2 processes"),
        (2, "index", "2 indexes"),
        (2, "batch", "2 batches"),
    ],
)
def test_words_follow_the_number(number: int, one: str, said: str) -> None:
    assert counted(number, one) == said


def test_words_of_another_form_are_given() -> None:
    assert counted(1, "kind of event", "kinds of events") == "1 kind of event"
    assert counted(5, "kind of event", "kinds of events") == "5 kinds of events"
    assert [by_count(number, "is", "are") for number in (0, 1, 2)] == ["are", "is", "are"]


def test_no_command_says_one_things(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a log as small as a command takes, each of its counts being one where that is possible."""
    monkeypatch.chdir(tmp_path)
    header = "user_id,item_id,timestamp\n"
    rows = {"alone": "u,a,1\n", "short": "u,a,1\nu,b,2\nu,c,3\nv,b,1\nv,c,2\nw,,5\n"}
    for name, lines in rows.items():
        Path(f"{name}.csv").write_text(header + lines)
    Path("deny.txt").write_text("nothing\n")
    Path("users.txt").write_text("nobody\n")
    drop = ["--on-bad-rows", "drop"]
    fit = ["--model.dim", "8", "--model.heads", "1", "--model.history", "1", "--fit.epochs", "1"]
    ask, to = ["recommend", "run", "--user", "u"], ["--users", "users.txt", "--to", "lists.csv"]
    said = ""
    for words, code in (
        (["data", "check", "alone.csv"], 0),
        (["data", "describe", "alone.csv"], 0),
        (["run", "--data", "alone.csv"], 2),
        (["data", "check", "short.csv"], 2),
        (["data", "check", "short.csv", *drop], 0),
        (["train", "sasrec", "--data", "short.csv", "--out", "run", *drop, *fit], 0),
        (["evaluate", "run"], 0),
        (["evaluate", "run", "--against", "run"], 0),
        ([*ask, "-k", "1"], 0),
        ([*ask, "-k", "9"], 0),
        ([*ask, "--deny", "deny.txt"], 2),
        (["recommend", "run", *to], 0),
        (["recommend", "run", *to, "-k", "1"], 0),
    ):
        assert main(words) == code, words
        shown = capsys.readouterr()
        said += f"{shown.out}\n{shown.err}\n"
    said += re.sub("<[^>]+>", " ", Path("run/report.html").read_text().partition("<main>")[2])
    assert "1 bad row was left out" in said
    assert "1 test user" in said
    after = re.findall(r"\b1 (?:test |bad |listed |allowed |training )?(\w+s)\b", said)
    assert set(after) <= {"is", "was", "has", "gets", "lies"}
