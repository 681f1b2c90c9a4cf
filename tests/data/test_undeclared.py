"""Undeclared events: all of them at once, with a declaration that can be pasted."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration, Polarity
from tastemaker.data.problems import BadData, Problem
from tastemaker.data.undeclared import explained

FIRST = Problem("a.csv", "event", 3, "'buy'", 9, "the event is not declared", "Declare it.")


def test_all_are_counted_and_the_most_frequent_comes_first() -> None:
    found = explained(FIRST, Counter({"buy": 2, "sell": 6, "hold": 2}), Declaration())
    assert "'sell' (6), 'buy' (2), 'hold' (2)" in found.what
    assert (found.row, found.value, found.count) == (3, "'buy'", 9)


def test_what_is_to_be_pasted_is_a_declaration_of_all_events() -> None:
    declared = Declaration(events={"like": "explicit_positive"})
    names = ["buy", 'say "hi"', "é", "a, b"]
    found = explained(FIRST, Counter(names), declared)
    pasted, _ = json.JSONDecoder().raw_decode(found.fix[found.fix.index("{") :])
    assert list(pasted) == ["events"]
    assert set(pasted["events"]) == {"like", *names}
    assert pasted["events"]["like"] == "explicit_positive"
    assert Declaration(**pasted)


def test_more_kinds_than_can_be_declared_are_not_all_listed() -> None:
    events: dict[str, Polarity] = {"view": "implicit_positive"}
    for kinds, most in ((255, False), (256, True)):
        found = explained(
            FIRST, Counter([f"e{n}" for n in range(kinds)]), Declaration(events=events)
        )
        assert ("{" not in found.fix) is most


def pasted(names: list[str], known: bool = True) -> dict[str, str]:
    fix = explained(FIRST, Counter(names), Declaration(), known).fix
    events: dict[str, str] = json.JSONDecoder().raw_decode(fix[fix.index("{") :])[0]["events"]
    return events


def test_names_that_say_no_are_proposed_as_negative() -> None:
    for name in ("dislike", "thumbs_down", "ThumbsDown", "hide", "report", "blocked", "negative"):
        assert pasted([name])[name] == "explicit_negative"
    for name in ("skip", "track skipped", "return", "refund", "unlike", "uninstall", "removed",
                 "remove_from_cart", "RemoveFromCart"):  # fmt: skip
        assert pasted([name])[name] == "implicit_negative"
    for name in ("buy", "like", "add_to_cart", "skipper_view", "blockbuster", "thumbs up"):
        assert pasted([name])[name] == "implicit_positive"


def test_only_events_that_occur_are_proposed(tmp_path: Path) -> None:
    assert pasted(["buy"], known=False) == {"buy": "implicit_positive"}
    for kinds, want in (("buy skip", {"buy", "skip"}), ("buy view", {"buy", "view"})):
        rows = "".join(f"u,{n},{n},{kind}\n" for n, kind in enumerate(kinds.split()))
        (tmp_path / "log.csv").write_text("user_id,item_id,timestamp,event\n" + rows)
        with pytest.raises(BadData) as caught:
            load(tmp_path / "log.csv")
        fix = caught.value.problems[0].fix
        assert set(json.JSONDecoder().raw_decode(fix[fix.index("{") :])[0]["events"]) == want
