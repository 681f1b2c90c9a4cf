"""What a person reads after a training, a search, an encoding and captions."""

from typing import Any

import pytest

from tastemaker.commands.embed_shown import (
    MEASURES,
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
    made = {"items": 2, "side": "both", "dim": 8, "to": "v.parquet", "dropped": 1, "cut": 3}
    show_encoded(made | {"warnings": ["Mind."]})
    out = capsys.readouterr().out
    for told in (
        "2 vectors of pictures and texts, 8 wide",
        "1 bad row left out",
        "3 texts",
        "Mind.",
    ):
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


@pytest.mark.parametrize(("side", "told"), [("picture", "pictures"), ("text", "texts")])
def test_what_vectors_are_made_of_is_said(
    capsys: pytest.CaptureFixture[str], side: str, told: str
) -> None:
    show_encoded(
        {
            "items": 1,
            "side": side,
            "dim": 8,
            "to": "v.parquet",
            "dropped": 0,
            "cut": 0,
            "warnings": [],
        }
    )
    assert capsys.readouterr().out == f"1 vector of {told}, 8 wide: v.parquet\n"


def test_a_measure_that_was_not_made_has_no_row(capsys: pytest.CaptureFixture[str]) -> None:
    show_embedding(RESULTS)
    out = capsys.readouterr().out
    assert "exactly right" not in out and "perplexity of captions" in out


def test_captions_that_went_to_a_file_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    show_captions({"to": "c.csv", "items": 3, "dropped": 2, "warnings": ["Mind."]})
    assert capsys.readouterr().out.splitlines() == [
        "3 captions: c.csv", "2 bad rows left out.", "Mind.",
    ]  # fmt: skip


def test_nothing_found_is_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    show_search({"query": "a\nshoe", "items": [], "dropped": 0, "warnings": []})
    assert "a shoe" in capsys.readouterr().out


def shown(capsys: pytest.CaptureFixture[str], show: Any, answer: dict[str, Any]) -> str:
    show(answer)
    out = capsys.readouterr()
    assert not out.err
    return out.out


@pytest.mark.parametrize(
    "text", ["[red]x[/red]", "[/]", "\x1b]0;title\x07", "a\nb", "[link=x]y", "日本"]
)
def test_texts_of_others_steer_no_terminal(capsys: pytest.CaptureFixture[str], text: str) -> None:
    item = {"item_id": text, "title": text, "score": 0.5, "picture": text}
    answers = [
        shown(capsys, show_search, {"query": text, "items": [item], "dropped": 0,
                                    "warnings": [text]}),
        shown(capsys, show_captions, {"captions": [{"picture": text, "caption": text}],
                                      "warnings": [text]}),
        shown(capsys, show_encoded, {"items": 1, "side": "text", "dim": 8, "to": text,
                                     "dropped": 0, "cut": 0, "warnings": []}),
        shown(capsys, show_embedding, RESULTS | {"warnings": [text], "run": text}),
    ]  # fmt: skip
    for out in answers:
        assert "\x1b" not in out and "\x07" not in out
        if text.startswith("["):
            assert text in out


def test_an_empty_answer_is_shown_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert "red" in shown(
        capsys, show_search, {"query": "red", "items": [], "dropped": 0, "warnings": []}
    )
    assert shown(capsys, show_captions, {"captions": [], "warnings": []}) == ""
    bare = {
        "items": 1,
        "side": "picture",
        "dim": 8,
        "to": "v",
        "dropped": 0,
        "cut": 0,
        "warnings": [],
    }
    assert shown(capsys, show_encoded, bare) == "1 vector of pictures, 8 wide: v\n"


def test_what_was_not_measured_before_has_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, show_embedding, RESULTS | {"before": {}, "warnings": []})
    assert "300.000" not in out and "0.250" in out and "2.000" in out
    row = next(line for line in out.splitlines() if line.startswith("gap"))
    assert row.split()[-1] == "0.500"  # no interval is told of a distance of means


def test_measures_stand_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    after = {name: {"mean": 0.5, "ci95": [0.4, 0.6]} for name in reversed(MEASURES)}
    out = shown(capsys, show_embedding, RESULTS | {"after": after | {"other": {"mean": 9.0}}})
    rows = [line.partition("  ")[0] for line in out.splitlines()]
    assert [row for row in rows if row in MEASURES.values()] == list(MEASURES.values())
    assert "9.000" not in out
