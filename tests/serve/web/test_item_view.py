"""What the page of an item shows."""

from dataclasses import replace

import numpy as np
import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.serve.opened import Opened
from tastemaker.serve.web.item_view import ItemViews


def test_events_of_an_item_are_counted_over_the_log(opened: Opened) -> None:
    log = opened.saved.data.interactions
    view = ItemViews.of(opened.saved).item("i5")
    inside = log.items == log.item_codes["i5"]
    assert (view.title, view.categories, view.against) == ("Item <5>", ("Odd",), 0)
    assert view.events == int(inside.sum())
    users = [u for u in range(log.num_users) if log.item_codes["i5"] in log.history(u)]
    assert view.users == len(users)
    assert view.strip is not None and view.strip.for_count == view.events


def test_what_else_the_catalogue_says_is_told(opened: Opened) -> None:
    saved = opened.saved
    frame = saved.data.catalog.frame.with_columns(text=pl.lit("Long <b>ago</b>"), title=pl.lit(" "))
    data = replace(saved.data, catalog=Catalog(frame))
    view = ItemViews.of(replace(saved, data=data)).item("i5")
    assert view.title == "i5" and view.words == (("Text", "Long <b>ago</b>"),)


def test_an_item_of_the_catalogue_alone_has_no_events(opened: Opened) -> None:
    saved = opened.saved
    one = saved.data.catalog.frame.head(1).with_columns(item_id=pl.lit("new"))
    data = replace(saved.data, catalog=Catalog(pl.concat([saved.data.catalog.frame, one])))
    view = ItemViews.of(replace(saved, data=data)).item("new")
    assert (view.events, view.users, view.strip) == (0, 0, None)


def test_events_against_it_are_told_apart(opened: Opened) -> None:
    log = opened.saved.data.interactions
    said = np.full(log.num_events, -1, np.int8)
    view = ItemViews(opened.saved, said).item("i5")
    assert view.against == view.events > 0
    assert view.strip is not None and view.strip.for_count == 0
