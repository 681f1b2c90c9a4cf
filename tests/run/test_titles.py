"""An item by its id or its title; what is not found is answered with what is near."""

import time

import polars as pl
import pytest

from tastemaker.errors import BadInput
from tastemaker.run.titles import Titles

NAMES = {
    "1": "Alien (1979)",
    "2": "Aliens (1986)",
    "3": "Heat (1972)",
    "4": "Heat (1995)",
    "5": "Matrix, The (1999)",
    "6": "  Star   Wars ",
    "7": "Solaris",
    "8": "solaris",
    "9": "1",
    "10": "Big Sleep, The (1946)",
    "11": "Night of the Living Dead: the Uncut Anniversary Edition in Colour (1968)",
    "12": "Knight of Living",
}


@pytest.fixture(scope="module")
def titles() -> Titles:
    return Titles(pl.Series(list(NAMES)), pl.Series(list(NAMES.values())))


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("1", "1"), ("Alien (1979)", "1"), ("alien", "1"), ("  ALIEN\t(1979) ", "1"),
        ("aliens", "2"), ("heat (1995)", "4"), ("The Matrix", "5"), ("matrix, the", "5"),
        ("the matrix (1999)", "5"), ("star wars", "6"), ("9", "9"), ("the big sleep", "10"),
    ],
)  # fmt: skip
def test_an_item_is_found_by_id_or_title(titles: Titles, text: str, item: str) -> None:
    assert titles.ids[titles.find(text)] == item


@pytest.mark.parametrize(("text", "ids"), [("Heat", "34"), ("SOLARIS", "78")])
def test_of_several_items_of_a_title_each_is_named(titles: Titles, text: str, ids: str) -> None:
    with pytest.raises(BadInput) as caught:
        titles.find(text)
    assert all(f"'{one}'" in caught.value.fix for one in ids)


@pytest.mark.parametrize(
    ("text", "near"),
    [("Alein", "Alien (1979)"), ("alien 3", "Aliens (1986)"), ("Alien (1980)", "Alien (1979)"),
     ("starwars", "Star   Wars"), ("the big slep of", "Big Sleep, The (1946)"),
     ("night of the livng", "Night of the Living Dead"),
     ("the matrx", "Matrix, The (1999)")],
)  # fmt: skip
def test_what_is_not_found_is_answered_with_the_nearest(
    titles: Titles, text: str, near: str
) -> None:
    with pytest.raises(BadInput, match="Did you mean") as caught:
        titles.find(text)
    assert near in caught.value.fix
    assert caught.value.where == "--item"


@pytest.mark.parametrize("text", ["", "   ", "zzzz", "?", "\0", "\ud83d\udc7d", ".*", "$1" * 99])
def test_what_is_like_nothing_is_refused_without_a_guess(titles: Titles, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        titles.find(text)
    assert "Did you mean" not in caught.value.fix


def test_at_most_five_items_are_named() -> None:
    many = Titles(pl.Series([f"i{n}" for n in range(30)]), pl.Series(["Same"] * 30))
    with pytest.raises(BadInput) as caught:
        many.find("same")
    assert "30" in caught.value.what
    assert caught.value.fix.count("id ") == 1 + 5  # "the id of one", then each
    with pytest.raises(BadInput) as caught:
        many.find("sames")
    assert caught.value.fix.count("(id ") == 5


def test_many_titles_answer_a_miss_in_time() -> None:
    words = ["river", "night", "stone", "garden", "winter", "signal", "harbour", "mirror"]
    names = [f"{words[n % 8]} {words[n // 8 % 8]} {n} ({1950 + n % 70})" for n in range(200_000)]
    titles = Titles(pl.Series(map(str, range(-200_000, 0))), pl.Series(names))
    started = time.process_time()
    with pytest.raises(BadInput, match="Did you mean"):
        titles.find("the winter gardn of signals and mirrors and rivers")
    assert time.process_time() - started < 1  # of a million: 2
    assert titles.find("river night 8 (1958)") == 8
