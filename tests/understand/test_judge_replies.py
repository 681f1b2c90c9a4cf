"""Judges' replies: numbers, none, or not to be read."""

import time

import pytest

from tastemaker.understand.judge_replies import parse_categories, parse_numbers
from tastemaker.understand.taxonomy import Taxonomy


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("0, 2, 4", [0, 2, 4]),
        ("[0,2]", [0, 2]),
        ("3", [3]),
        ("2, 2, 0", [2, 0]),
        ("1, 99", [1]),
        ("NONE", []),
        ("none.", []),
        ("**NONE**", []),
        ("<think>0, 1</think>2", [2]),
        ("The items are:\n0, 1", [0, 1]),
        ("0, 1\n\nNone of the others fits.", [0, 1]),
        ("None of these but 1.", None),
        ("I like 3 of them", None),
        ("", None),
        ("１, ２", None),
    ],
)
def test_numbers_or_none(text: str, want: list[int] | None) -> None:
    assert parse_numbers(text, 5) == want


def test_the_reference_takes_any_none_for_none() -> None:
    assert parse_numbers("0, 1. None of the others.", 5, "reference") == []
    assert parse_numbers("items 0 and 7 and 1", 5, "reference") == [0, 1]
    assert parse_numbers("Nonetheless", 5, "reference") == []
    assert parse_numbers("all", 5, "reference") is None


def test_categories_by_line() -> None:
    small = Taxonomy(("Tea", "Chess"))
    text = "1: tea\n[2]. **Chess**\n3) Wine\n9: Tea\nnonsense"
    assert parse_categories(text, 4, small) == [1, 2, 0, 0]
    assert parse_categories("", 2, small) == [0, 0]


@pytest.mark.parametrize("text", ["1   " * 90_000 + "x", "," * 400_000, "1:" + " " * 400_000])
def test_hostile_replies_take_no_time(text: str) -> None:
    start = time.process_time()
    assert not parse_numbers(text, 5)
    assert parse_categories(text, 3, Taxonomy(("Tea",))) == [0, 0, 0]
    assert time.process_time() - start < 3
