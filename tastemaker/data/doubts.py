"""What is not wrong with a log, but makes its numbers mean less: one function a doubt."""

from __future__ import annotations

import numpy as np

from tastemaker.data.interactions import Interactions


def doubts(log: Interactions, lines: bool = False) -> tuple[str, ...]:
    """Every doubt about a log, each a sentence for the user.

    Args:
        log: As it was read.
        lines: It came from rows without times that are no sequences.
    """
    found = [order_of_lines() if lines else None, without_order(log), ready_split(log)]
    return tuple(doubt for doubt in found if doubt)


def order_of_lines() -> str:
    """Events without times, whose order is that of the file."""
    return (
        "The file has ratings but no times, so its lines are taken as the order of events. Models "
        "and splits that go by what came last mean little unless the file is written in order."
    )


def without_order(log: Interactions) -> str | None:
    """Times that do not say which event came first, for more than half of the users.

    Users with one event have no order to lose and do not count.
    """
    if log.times is None or not log.num_events:
        return None
    some = log.lengths > 0
    starts = log.offsets[:-1][some]
    first, last = np.minimum.reduceat(log.times, starts), np.maximum.reduceat(log.times, starts)
    longer = log.lengths[some] > 1
    equal = int((first == last)[longer].sum())
    if 2 * equal <= int(longer.sum()):
        return None
    return (
        f"For {equal:,} of {int(longer.sum()):,} users with several events all of these have the "
        "same time, so only the order of rows says which came first. Models and splits that go by "
        "what came last mean little here; give finer times if there are any."
    )


def ready_split(log: Interactions) -> str | None:
    """A ready-made split, which only `--split given` takes."""
    if log.parts is None:
        return None
    train, valid, test = np.bincount(log.parts, minlength=3)
    held = f"{train:,} train, {valid:,} valid and {test:,} test events"
    without = (
        " (where the last training event of each user with two or more validates, since none is "
        "marked valid)"
    )
    return (
        f"The data come with a ready-made split: {held}. --split given takes it"
        f"{'' if valid else without}; every other split cuts all events anew, by time."
    )
