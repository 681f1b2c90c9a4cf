"""What a person reads after a training, a search, an encoding and captions."""

from typing import Any

import pytest

from tastemaker.commands.embed_shown import (
    show_captions,
    show_embedding,
    show_encoded,
    show_search,
)

RESULTS: dict[str, Any] = {
    "model": {"name": "tiny"},
    "data": {"name": "shoes/items.csv", "train": 1, "test": 1200},
    "warnings": ["Mind [bold]this[/bold]."],
    "before": {"perplexity": {"mean": 300.0, "ci95": [1, 2]}},
    "after": {
        "t2i_recall@1": {"mean": 0.25, "ci95": [0.125, 0.5]},
        "perplexity": {"mean": 2.0, "ci95": [1.5, 2.5]},
        "gap": {"mean": 0.5},
    },
    "run": "runs/here",
}


def test_both_measures_stand_beside_each_other_and_text_stays_as_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_embedding(RESULTS)
    out = capsys.readouterr().out
    assert out.startswith("tiny learned from 1 picture of shoes/items.csv, tested on 1,200 others")
    for told in ("Mind [bold]this[/bold].", "0.250", "0.125 to 0.500", "300.000", "2.000", "0.500",
                 "runs/here/report.html"):  # fmt: skip
        assert told in out, told


def test_another_process_has_nothing_to_show(capsys: pytest.CaptureFixture[str]) -> None:
    show_embedding({"run": "runs/here"})
    assert capsys.readouterr().out == ""


def test_answers(capsys: pytest.CaptureFixture[str]) -> None:
    show_encoded({"items": 2, "side": "both", "dim": 8, "to": "v.parquet", "dropped": 1, "cut": 3})
    out = capsys.readouterr().out
    for told in ("2 vectors of pictures and texts, 8 wide", "1 bad row left out", "3 texts"):
        assert told in out, told
    item = {"item_id": "i\x1b[1m", "title": "Shoe [red]", "score": 0.5, "picture": ""}
    long = item | {"title": "word " * 3000}
    show_search({"query": "a shoe", "items": [item, long], "dropped": 2, "warnings": ["Mind."]})
    out = capsys.readouterr().out
    assert "2 bad rows left out" in out and len(out.splitlines()) == 5
    assert "Shoe [red]" in out and "0.500" in out and "Mind." in out and "\x1b[1m" not in out
    show_captions({"captions": [{"picture": "a.png", "caption": "a shoe"}], "warnings": ["Mind."]})
    assert capsys.readouterr().out.splitlines() == ["a.png: a shoe", "Mind."]
    show_captions({"to": "c.csv", "items": 1, "dropped": 0, "warnings": []})
    assert capsys.readouterr().out == "1 caption: c.csv\n"
