"""News for the small run: what its users did since, two new items and some new users."""

from dataclasses import replace

import polars as pl

from tastemaker.data.interactions import Interactions

START = 20_000
"""Seconds; later than everything that the small run has seen."""
Told = tuple[str, str, float]


def visits(users: int = 30, old: int = 20) -> list[Told]:
    """(user, item, time): the first `old` users are known; each goes by way of the new items."""
    return [
        (f"u{user}" if user < old else f"n{user}", item, START + 10 * step + user / 100)
        for user in range(users)
        for step, item in enumerate(
            ["new1", f"i{user % 40}", "new2", f"i{(user + 3) % 40}", f"i{(user + 7) % 40}"]
        )
    ]


def log_of(told: list[Told], kind: str = "view") -> Interactions:
    rows = [(user, item, int(time), kind) for user, item, time in told]
    names = ["user_id", "item_id", "timestamp", "event"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return replace(Interactions.from_frame(frame), event_names=(kind,))
