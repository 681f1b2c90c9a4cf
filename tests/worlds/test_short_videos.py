"""The world of short videos holds what it says: each kind of event follows its own wish."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.datasets import load
from tastemaker.data.declaration import is_positive
from tastemaker.data.groupings import Grouping
from tastemaker.data.splits import last_events, leave_one_out
from tastemaker.errors import BadInput
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend.counting import COUNTING
from tastemaker.worlds.short_videos import DECLARED, ShortVideos, short_videos
from tastemaker.worlds.wishes import CATEGORIES, KINDS

USERS = np.arange(600)


@pytest.fixture(scope="module")
def world() -> ShortVideos:
    return short_videos(users=600, length=150, items=1200)


def of_kind(world: ShortVideos, matrix: np.ndarray, kind: str) -> float:
    """Mean over the events of a kind."""
    return float(matrix[world.truth.kinds == KINDS.index(kind)].mean())


def categories(world: ShortVideos) -> np.ndarray:
    return world.truth.categories[world.rows]


def in_taste(world: ShortVideos) -> np.ndarray:
    return world.truth.tastes[USERS[:, None], categories(world)] > 0


def flat(world: ShortVideos) -> ShortVideos:
    """The same log, told with tastes that are everybody's."""
    tastes = np.broadcast_to(world.truth.tastes.mean(0), world.truth.tastes.shape)
    return replace(world, truth=replace(world.truth, tastes=tastes))


def test_equal_arguments_give_equal_worlds() -> None:
    one, two = (short_videos(30, 20, 100, seed=3) for _ in range(2))
    assert one.frame.equals(two.frame)
    assert (one.truth.weights == two.truth.weights).all()
    assert not one.frame.equals(short_videos(30, 20, 100, seed=4).frame)


@pytest.mark.parametrize("sizes", [(40, 30, 400), (7, 60, 60), (1, 1, 60)])
def test_sizes_are_as_asked_and_nobody_meets_a_video_twice(sizes: tuple[int, int, int]) -> None:
    users, length, items = sizes
    made = short_videos(*sizes)
    assert made.frame.columns == ["user_id", "item_id", "timestamp", "event"]
    assert len(made.frame) == users * length
    assert made.frame["user_id"].n_unique() == users
    assert not made.frame.select("user_id", "item_id").is_duplicated().any()
    assert len(made.catalog().frame) == items


@pytest.mark.parametrize("sizes", [(5, 61, 60), (5, 10, 20)])
def test_too_few_videos_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(BadInput, match="too few"):
        short_videos(*sizes)


def test_the_frame_tells_the_events_oldest_first(world: ShortVideos) -> None:
    log = world.interactions()
    assert log.num_events == world.rows.size
    assert log.times is not None
    for user in (0, 17, 599):
        ids = log.decode(log.history(log.user_codes[f"u{user}"]))
        assert ids == [f"v{number}" for number in world.rows[user]]
    clock = world.frame["timestamp"].to_numpy().reshape(world.rows.shape)
    gaps, new = np.diff(clock, axis=1), np.diff(world.truth.days, axis=1) == 1
    assert (gaps[~new] == 30).all()
    assert (gaps[new] > 3600).all(), "a session stands apart by its time"


def test_kinds_of_events_are_as_frequent_as_said(world: ShortVideos) -> None:
    shares = dict(world.frame["event"].value_counts(normalize=True).iter_rows())
    wanted = {"view": 0.66, "like": 0.15, "share": 0.04, "skip": 0.15}
    assert shares == pytest.approx(wanted, abs=0.01)


def test_skips_are_negative_and_no_positives(world: ShortVideos) -> None:
    data = world.dataset()
    assert set(DECLARED.events) == set(KINDS)
    assert not is_positive(DECLARED.events["skip"])
    assert DECLARED.positive_events == KINDS[:3]
    learnt = data.positives()
    skips = world.frame.filter(pl.col("event") == "skip")
    assert learnt.num_events == data.interactions.num_events - len(skips)
    assert learnt.events is not None
    assert {learnt.event_names[code] for code in np.unique(learnt.events)} == set(KINDS[:3])
    assert data.refused().num_events == 0, "a skip is no refusal"


def test_the_catalogue_groups_videos_by_category_and_rare_ones_exist(world: ShortVideos) -> None:
    log = world.interactions()
    grouping = Grouping.from_categories(world.catalog(), log.item_ids)
    assert set(grouping.names) == set(CATEGORIES)
    shares = dict(zip(grouping.names, grouping.shares(np.bincount(log.items)[1:]), strict=True))
    assert max(shares, key=lambda name: shares[name]) == CATEGORIES[0]
    assert min(shares.values()) < 0.06


def test_a_written_folder_is_read_as_the_same_data(world: ShortVideos, tmp_path: Path) -> None:
    world.write(tmp_path / "videos")
    read, made = load(tmp_path / "videos"), world.dataset()
    assert read.interactions.sha256 == made.interactions.sha256
    assert read.declared == made.declared
    assert read.catalog.frame.equals(made.catalog.frame)


def test_views_follow_the_session_and_likes_do_not(world: ShortVideos) -> None:
    interest = categories(world) == world.truth.interests
    assert of_kind(world, interest, "view") > 0.65
    assert of_kind(world, interest, "like") < 0.4
    assert of_kind(world, interest, "share") < 0.4


