"""What a terminal shows: text from data is inert, errors are one paragraph, tables are whole."""

import json

import pytest

from tastemaker import show
from tastemaker.errors import BadInput


@pytest.mark.parametrize(
    "text", ["\x1b[31mred", "[bold]x[/bold]", "a\nb\tc", "\x9b2J", "\u202eevil"]
)
def test_text_from_data_cannot_move_the_cursor(text: str) -> None:
    shown = show.plain(text)
    assert shown.plain.isprintable()
    assert not shown.spans


def test_errors_on_the_terminal_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    fault = BadInput("The file is bad: \x1b[2J.", "a.csv", "Mend it.")
    show.error(fault, as_json=False)
    err = capsys.readouterr().err
    assert err == "Error: The file is bad: \\x1b[2J. Where: a.csv. Mend it.\n"
    show.error(fault, as_json=True)
    assert json.loads(capsys.readouterr().out)["where"] == "a.csv"


def test_answers_show_history_beside_recommendations(capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"title": "One [red]"}, {"title": "Two"}]
    found = {
        "user": "7",
        "history": ("Old",),
        "items": items,
        "reason": "Because.",
        "complete": False,
    }
    show.answer(found)
    out = capsys.readouterr().out
    assert "User 7" in out
    assert out.index("Old") < out.index("One [red]") < out.index("Two") < out.index("Because.")
    assert "Only 2 items" in out


def test_a_comparison_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"a": "x", "b": "y", "metric": "hr@10", "users": 1234, "difference": 0.01, "p": 0.02,
             "ci95": [0.001, 0.02], "better": 0.2, "equal": 0.7, "worse": 0.1}  # fmt: skip
    show.evaluation({"comparison": found})
    out = " ".join(capsys.readouterr().out.split())
    assert "+0.0100 [+0.0010, +0.0200]" in out
    assert "1,234 users" in out


def test_metrics_without_interval_or_value(capsys: pytest.CaptureFixture[str]) -> None:
    models = {"a": {"ndcg@10": {"mean": 0.25, "ci95": None}}}
    show.evaluation({"models": models, "best": "a", "why": "Only one.", "warnings": ["Careful."]})
    out = capsys.readouterr().out
    assert "0.2500" in out
    assert "–" in out
    assert "! Careful." in out


def test_dropped_rows_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"name": "n", "interactions": 5, "dropped": 2, "dropped_to": "bad.csv"}
    show.checked(found)
    assert "2 bad rows were left out: bad.csv" in capsys.readouterr().out
