"""How often one client may ask: a bucket of tokens each, filled at a steady rate."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

CLIENTS = 10_000
"""Clients that are remembered; of more, those that asked last."""
_TOKEN = 1 - 1e-6
"""What counts as a token: fractions need not add up to a whole one."""


class Rates:
    """Buckets of clients, for one thread.

    Args:
        rate: Tokens a second; 0: everybody may ask as often as they like.
        burst: Tokens that a bucket holds; it begins full.
        clock: Seconds, never going back.
    """

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.rate, self.burst, self._clock = rate, burst, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """Take a token of a client: 0, or the whole seconds until there is one."""
        if not self.rate:
            return 0
        now = self._clock()
        tokens, since = self._buckets.pop(client, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - since) * self.rate)
        short = tokens < _TOKEN
        self._buckets[client] = (tokens if short else tokens - 1, now)
        if len(self._buckets) > CLIENTS:
            self._buckets.popitem(last=False)
        return math.ceil((_TOKEN - tokens) / self.rate) if short else 0
