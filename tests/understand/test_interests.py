"""Interests of one name are one."""

from tastemaker.understand.interests import Interest, merge


def test_chunks_are_joined_by_name() -> None:
    first = Interest("Sea Kayaking", ("a", "b"), 1, {"explicit_positive": 2}, excerpt="x")
    second = Interest("sea  kayaking ", ("b", "c"), 0, {"explicit_positive": 1})
    other = Interest("Tea", ("d",))
    (joined, tea) = merge([[first], [other, second]])
    assert (joined.name, joined.cited, joined.unread) == ("Sea Kayaking", ("a", "b", "c"), 1)
    assert joined.claimed == {"explicit_positive": 3}
    assert joined.excerpt == "x"
    assert tea == other


def test_the_reference_joins_names_to_the_letter() -> None:
    names = [[Interest("Tea")], [Interest("tea")], [Interest("Tea")]]
    assert [one.name for one in merge(names, "reference")] == ["Tea", "tea"]
    assert len(merge(names)) == 1


def test_counts_are_unknown_where_a_part_that_cites_claims_none() -> None:
    told, silent = Interest("Tea", ("a",), claimed={}), Interest("Tea", ("b",))
    assert merge([[told], [silent]])[0].claimed is None
    assert merge([[silent], [told]])[0].claimed is None
    assert merge([[Interest("Tea")], [told]])[0].claimed == {}


def test_one_readable_part_saves_an_interest() -> None:
    bad, good = Interest("Tea", problem="no list"), Interest("Tea", ("a",))
    assert merge([[bad], [good]])[0].problem == ""
    assert merge([[good], [bad]])[0].problem == ""
    assert merge([[bad], [bad]])[0].problem == "no list"
