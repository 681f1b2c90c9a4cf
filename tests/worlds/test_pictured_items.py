"""A shop whose items have pictures."""

import io
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.datasets import load
from tastemaker.errors import BadInput
from tastemaker.worlds.pictured_items import PICTURES, Shop, ShopOptions, pictured_shop, png
from tastemaker.worlds.sprites import shapes

SMALL = ShopOptions(users=80, items=120, seed=3)


@pytest.fixture(scope="module")
def shop() -> Shop:
    return pictured_shop(shapes(8), SMALL)


def rows_of(shop: Shop) -> np.ndarray:
    """(U, L) numbers of items."""
    numbers = shop.frame["item_id"].str.slice(1).cast(pl.Int64).to_numpy()
    return numbers.reshape(SMALL.users, -1)


def test_equal_options_are_equal_shops(shop: Shop) -> None:
    again = pictured_shop(shapes(8), SMALL)
    assert again.frame.equals(shop.frame) and again.titles == shop.titles
    assert np.array_equal(again.images, shop.images)
    other = pictured_shop(shapes(8), ShopOptions(users=80, items=120, seed=4))
    assert not other.frame.equals(shop.frame) and other.things != shop.things
    others = pictured_shop(shapes(8), ShopOptions(users=80, items=120, seed=3, people=1))
    assert not others.frame.equals(shop.frame)
    assert others.titles == shop.titles and np.array_equal(others.images, shop.images)


def test_new_items_are_of_the_newest_events_alone(shop: Shop) -> None:
    rows = rows_of(shop)
    assert not shop.new[rows[:, : SMALL.events]].any()
    assert shop.new[rows[:, SMALL.events :]].all() and shop.new.sum() == 30
    assert all(len(set(row)) == len(row) for row in rows.tolist())
    times = shop.frame["timestamp"].to_numpy().reshape(SMALL.users, -1)
    assert (np.diff(times, axis=1) > 0).all()
    assert times[:, : SMALL.events].max() < times[:, SMALL.events :].min()


def test_people_take_what_shows_what_they_like(shop: Shop) -> None:
    shown = [{(t.kind, t.large) for t in things} for things in shop.things]
    rows = rows_of(shop)
    mine = [_shared([shown[i] for i in row]) for row in rows]
    others = np.random.default_rng(0).permutation(rows.ravel()).reshape(rows.shape)
    theirs = [_shared([shown[i] for i in row]) for row in others]
    assert np.mean(mine) > np.mean(theirs) + 0.2


def _shared(shown: list[set[tuple[int, bool]]]) -> float:
    """Share of items that show one of the two things seen most often among them."""
    every = [thing for things in shown for thing in things]
    best = sorted(set(every), key=every.count)[-2:]
    return float(np.mean([bool(things & set(best)) for things in shown]))


def test_captions_say_what_is_seen_and_titles_seldom(shop: Shop) -> None:
    for caption, things in zip(shop.captions, shop.things, strict=True):
        assert all(shop.names[thing.kind] in caption for thing in things)
        assert caption.count(" and ") == len(things) - 1
    telling = [any(name in title for name in shop.names) for title in shop.titles]
    assert 0.1 < np.mean(telling) < 0.5


def test_it_is_written_as_a_data_folder(shop: Shop, tmp_path: Path) -> None:
    shop.write(tmp_path / "shop", captions=True)
    data = load(tmp_path / "shop")
    assert data.interactions.num_events == len(shop.frame)
    catalog = data.catalog.align(pl.Series(shop.ids))
    paths = catalog.pictures()
    assert catalog.frame["text"].to_list() == shop.captions
    assert {path.parent for path in paths if path} == {tmp_path / "shop" / PICTURES}
    image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
    for path, pixels in zip(paths[:5], shop.images, strict=False):
        assert np.array_equal(np.asarray(image.open(path)), pixels)
    assert shop.catalog(tmp_path / "shop").frame["text"].null_count() == len(shop.ids)


def test_a_png_may_have_any_sides() -> None:
    image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
    pixels = np.arange(15, dtype=np.uint8).reshape(3, 5)
    assert np.array_equal(np.asarray(image.open(io.BytesIO(png(pixels)))), pixels)


@pytest.mark.parametrize(
    "options", [{"items": 10}, {"noise": 2.0}, {"new": 0.0}, {"users": 0}, {"newest": 0}]
)
def test_what_makes_no_shop_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        ShopOptions(**options)  # type: ignore[arg-type]


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_every_grey_picture_comes_back(height: int, width: int, seed: int) -> None:
    image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)
    with image.open(io.BytesIO(png(pixels))) as picture:
        picture.load()
        assert picture.mode == "L" and np.array_equal(np.asarray(picture), pixels)


@pytest.mark.parametrize(
    "options",
    [{"likes": 500}, {"noise": 0.0}, {"noise": 1.0}, {"told": 0.0}, {"most": 1}, {"users": 1},
     {"events": 90, "newest": 30}],
    ids=str,
)  # fmt: skip
def test_knobs_at_their_ends_make_a_shop(options: dict[str, float]) -> None:
    """Users who like everything, too; nobody takes an item twice."""
    given_ = {"users": 20, "items": 120} | options
    some = ShopOptions(**given_)  # type: ignore[arg-type]
    shop = pictured_shop(shapes(6), some)
    rows = shop.frame["item_id"].to_numpy().reshape(some.users, some.events + some.newest)
    assert all(len(set(row)) == len(row) for row in rows.tolist())
    assert set(rows.ravel()) <= set(shop.ids)
    if some.told == 0:
        assert not any(name in title for name in shop.names for title in shop.titles)
    assert max(map(len, shop.things)) <= some.most


@pytest.mark.parametrize(
    "options",
    [{"new": 1.0}, {"told": -0.1}, {"noise": float("nan")}, {"likes": 0}, {"events": 1},
     {"items": 0}, {"new": 0.005}],
    ids=str,
)  # fmt: skip
def test_more_of_what_makes_no_shop_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        ShopOptions(**options)  # type: ignore[arg-type]


def test_who_likes_nothing_in_particular_takes_what_is_popular() -> None:
    """With noise alone what items show does not matter, and popular ones are taken by many."""
    shop = pictured_shop(shapes(6), ShopOptions(users=200, items=120, noise=1.0))
    taken = shop.frame["item_id"].value_counts()["count"]
    assert taken.max() > 3 * taken.median()
