"""How an experiment went: arms, differences from the control with intervals, and one verdict.

One question decides, chosen before anybody looked: which share of users did something positive
within the window after they were first exposed. The other numbers help to understand it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import polars as pl

from tastemaker.counts import by_count, counted
from tastemaker.files import JsonObject
from tastemaker.metrics.comparisons import WIDEST
from tastemaker.metrics.unpaired import (
    LEVEL,
    POWER,
    Ends,
    Sample,
    any_time,
    detectable,
    mean_difference,
    mean_interval,
    sample_ratio,
    share_difference,
    share_interval,
)
from tastemaker.run.saved import SavedRun
from tastemaker.serve.database import Database
from tastemaker.serve.events import MICROSECONDS, microseconds
from tastemaker.serve.experiment_counts import Counts, counts_of, window_of, written
from tastemaker.serve.experiments import settled_shares

Verdict = Literal["better", "worse", "no difference", "underpowered", "withheld"]

WINDOW = "7d"
DECIDES = "conversion"
BROKEN = 0.001
"""p below which arms do not have the users they should."""


@dataclass(frozen=True)
class Metric:
    """A number of each user."""

    counts: str
    """column of the counts"""
    share: bool
    """whether only some or none counts: the mean is the share of users with some"""

    def of(self, users: pl.DataFrame) -> Sample:
        """Of the users of an arm."""
        column = users[self.counts]
        return Sample.of((column > 0 if self.share else column).to_numpy())

    def interval(self, arm: Sample, level: float) -> Ends | None:
        """Of an arm's mean."""
        return (share_interval if self.share else mean_interval)(arm, level)

    def difference(self, arm: Sample, control: Sample, level: float) -> Ends | None:
        """Of an arm's mean minus the control's."""
        return (share_difference if self.share else mean_difference)(arm, control, level)


METRICS: dict[str, Metric] = {
    "conversion": Metric("positives", True),
    "positives per user": Metric("positives", False),
    "hit": Metric("hits", True),
    "hits per user": Metric("hits", False),
}
"""Name → what it counts. Hits are positive events on an item that was shown before."""


class HasDatabase(Protocol):
    """A store, by what is needed of it."""

    @property
    def database(self) -> Database:
        """Where exposures and events are."""


def experiment_summary(
    store: HasDatabase,
    saved: SavedRun,
    name: str,
    window: str = WINDOW,
    now: float | None = None,
) -> JsonObject:
    """An experiment's arms, differences and verdicts as they stand.

    Args:
        store: Where its exposures and events are.
        saved: Says which events are positive.
        name: Of the experiment.
        window: How long events count after a user's first exposure: `7d`, `12h`, `30m`.
        now: Seconds since 1970; None: the time it is.

    Raises:
        BadInput: If the window is none, there is no such experiment, or nobody was exposed.
        Unavailable: If the database is away.
    """
    span, moment = window_of(window), microseconds(time.time() if now is None else now)
    counts = counts_of(store.database, saved.data.declared, name, span, moment)
    return {
        "experiment": name,
        "window": written(span),
        "as_of": moment / MICROSECONDS,
        **results_of(counts),
    }


def results_of(counts: Counts) -> JsonObject:
    """What counts say of an experiment."""
    users, shares = counts.users, settled_shares(counts.splits)
    newest = [arm for arm, _ in counts.newest.arms]
    names = [*newest, *(arm for arm in shares if arm not in newest)]
    stays = users.filter(~pl.col("moved") & ~pl.col("both"))
    groups = {arm: stays.filter(pl.col("arm") == arm) for arm in names}
    level = 1 - (1 - LEVEL) / max(1, len(names) - 1)
    arms = [_arm(arm, shares[arm], groups[arm]) for arm in names]
    ratio = _ratio(arms)
    samples = {arm: _samples(groups[arm].filter("ripe")) for arm in names}
    pairs = [_pair(arm, names[0], samples, level, ratio) for arm in names[1:]]
    left_out = {name: int(users[name].sum()) for name in ("moved", "both")}
    return {
        "control": names[0],
        "decides": DECIDES,
        "level": level,
        "arms": arms,
        "differences": pairs,
        "sample_ratio": ratio,
        "left_out": left_out,
        "versions": counts.versions,
        "warnings": _warnings(counts, ratio, left_out),
    }


