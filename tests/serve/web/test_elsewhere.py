"""Where the other models of a run place the items of a list."""

from tastemaker.run.answers import Answer
from tastemaker.run.wishes import Wishes
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.web.elsewhere import elsewhere


def test_ranks_are_those_of_each_other_models_list(opened: Opened) -> None:
    told = Told("new", (Event("e1", "new", "i1", 1000, "view"),))
    asked = Asked(told, Wishes(5, only=("Odd",)))
    (listed,) = opened.rank([asked])
    assert isinstance(listed, Answer)
    ranks = elsewhere(opened, asked, listed, 10)
    assert list(ranks) == [item.item for item in listed.items]
    (other,) = opened.rank([Asked(told, Wishes(10, only=("Odd",)), "popularity")])
    assert isinstance(other, Answer)
    theirs = {item.item: rank for rank, item in enumerate(other.items, start=1)}
    for item, said in ranks.items():
        assert opened.model not in dict(said)
        assert dict(said).get("popularity") == theirs.get(item)


def test_heads_that_others_do_not_have_leave_them_out(opened: Opened) -> None:
    asked = Asked((), Wishes(3), "popularity")
    (listed,) = opened.rank([asked])
    assert isinstance(listed, Answer)
    nonsense = Asked((), Wishes(3, boost={"Nonsense": 1.0}))
    assert set(elsewhere(opened, nonsense, listed, 10).values()) == {()}
