"""What was thought, as a person reads it: narrow, in words, and with no markup acted on."""

from typing import Any

import pytest

from tastemaker.commands.terminal import screen
from tastemaker.commands.thoughts import show_thoughts

ODD = "around [red]x[/red] <b>\x1b[31m" + "y" * 80


def said(verifier: str, trust: float, uncertainty: float = 0.5) -> dict[str, Any]:
    groups = [[ODD, 0.6], ["war · space", 0.3], ["love", 0.001]]
    return {
        "verifier": verifier, "groups": groups, "uncertainty": uncertainty, "entropy": 1.0,
        "trust": trust,
    }  # fmt: skip


def answered(*thoughts: dict[str, Any], considered: dict[str, float] | None = None) -> Any:
    items = [{"title": "One [b]" + "x" * 60, "considered": considered or {}}]
    return {"thoughts": list(thoughts), "items": items}


def thought(*of: dict[str, Any], moved: float = 0.25) -> dict[str, Any]:
    return {"said": list(of), "weight": 0.5, "moved": moved}


def shown(capsys: pytest.CaptureFixture[str], answer: Any) -> str:
    show_thoughts(screen(), answer)
    return capsys.readouterr().out


@pytest.mark.parametrize("width", [80, 100])
def test_every_thought_and_verifier_has_its_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    both = said("text", 0.25), said("collaborative", 0.75)
    answer = answered(thought(*both), thought(*both, moved=1.5), considered={"text: a": 0.5})
    out = shown(capsys, answer)
    assert max(map(len, out.splitlines())) <= width
    assert "\x1b" not in out and "60% around [red]x[/red] <b>" in out
    words = " ".join(out.split())
    assert "30% war · space" in words and "<1% love" in words
    assert all(f"{step} text 60% around" in words for step in (1, 2))
    assert "Uncertainty Trust Moved" in words
    assert words.count("collaborative") == 4  # twice checked, in the sentence, beside the items
    assert "After 2 thoughts the model listens most to collaborative (75%)" in words
    assert "150% of its length" in words


@pytest.mark.parametrize(
    ("uncertainty", "word"),
    [(0.0, "fairly sure"), (0.5, "in doubt"), (0.8, "unsure"), (1.0, "close to guessing")],
)
def test_certainty_is_said_in_words(
    capsys: pytest.CaptureFixture[str], uncertainty: float, word: str
) -> None:
    out = shown(capsys, answered(thought(said("text", 1.0, uncertainty))))
    assert word in " ".join(out.split())
    assert "After 1 thought the" in out


def test_items_have_their_likeliest_group_by_each_verifier(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    checked = thought(said("category", 0.5), said("text", 0.5))
    groups = {"category: War": 0.1, "category: Love": 0.4, "category: Fun": 0.2}
    words = " ".join(shown(capsys, answered(checked, considered=groups)).split())
    assert "40% Love and 2 more" in words
    assert "in no group" in words


def test_what_nothing_checks_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, answered(thought(), thought()))
    assert "2 thoughts" in out and "nothing checks" in " ".join(out.split())
