"""Ids and names of a request → what may be listed."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.catalog import Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.data.tables import from_frame
from tastemaker.errors import BadInput
from tastemaker.run.likeness import Likeness
from tastemaker.run.shelf import Shelf
from tastemaker.run.steering import NamedHeads
from tastemaker.run.wishes import Wishes
from tests.run.voices import Voices


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    log = Interactions.from_sequences({"u": ["a", "b", "c"], "v": ["d"]})
    items = pl.DataFrame(
        {
            "item_id": ["b", "a", "x", "c", "y"],
            "title": ["B", "A", "X", None, "Y"],
            "categories": [["Drama", "War"], ["War"], ["Drama"], ["Drama"], None],
        }
    )
    catalog = Catalog.from_table(from_frame(items))
    return Shelf(log, catalog, catalog.align(log.item_ids), np.array([True, True, True, False]))


def wished(shelf: Shelf, wishes: Wishes) -> list[str]:
    mask = shelf.choice(wishes).wished
    assert mask is not None
    return shelf.log.item_ids.filter(pl.Series(mask.numpy())).to_list()


def test_titles_and_items_without_events(shelf: Shelf) -> None:
    assert shelf.titles == ["A", "B", "c", "d"]
    assert shelf.without_events == {"x", "y"}
    assert shelf.unknown(["a", "x", "?", "d"]) == ["?"]


def test_wishes_meet(shelf: Shelf) -> None:
    assert shelf.choice(Wishes()).wished is None
    assert wished(shelf, Wishes(only=["war"])) == ["a", "b"]
    assert wished(shelf, Wishes(only=["War", "Drama"])) == ["a", "b", "c"]
    assert wished(shelf, Wishes(only=["Drama"], allow=["a", "c", "x"], deny=["y"])) == ["c"]
    assert wished(shelf, Wishes(allow=[])) == []


def test_boosts_add_up_over_groups(shelf: Shelf) -> None:
    boosts = shelf.choice(Wishes(boost={"Drama": 0.5, "War": -0.25})).boosts
    assert boosts is not None
    assert boosts.tolist() == [-0.25, 0.25, 0.5, 0.0]
    with pytest.raises(BadInput, match="one group"):
        shelf.choice(Wishes(boost={"Drama": 1, "drama": 1}))


def test_every_unknown_item_is_named_at_once(shelf: Shelf) -> None:
    with pytest.raises(BadInput, match=r"'n0', .*'n9' and 5 more"):
        shelf.choice(Wishes(deny=["a", *(f"n{n}" for n in range(15))]))


def test_an_unknown_group_is_refused_where_it_was_asked_for(shelf: Shelf) -> None:
    for option, wishes in (("--only", Wishes(only=["Fun"])), ("--boost", Wishes(boost={"Fun": 1}))):
        with pytest.raises(BadInput, match="no group 'Fun'") as caught:
            shelf.choice(wishes)
        assert caught.value.where == option


def test_groups_are_named_as_the_data_spell_them(shelf: Shelf) -> None:
    remarks = shelf.remarks(Wishes(only=[" WAR", "war"], boost={"drama ": 1}))
    assert remarks == ["Only from: War.", "Favoured groups: Drama."]
    assert shelf.remarks(Wishes(boost={"drama": -1})) == ["Less of: Drama."]


def test_what_an_answer_says_of_its_wishes(shelf: Shelf) -> None:
    assert shelf.remarks(Wishes()) == []
    remarks = shelf.remarks(Wishes(only=["War"], boost={"Drama": 1}, allow=["a", "d", "x"]))
    assert "War" in remarks[0]
    assert "Drama" in remarks[1]
    assert "2 of 3 allowed items have no training events" in remarks[2]


def test_heads_are_told_from_categories() -> None:
    log = Interactions.from_sequences({"u": ["a", "b"], "v": ["c"]})
    bare = Catalog.empty()
    heads = NamedHeads(Voices(torch.zeros(1, 4, 3)), "voices")
    shelf = Shelf(log, bare, bare.align(log.item_ids), np.ones(3, bool), heads)
    choice = shelf.choice(Wishes(only=["short"], boost={"like": 0.5}))
    assert choice.wished is None and choice.boosts is None
    assert choice.steering is not None
    assert choice.steering.active.tolist() == [True, False, True, False]
    wishes = Wishes(only=["short"], boost={"like": 0.5})
    assert shelf.steers(wishes) and not shelf.steers(Wishes())
    assert shelf.remarks(wishes) == ["Only what short heads say.", "Favoured heads: like."]
    assert "could not be asked" in shelf.remarks(wishes, popular=True)[0]
    assert shelf.choice(Wishes()).steering is None
    with pytest.raises(BadInput, match="no group 'Fun'"):
        shelf.choice(Wishes(only=["Fun"]))


def test_hidden_items_are_left_out_whether_they_are_known_or_not(shelf: Shelf) -> None:
    assert wished(shelf, Wishes(hidden=["a", "nowhere", "x"])) == ["b", "c", "d"]
    assert wished(shelf, Wishes(only=["War"], hidden=["a"])) == ["b"]


def test_items_lie_apart_where_something_says_which_are_alike(shelf: Shelf) -> None:
    with pytest.raises(BadInput) as caught:
        shelf.choice(Wishes(diversify=0.5))
    assert caught.value.where == "--diversify"
    alike = replace(shelf, likeness=Likeness(lambda: np.eye(4)))
    apart = alike.choice(Wishes(diversify=0.5)).spread
    assert apart is not None and apart.weight == 0.5
    assert alike.choice(Wishes()).spread is None


named = st.lists(st.sampled_from("abcdxy"), max_size=4)


@settings(max_examples=40, deadline=None)
@given(
    st.none() | named, named, st.lists(st.sampled_from("abcdxy?"), max_size=4),
    st.lists(st.sampled_from(["War", "drama"]), max_size=2),
)  # fmt: skip
def test_what_may_be_listed_is_what_every_wish_leaves(
    shelf: Shelf, allow: list[str] | None, deny: list[str], hidden: list[str], only: list[str]
) -> None:
    wishes = Wishes(3, allow=allow, deny=deny, hidden=hidden, only=only)
    choice = shelf.choice(wishes)
    groups = {"a": {"War"}, "b": {"drama", "War"}, "c": {"drama"}, "d": set()}
    left = [
        item for item, own in groups.items()
        if item not in {*deny, *hidden} and (allow is None or item in allow)
        and (not only or own & set(only))
    ]  # fmt: skip
    if choice.wished is None:
        assert allow is None and not (deny or hidden or only)
    else:
        assert wished(shelf, wishes) == left
    assert choice.candidates.tolist() == [True, True, True, False]
    assert (choice.first, choice.k, choice.boosts, choice.spread) == (0, 3, None, None)
