"""The world of trends: what its knobs promise is in the log."""

from dataclasses import replace

import numpy as np
import polars as pl

from tastemaker.worlds.logs import START
from tastemaker.worlds.trends import DAY, TrendOptions, trend_bursts

SMALL = TrendOptions(users=200, items=120, topics=6)


def sessions(options: TrendOptions) -> tuple[np.ndarray, np.ndarray]:
    """(sessions, session) item numbers and (sessions,) days."""
    frame = trend_bursts(options).frame
    items = frame["item_id"].str.slice(1).cast(pl.Int64).to_numpy()
    days = (frame["timestamp"].to_numpy() - START) // DAY
    return items.reshape(-1, options.session), days.reshape(-1, options.session)[:, 0]


def test_without_trends_a_session_is_about_one_topic() -> None:
    quiet = replace(SMALL, strength=0.0)
    rows, _ = sessions(quiet)
    topics = trend_bursts(quiet).topics[rows]
    assert (topics == topics[:, :1]).all()
    assert all(len(set(row)) == quiet.session for row in rows.tolist())


def test_a_trend_is_taken_with_everything_for_its_days_only() -> None:
    world, (rows, days) = trend_bursts(SMALL), sessions(SMALL)
    trending = (rows[:, :, None] == world.trends[days][:, None]).any(2)
    assert abs(trending.mean() - SMALL.strength) < 0.1, "and a few are of the topic anyway"
    first = world.trends[0]
    shares = [np.isin(rows[days == day], first).mean() for day in range(2 * SMALL.burst)]
    assert min(shares[: SMALL.burst]) > 0.25 > 0.15 > max(shares[SMALL.burst :])
    topics = world.topics[rows[(days < SMALL.burst)]]
    assert len(np.unique(topics[np.isin(rows[days < SMALL.burst], first).any(1)])) == SMALL.topics


def test_a_trend_of_all_events_leaves_nothing_else() -> None:
    world, (rows, days) = (
        trend_bursts(replace(SMALL, strength=1.0)),
        sessions(replace(SMALL, strength=1.0)),
    )
    assert (rows[:, :, None] == world.trends[days][:, None]).any(2).all()


def test_strength_changes_nothing_but_the_trends() -> None:
    worlds = [trend_bursts(replace(SMALL, strength=share)) for share in (0.0, 0.5)]
    assert worlds[0].texts == worlds[1].texts
    assert (worlds[0].topics == worlds[1].topics).all()
    assert worlds[0].frame["timestamp"].equals(worlds[1].frame["timestamp"])
    same = (worlds[0].frame["item_id"] == worlds[1].frame["item_id"]).mean()
    assert abs(float(same or 0) - 0.5) < 0.05


def test_popularity_drifts_as_far_as_it_is_told() -> None:
    def alike(drift: float) -> float:
        rows, days = sessions(replace(SMALL, strength=0.0, drift=drift, users=600))
        parts = rows[days < 3], rows[days >= 27]
        counts = [np.bincount(part.ravel(), minlength=SMALL.items) for part in parts]
        return float(np.corrcoef(*counts)[0, 1])

    assert alike(0.0) > 0.8 > 0.5 > alike(1.0)


def test_texts_tell_the_topic_as_far_as_noise_lets_them() -> None:
    clear, idle = (trend_bursts(replace(SMALL, noise=noise)) for noise in (0.0, 1.0))
    for text, topic in zip(clear.texts, clear.topics, strict=True):
        assert all(word.startswith(f"t{topic}w") for word in text.split())
    assert all(word.startswith("any") for text in idle.texts for word in text.split())


def test_the_log_and_the_catalogue_are_read_and_topics_are_no_part_of_them() -> None:
    world = trend_bursts(SMALL)
    log, items = world.interactions(), world.catalog()
    aligned = items.align(log.item_ids)
    assert aligned.frame["categories"].null_count() == len(aligned.frame)
    assert aligned.texts()[0].startswith("text: ")
    number = int(log.item_ids[0][1:])
    assert world.topic_of(log.item_ids)[0] == world.topics[number]
    assert log.times is not None and log.num_events == len(world.frame)


def test_equal_options_give_equal_worlds() -> None:
    assert trend_bursts(SMALL).frame.equals(trend_bursts(SMALL).frame)
    other = trend_bursts(replace(SMALL, seed=1))
    assert not trend_bursts(SMALL).frame.equals(other.frame)
    assert len(trend_bursts().texts) == TrendOptions().items