def test_likes_fall_into_tastes_more_than_views_do(world: ShortVideos) -> None:
    taste = in_taste(world)
    assert of_kind(world, taste, "like") > 0.8
    assert of_kind(world, taste, "like") > of_kind(world, taste, "view") + 0.15
    assert of_kind(world, taste, "view") > of_kind(world, taste, "share")
    own = world.truth.styles[world.rows] == world.truth.favourites[:, None]
    assert of_kind(world, own, "like") > 0.6 > 0.3 > of_kind(world, own, "view")


def test_shares_are_of_the_circle_and_of_what_is_made_for_sharing(world: ShortVideos) -> None:
    circle = categories(world) == world.truth.circles[:, None]
    made = world.truth.shareable[world.rows]
    assert of_kind(world, circle, "share") > 0.55 > 0.1 > of_kind(world, circle, "view")
    assert of_kind(world, made, "share") > 0.6 > 0.2 > of_kind(world, made, "view")


def test_skips_are_off_both_wishes(world: ShortVideos) -> None:
    interest = categories(world) == world.truth.interests
    # Where a category is used up the skipped video comes from another.
    assert of_kind(world, interest | in_taste(world), "skip") < 0.02


def test_views_are_of_what_has_its_wave(world: ShortVideos) -> None:
    weights, base = world.truth.weights[world.truth.days, world.rows], world.truth.weights[:-5]
    lifted = weights > 2 * base.min(0)[world.rows]
    assert of_kind(world, lifted, "view") > 2 * of_kind(world, lifted, "like")


def test_far_events_are_told_by_tastes_and_near_ones_by_the_session(world: ShortVideos) -> None:
    last = world.truth.interests[:, -11]
    near, far = (categories(world)[:, step] == last for step in (-10, -1))
    assert near.mean() > far.mean() + 0.15
    assert in_taste(world)[:, -1].mean() > far.mean() + 0.1


def test_tastes_are_read_from_many_events_only(world: ShortVideos) -> None:
    """Categories that new sessions and single events turn to, by how rare they are."""
    where, main = categories(world), world.truth.tastes.argmax(1)

    def told(events: int) -> float:
        late = where[:, -events:]
        turned = np.where(late[:, 1:] != late[:, :-1], late[:, 1:], -1)
        turns = (turned[:, :, None] == np.arange(len(CATEGORIES))).sum(1)
        lift = turns / (2 + events / 3 * world.truth.sizes)
        return float((lift.argmax(1) == main).mean())

    assert told(10) < 0.45
    assert told(150) > told(20) + 0.15


@pytest.mark.parametrize("ahead", [0, 1, 7])
def test_chances_are_of_what_then_happens(world: ShortVideos, ahead: int) -> None:
    expected, happened = np.zeros(len(CATEGORIES)), np.zeros(len(CATEGORIES))
    for step in (1, 40, 149 - ahead):
        users = USERS[world.truth.kinds[:, step + ahead] < 3]
        steps = np.full(len(users), step)
        chances = world.chances(users, steps, ahead=ahead)
        assert chances.sum(1) == pytest.approx(1)
        for user in users[:5]:
            assert (chances[np.searchsorted(users, user), world.rows[user, :step]] == 0).all()
        expected += np.bincount(world.truth.categories, chances.sum(0))
        then = categories(world)[users, step + ahead]
        happened += np.bincount(then, minlength=len(CATEGORIES))
        likely = chances[:, world.truth.categories == 0].sum(1)
        assert likely[then == 0].mean() > likely[then != 0].mean()
    assert (np.abs(expected - happened) < 4 * np.sqrt(expected)).all()


def test_knowing_tastes_tells_likes(world: ShortVideos) -> None:
    liked = [(user, np.flatnonzero(row == 1)[-1]) for user, row in enumerate(world.truth.kinds)]
    users, steps = np.array(liked).T
    own = users, world.rows[users, steps]
    each = np.arange(len(users))
    known, unknown = (
        np.log(made.chances(users, steps)[each, own[1]]).mean() for made in (world, flat(world))
    )
    assert known > unknown + 0.2
    alone = world.chances(users, steps, ("like",))[each, own[1]]
    assert np.log(alone).mean() > known + 0.5, "the kind of the event tells most"


def test_the_ceiling_stands_above_counting_and_counting_above_popularity(
    world: ShortVideos,
) -> None:
    log = world.dataset().positives()
    cuts = leave_one_out(log)
    found = {}
    for name in ("popularity", "co-occurrence"):
        fitted = COUNTING[name].fit(cuts.train(), log.num_items)
        found[name] = evaluate(fitted, cuts.queries("test"), EvalOptions((10,))).mean("hr@10")
    ceiling = world.ceiling()
    assert ceiling["hr@10"] > found["co-occurrence"] + 0.05
    assert found["co-occurrence"] > found["popularity"] + 0.02
    assert ceiling["hr@10"] > ceiling["ndcg@10"] > 0
    assert world.ceiling(1)["hr@1"] < ceiling["hr@10"] < world.ceiling(50)["hr@50"]


def test_a_longer_context_tells_more_of_what_comes_later(world: ShortVideos) -> None:
    log = world.dataset().positives()
    cuts = last_events(log, 10)

    def found(reach: int) -> float:
        fitted = COUNTING["item-knn"].fit(cuts.train(), log.num_items, reach=reach)
        return evaluate(fitted, cuts.queries("test"), EvalOptions((10,))).mean("ndcg@10")

    assert found(150) > 1.1 * found(20)


def test_a_large_world_takes_seconds() -> None:
    start = time.process_time()
    short_videos()
    assert time.process_time() - start < 5
