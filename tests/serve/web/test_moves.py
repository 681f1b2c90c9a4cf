"""How a list moved."""

from tastemaker.run.answers import Answer, Recommendation
from tastemaker.serve.web.moves import moved, placed


def answer(*items: str) -> Answer:
    listed = tuple(Recommendation(item, item.upper(), 0.5, ()) for item in items)
    return Answer("u", True, "blend", "why", (), listed, True)


def test_a_list_alone_has_ranks_and_no_changes() -> None:
    moves = placed(answer("a", "b"), first=11)
    assert [place.rank for place in moves.places] == [11, 12]
    assert not moves.compared and not moves.words and not moves.places[0].moved


def test_items_are_new_up_down_or_where_they_were() -> None:
    moves = moved(answer("a", "d", "b", "x"), answer("a", "b", "c", "d", "e", "y"))
    assert [place.change for place in moves.places] == ["", "up", "down", "new"]
    assert [place.moved for place in moves.places] == ["", "up 2", "down 1", "new here"]
    assert [item.item for item in moves.gone] == ["c"]
    assert moves.words == "1 new, 1 up, 1 down."


def test_an_item_that_stood_beyond_the_list_says_where() -> None:
    moves = moved(answer("c", "a"), answer("a", "b", "c"))
    assert (moves.places[0].change, moves.places[0].before) == ("new", 3)
    assert moves.places[0].moved == "new, was 3"
    assert [item.item for item in moves.gone] == ["b"]


def test_a_list_that_stays_says_so() -> None:
    moves = moved(answer("a"), answer("a", "b"))
    assert moves.compared and moves.words == "The list stays as it was." and not moves.gone
