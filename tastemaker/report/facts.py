"""What the report says of the data: counts, what was learnt of them, and how they were divided.

Rows of text made from `results.json`, missing parts left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tastemaker.report.tables import listed
from tastemaker.report.wording import MISSING, count, finite, number, percent, setting, things


def _small_share(value: object) -> str:
    """A share with two decimals or, where it is tiny, two digits that are not zero."""
    share = finite(value)
    below = 0 if not share else -math.floor(math.log10(abs(100 * share)))
    return percent(share, max(2, below + 1))


def facts(data: Mapping[str, object]) -> list[tuple[str, str]]:
    """The data at a glance: labels and values, missing ones left out."""
    shown = {
        "Users": count(data.get("users")),
        "Items": count(data.get("items")),
        "Interactions": count(data.get("interactions")),
        "Density": _small_share(data.get("density")),
        "Median history": count(data.get("history_median")),
        "Longest history": count(data.get("history_longest")),
        "Items seen once": count(data.get("items_seen_once")),
        "Top tenth of items": percent(data.get("share_of_top_tenth")),
        "Catalogue entries": count(data.get("catalogue")),
        "Memory": number(data.get("bytes_per_interaction"), 1),
    }
    units = {
        "Median history": _unit(data.get("history_median")),
        "Longest history": _unit(data.get("history_longest")),
        "Top tenth of items": "of interactions",
        "Memory": "bytes an interaction",
    }
    rows = [
        (name, f"{value} {units.get(name, '')}".strip())
        for name, value in shown.items()
        if value != MISSING
    ]
    span = listed(data, "from_to")
    return rows + list(zip(("First event", "Last event"), map(str, span), strict=False))


def _unit(value: object) -> str:
    return "event" if finite(value) == 1 else "events"


def _events(value: object) -> str:
    return MISSING if finite(value) is None else things(value, "event")


def split_facts(split: Mapping[str, object]) -> list[tuple[str, str]]:
    """How the events were divided: labels and values, missing ones left out."""

    def part_of(held_out: str) -> str:
        targets, users = split.get(f"{held_out}_targets"), split.get(f"{held_out}_users")
        if finite(targets) is None or finite(users) is None:
            return MISSING
        return f"{things(targets, 'event')} of {things(users, 'user')}"

    shown = {
        "For training": _events(split.get("train_events")),
        "For validation": part_of("valid"),
        "For the test": part_of("test"),
        "Users without training events": count(split.get("cold_users")),
        "Targets that training never saw": count(split.get("unseen_targets")),
    }
    return [(label, value) for label, value in shown.items() if value != MISSING]


def events(data: Mapping[str, object]) -> list[tuple[str, str, str, str]]:
    """Rows of (event, what it is declared to mean, how often it occurs, how much is learnt)."""
    return [
        (
            str(row.get("event", "")),
            str(row.get("role", "")).replace("_", " "),
            count(row.get("count")),
            count(row["learnt"]) if finite(row.get("learnt")) is not None else _yes(row),
        )
        for row in listed(data, "events")
        if isinstance(row, dict)
    ]


def _yes(row: Mapping[str, object]) -> str:
    return setting(row["learnt"]) if isinstance(row.get("learnt"), bool) else MISSING


def not_learnt(data: Mapping[str, object]) -> list[tuple[str, str]]:
    """Rows of (how many events, why nothing is learnt from them)."""
    return [
        (count(row.get("count")), str(row.get("why", "")))
        for row in listed(data, "not_learnt")
        if isinstance(row, dict)
    ]
