"""Categories: one meaning in every spelling, and nothing guessed."""

import polars as pl
import pytest

from tastemaker.data.categories import fold, read_lists, unify


def names(*texts: str | None) -> list[list[str] | None]:
    lists, bad = read_lists(pl.Series(texts, dtype=pl.String))
    assert not bad, bad
    return unify(lists).to_list()


@pytest.mark.parametrize(
    "text",
    [
        "Drama|War",
        " Drama | War ",
        "Drama, War",
        "Drama,War",
        "['Drama', 'War']",
        '["Drama", "War"]',
        "[ 'Drama',\"War\", ]",
        "Drama|War|",
        "drama|WAR|War",
        "Drama|(no genres listed)|War",
    ],
)
def test_two_categories_in_every_spelling(text: str) -> None:
    both = ["Drama", "War"]
    assert [fold(name) for name in names(text)[0] or []] == ["drama", "war"]
    assert names("Drama|War", "Drama", "War", text)[3] == both
    assert names("Drama, War", "Drama", "War", text)[3] == both
    assert names('["Drama", "War"]', "Drama", "War", text)[3] == both


@pytest.mark.parametrize("text", ["", " ", "|", ",", "[]", "(no genres listed)", '[""]', " | "])
def test_no_category(text: str) -> None:
    assert names(text, None) == [[], None]


def test_the_most_frequent_spelling_is_shown_and_the_first_of_equals() -> None:
    assert names("sci-fi", "Sci-Fi", "SCI-FI|x", "Sci-Fi") == [
        ["Sci-Fi"],
        ["Sci-Fi"],
        ["Sci-Fi", "x"],
        ["Sci-Fi"],
    ]
    assert names("b", "B") == [["b"], ["b"]]
    assert names("Film\u00a0 Noir", "cafe\u0301|Film Noir", "café") == [
        ["Film Noir"],
        ["cafe\u0301", "Film Noir"],
        ["cafe\u0301"],
    ]


def test_commas_inside_names_are_kept_where_bars_or_lists_say_so() -> None:
    assert names("Action, Adventure|War", "Action, Adventure", "War") == [
        ["Action, Adventure", "War"],
        ["Action, Adventure"],
        ["War"],
    ]
    assert names("['Home, Garden', 'Tools']", "home, garden") == [
        ["Home, Garden", "Tools"],
        ["Home, Garden"],
    ]
    # Nothing says that these are two names, and the column parts by bars.
    assert names("Tools|War", "Arts, Crafts") == [["Tools", "War"], ["Arts, Crafts"]]


def test_apostrophes_and_escapes() -> None:
    assert names("""["Children's", 'Rock \\'n\\' Roll', 'a"b']""") == [
        ["Children's", "Rock 'n' Roll", 'a"b']
    ]
    assert names('["caf\\u00e9", "a\\\\b"]') == [["café", "a\\b"]]
    assert names("Children's|War") == [["Children's", "War"]]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("['Drama' 'War']", "list"),  # as numpy prints it; Python would read 'DramaWar'
        ("[Drama, War]", "list"),
        ("[1, 2]", "list"),
        ("['Drama', ['War']]", "list"),
        ("['Drama', None]", "list"),
        ("['Drama', 'War", "list"),
        ("{'Drama', 'War'}", "list"),
        ("('Drama', 'War')", "list"),
        ("array(['Drama', 'War'], dtype=object)", "list"),
        ("[{'name': 'Drama'}]", "list"),
        ("['caf\\xe9']", "list"),
        ("Drama, Crime", "comma"),
    ],
)
def test_what_cannot_be_read_safely(text: str, cause: str) -> None:
    _, bad = read_lists(pl.Series(["Drama|War", text, None, text]))
    ((rows, what, fix),) = bad
    assert rows.to_list() == [False, True, False, True]
    assert cause in what
    assert "|" in fix


def test_lists_are_unified_too() -> None:
    lists = pl.Series([["Drama ", "drama", ""], [None, "War"], [], None, ["DRAMA", "Drama "]])
    assert unify(lists).to_list() == [["Drama"], ["War"], [], None, ["Drama"]]


def test_many_rows_of_few_texts() -> None:
    column = pl.Series(["a|b", "B", None] * 1000)
    lists, _ = read_lists(column)
    assert unify(lists).to_list() == [["a", "b"], ["b"], None] * 1000
