"""Wishes give every video a chance, and the planted ones are of the sizes that are said."""

import numpy as np
import pytest

from tastemaker.worlds.wishes import (
    CATEGORIES,
    CHANCE,
    KINDS,
    MIX,
    STYLES,
    SWITCH,
    TASTES,
    Wishes,
    plant,
)

USERS = np.arange(400)


@pytest.fixture(scope="module")
def wishes() -> Wishes:
    return plant(400, 60, 600, np.random.default_rng(0))


def kinds_of(name: str) -> np.ndarray:
    return np.full(len(USERS), KINDS.index(name))


def interests_of(wishes: Wishes) -> np.ndarray:
    return np.eye(len(CATEGORIES))[wishes.interests[:, 0]]


def test_chances_of_kinds_and_sources_are_whole() -> None:
    assert CHANCE.sum() == pytest.approx(1)
    assert MIX.sum(1) == pytest.approx(1)
    assert TASTES.sum() == pytest.approx(1)


def test_rare_categories_exist(wishes: Wishes) -> None:
    assert len(wishes.sizes) == len(CATEGORIES)
    assert (np.diff(wishes.sizes) <= 0.002).all(), "from the largest to the rarest"
    assert wishes.sizes[0] > 5 * wishes.sizes[-1] > 0


def test_a_user_has_three_tastes_one_style_and_another_circle(wishes: Wishes) -> None:
    assert np.sort(wishes.tastes, 1)[:, -3:] == pytest.approx(np.tile(TASTES[::-1], (400, 1)))
    assert (wishes.tastes[USERS, wishes.circles] == 0).all()
    assert set(wishes.favourites) == set(wishes.styles) == set(range(STYLES))


def test_an_interest_lasts_a_session_and_each_session_has_its_day(wishes: Wishes) -> None:
    new = np.diff(wishes.days, axis=1)
    assert set(np.unique(new)) == {0, 1}
    assert abs((new == 1).mean() - SWITCH) < 0.01
    assert (np.diff(wishes.interests, axis=1)[new == 0] == 0).all()
    begun = wishes.interests[:, 1:][new == 1]
    taste = wishes.tastes[np.nonzero(new == 1)[0], begun] > 0
    assert 0.5 < taste.mean() < 0.75, "half of them by taste, others by lot"


@pytest.mark.parametrize("kind", KINDS)
def test_aims_are_chances(wishes: Wishes, kind: str) -> None:
    aims = wishes.aims(USERS, kinds_of(kind), interests_of(wishes))
    assert aims.shape == (400, len(CATEGORIES))
    assert (aims >= 0).all()
    assert aims.sum(1) == pytest.approx(1)


def test_each_kind_aims_at_its_own_wish(wishes: Wishes) -> None:
    interests = interests_of(wishes)
    aims = {kind: wishes.aims(USERS, kinds_of(kind), interests) for kind in KINDS}
    main, now = wishes.tastes.argmax(1), wishes.interests[:, 0]
    assert (aims["view"][USERS, now] >= 0.65).all()
    assert (aims["like"][USERS, main] >= 0.4).all()
    assert (aims["share"][USERS, wishes.circles] >= 0.65).all()
    assert (aims["skip"][USERS, now] == 0).all()
    assert (aims["skip"][wishes.tastes > 0] == 0).all()


def test_what_counts_within_a_category_differs_by_kind(wishes: Wishes) -> None:
    day = np.zeros(400, np.int64)
    rows = {kind: wishes.tables(USERS, kinds_of(kind), day) for kind in KINDS}
    assert (rows["view"] == rows["skip"]).all()
    assert (wishes.tables(USERS, kinds_of("view"), day + 3) == 3).all()
    likes = wishes.weights[rows["like"]]
    own = wishes.styles == wishes.favourites[:, None]
    assert likes[own].mean() > 10 * likes[~own].mean()
    shares = wishes.weights[rows["share"][0]]
    assert shares[wishes.shareable].min() > 10 * shares[~wishes.shareable].max()
    assert 0.08 < wishes.shareable.mean() < 0.12


def test_waves_last_three_days_and_reach_every_video(wishes: Wishes) -> None:
    views = wishes.weights[: wishes.num_days]
    assert wishes.days.max() == wishes.num_days - 2
    assert len(wishes.weights) == wishes.num_days + STYLES + 1
    high = views > 2 * views.min(0)
    assert high.any(0).all()
    assert high.sum(0).max() == 3


def test_a_spread_keeps_to_categories_and_leaves_out_what_was_seen(wishes: Wishes) -> None:
    seen = np.random.default_rng(1).random((400, 600)) < 0.3
    aims = wishes.aims(USERS, kinds_of("like"), interests_of(wishes))
    chances = wishes.spread(aims, wishes.tables(USERS, kinds_of("like"), wishes.days[:, 0]), seen)
    assert chances.sum(1) == pytest.approx(1)
    assert (chances[seen] == 0).all()
    assert (chances[~seen] > 0).all()
    in_category = chances @ np.eye(len(CATEGORIES))[wishes.categories]
    assert in_category == pytest.approx(aims)


def test_what_a_used_up_category_would_get_goes_to_the_others(wishes: Wishes) -> None:
    users, rarest = np.arange(1), len(CATEGORIES) - 1
    seen = (wishes.categories == rarest)[None]
    aims = np.eye(len(CATEGORIES))[[rarest]]
    chances = wishes.spread(aims, wishes.tables(users, users, users), seen)
    assert chances.sum() == pytest.approx(1)
    assert (chances[~seen] > 0).all()
