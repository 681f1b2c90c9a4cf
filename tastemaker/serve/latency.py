"""How each route fared since the server started, from the numbers for Prometheus."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from tastemaker.serve.monitoring import SECONDS, Monitoring

QUANTILES = (0.5, 0.95, 0.99)


@dataclass(frozen=True)
class Fared:
    """How one route fared."""

    route: str
    requests: int
    refused: int
    """answered with a status of 400 to 499"""
    failed: int
    """answered with 500 or more"""
    seconds: tuple[float | None, ...]
    """within which `QUANTILES` of them were answered; None: longer than the histogram reaches"""


def routes_fared(monitoring: Monitoring) -> list[Fared]:
    """Every route that was asked, the busiest first."""
    statuses: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    below: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for family in monitoring.registry.collect():
        for sample in family.samples:
            if sample.name == "tastemaker_requests_total":
                hundred = int(sample.labels["status"]) // 100
                statuses[sample.labels["route"]][hundred] += int(sample.value)
            elif sample.name == "tastemaker_request_seconds_bucket":
                bound = float(sample.labels["le"])
                below[sample.labels["route"]].append((bound, int(sample.value)))
    fared = []
    for route, counts in statuses.items():
        reached = [count for _, count in sorted(below[route])]
        seconds = tuple(quantile(reached, part) for part in QUANTILES)
        failed = sum(count for hundred, count in counts.items() if hundred >= 5)
        fared.append(Fared(route, sum(counts.values()), counts[4], failed, seconds))
    return sorted(fared, key=lambda one: (-one.requests, one.route))


def quantile(reached: Sequence[int], part: float) -> float | None:
    """Seconds within which a part of requests was answered; evenly spread inside a bucket.

    Args:
        reached: Requests answered within each of `SECONDS`, and all of them.
        part: 0 to 1.

    Returns:
        None: more than the largest of the bounds, or there are no requests.
    """
    if not reached or not reached[-1]:
        return None
    wanted, low, had = part * reached[-1], 0.0, 0
    for bound, count in zip(SECONDS, reached, strict=False):
        if count >= wanted and count > had:
            return low + (bound - low) * (wanted - had) / (count - had)
        low, had = bound, count
    return None
