"""Numbers for Prometheus, of one server: what was asked, how it went, how long it took."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

SECONDS = (0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Bounds of the histogram of latency."""
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Monitoring:
    """The numbers, in a registry of their own.

    Args:
        waiting: Says how many requests wait to be ranked.
    """

    def __init__(self, waiting: Callable[[], int]) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "tastemaker_requests",
            "Requests by route and status.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "tastemaker_request_seconds",
            "Seconds from a request's arrival to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._events = Counter(
            "tastemaker_events",
            "Events told, by what became of them.",
            ("fate",),
            registry=self.registry,
        )
        self._exposures = Counter(
            "tastemaker_exposures",
            "Answers of an experiment, by whether they were kept.",
            ("fate",),
            registry=self.registry,
        )
        self._run = Gauge(
            "tastemaker_run",
            "1 for the run that answers now.",
            ("version", "model"),
            registry=self.registry,
        )
        self._swaps = Counter(
            "tastemaker_swaps", "Runs that took another's place.", registry=self.registry
        )
        self._states = Counter(
            "tastemaker_states",
            "What is kept of users: read, missing when asked for, refreshed, dropped unkept.",
            ("fate",),
            registry=self.registry,
        )
        line = Gauge("tastemaker_waiting", "Requests in line.", registry=self.registry)
        line.set_function(waiting)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def events(self, **fates: int) -> None:
        """Count events: how many were new, how many told before, how many of erased users."""
        for fate, count in fates.items():
            self._events.labels(fate).inc(count)

    def exposures(self, **fates: int) -> None:
        """Count answers of an experiment: kept, of erased users, or lost."""
        for fate, count in fates.items():
            self._exposures.labels(fate).inc(count)

    def states(self, **fates: int) -> None:
        """Count states of users: read, missing, refreshed, dropped."""
        for fate, count in fates.items():
            self._states.labels(fate).inc(count)

    def serves(self, version: str, model: str) -> None:
        """Note which run answers from now on."""
        self._run.clear()
        self._run.labels(version, model).set(1)

    def swapped(self, version: str, model: str) -> None:
        """Note that a run took another's place."""
        self._swaps.inc()
        self.serves(version, model)

    def page(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)