def _arm(name: str, share: float, users: pl.DataFrame) -> JsonObject:
    """One arm: who is in it, and the mean of each metric over those whose window is over."""
    exposed, ripe = users.filter("known"), users.filter("ripe")
    samples = _samples(ripe)
    return {
        "arm": name,
        "share": share,
        "assigned": len(users),
        "exposed": len(exposed),
        "unripe": len(exposed) - len(ripe),
        "users": len(ripe),
        "answers": int(exposed["answers"].sum()),
        "events": int(ripe["events"].sum()),
        "positives": int(ripe["positives"].sum()),
        "metrics": {
            metric: {"mean": one.mean, "ci95": _ends(METRICS[metric].interval(one, LEVEL))}
            for metric, one in samples.items()
            if one.users
        },
    }


def _samples(ripe: pl.DataFrame) -> dict[str, Sample]:
    return {name: metric.of(ripe) for name, metric in METRICS.items()}


def _ratio(arms: list[JsonObject]) -> JsonObject:
    """Whether arms have the exposed users that their shares plan."""
    planned = [arm for arm in arms if arm["share"] > 0]
    p = sample_ratio([arm["exposed"] for arm in planned], [arm["share"] for arm in planned])
    return {"p": p, "mismatch": p < BROKEN}


def _pair(
    arm: str,
    control: str,
    samples: Mapping[str, Mapping[str, Sample]],
    level: float,
    ratio: JsonObject,
) -> JsonObject:
    """An arm beside the control: each metric's difference, and the verdict of the one that counts.

    Args:
        arm: Name of the one.
        control: Name of the other.
        samples: Arm → metric → what counts of it.
        level: Of the intervals.
        ratio: Of `_ratio`.
    """
    metrics = {}
    for name, metric in METRICS.items():
        one, other = samples[arm][name], samples[control][name]
        least = detectable(one, other, level)
        metrics[name] = {
            "difference": one.mean - other.mean if one.users and other.users else None,
            "ci": _ends(metric.difference(one, other, level)),
            "any_time": _ends(any_time(one, other, level)),
            "detectable": None if math.isinf(least) else least,
        }
    verdict, why = verdict_of(samples[arm][DECIDES], samples[control][DECIDES], level, ratio)
    named = {"arm": arm, "against": control, "metrics": metrics}
    return {**named, "verdict": verdict, "said": f"{arm} against {control}: {verdict}. {why}"}


def verdict_of(
    arm: Sample, control: Sample, level: float, ratio: JsonObject
) -> tuple[Verdict, str]:
    """What the metric that decides says, and why, in words.

    Without a difference a half-width of at most `WIDEST` of the control's mean settles that there
    is none that matters, as in every comparison of this package; a wider one settles nothing.
    """
    if ratio["mismatch"]:
        why = "The arms do not have the users that their shares plan, so nothing is comparable."
        return "withheld", why
    ends = METRICS[DECIDES].difference(arm, control, level)
    if ends is None:
        return "underpowered", "An arm has no users yet whose window is over."
    low, high = ends
    said = f"{DECIDES} {arm.mean:.2%} against {control.mean:.2%}: {_points(low)} to {_points(high)}"
    if low > 0 or high < 0:
        return "better" if low > 0 else "worse", f"{said}."
    if (high - low) / 2 <= WIDEST * control.mean:
        return "no difference", f"{said}, so within ±{max(-low, high) * 100:.2f} points."
    least = detectable(arm, control, level)
    found = f"A difference of {least * 100:.2f} points would be found {POWER:.0%} of the time."
    return "underpowered", f"{said}." if math.isinf(least) else f"{said}. {found}"


def _points(share: float) -> str:
    return f"{share * 100:+.2f} points"


def _ends(ends: Ends | None) -> list[float] | None:
    return None if ends is None else list(ends)


def _warnings(counts: Counts, ratio: JsonObject, left_out: Mapping[str, int]) -> list[str]:
    """What a reader must know before they believe a number."""
    said = []
    if ratio["mismatch"]:
        said.append(
            f"SAMPLE RATIO MISMATCH (p = {ratio['p']:.1e}): exposed users are not split as "
            "planned. Something loses or adds users of one arm; find it before reading on."
        )
    if left_out["moved"]:
        said.append(
            f"{counted(left_out['moved'], 'user')} left out whom a change of shares or arms moves "
            "from one arm to another. A new name for the new split leaves nobody out."
        )
    if left_out["both"]:
        said.append(f"{counted(left_out['both'], 'user')} met two arms, and are left out.")
    if len(counts.versions) > 1:
        names = ", ".join(counts.versions)
        said.append(f"The run changed while the experiment ran ({names}), and its models with it.")
    if strange := int(counts.users["undeclared"].sum()):
        were = by_count(strange, "is", "are")
        said.append(
            f"{counted(strange, 'event')} {were} of kinds that the run does not declare, and "
            "neither positive nor negative."
        )
    return said
