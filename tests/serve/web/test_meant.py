"""Which item somebody means."""

import pytest

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.meant import meant


@pytest.mark.parametrize("text", ["i7", "Item <7>", "item <7>", "  ITEM  <7> "])
def test_an_id_or_a_whole_title_means_one_item(opened: Opened, text: str) -> None:
    found = meant(opened, text)
    assert found.item is not None and (found.item.item, found.item.title) == ("i7", "Item <7>")


def test_a_part_of_a_title_leaves_some_to_choose_from(opened: Opened) -> None:
    found = meant(opened, "item")
    assert found.item is None and len(found.near) > 1


def test_a_mistyped_title_is_near(opened: Opened) -> None:
    found = meant(opened, "itme 12")
    assert found.item is None and "i12" in [one.item for one in found.near]


def test_nothing_is_near_nonsense(opened: Opened) -> None:
    assert meant(opened, "zzzzqqqq").near == () and meant(opened, "zzzzqqqq").item is None
