"""What is popular and what is new."""

from dataclasses import replace

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.opened import Opened
from tastemaker.serve.web.item_lists import LISTED, item_lists, named


def test_pages_follow_each_other(opened: Opened) -> None:
    one, two = item_lists(opened, 1, 1000), item_lists(opened, 2, 1000)
    assert (one.first, one.after, two.first) == (1, 2, LISTED + 1)
    assert one.latest is not None
    for first, second in ((one.popular, two.popular), (one.latest, two.latest)):
        assert second is not None
        items = [item.item for item in (*first.items, *second.items)]
        assert len(items) == len(set(items))


def test_they_end_where_the_server_says(opened: Opened) -> None:
    assert item_lists(opened, 1, LISTED).after is None
    with pytest.raises(BadInput):
        item_lists(opened, 2, LISTED)


def test_without_times_nothing_is_new(opened: Opened) -> None:
    saved = opened.saved
    log = replace(saved.data.interactions, times=None)
    bare = replace(opened, saved=replace(saved, data=replace(saved.data, interactions=log)))
    assert item_lists(bare, 1, 1000).latest is None


def test_items_are_named_by_title_or_else_id(opened: Opened) -> None:
    assert [one.title for one in named(opened, ["i1", "who"])] == ["Item <1>", "who"]
