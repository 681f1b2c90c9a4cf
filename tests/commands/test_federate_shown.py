"""What a person reads after a federation."""

from typing import Any

import pytest

from tastemaker.commands.federate_shown import show_federation, show_joined

RESULTS: dict[str, Any] = {
    "method": {"kind": "FedSSD"},
    "data": {"clients": 10, "name": "[red]digits\x1b.csv"},
    "rounds": 40,
    "failed": 1,
    "accuracy": 0.9596,
    "worst_class": {"name": "8", "accuracy": 0.86},
    "worst_client": None,
    "bytes": {"down": 21_600_000, "up": 20_000_000},
    "rejected": {"count": 48},
    "warnings": ["Take care."],
    "run": "runs/x",
}


def test_the_figures_are_shown_and_nothing_acts(capsys: pytest.CaptureFixture[str]) -> None:
    show_federation(RESULTS)
    told = " ".join(capsys.readouterr().out.split())
    for part in ("40 rounds, 10 clients, [red]digits", "0.960", "0.860 8", "41.6 MB", "48 updates",
                 "1 rounds", "Take care.", "runs/x/report.html"):  # fmt: skip
        assert part in told
    assert "\x1b" not in told and "worst client" not in told


def test_a_client_is_told_what_it_has(capsys: pytest.CaptureFixture[str]) -> None:
    show_joined({"client": "north", "examples": 1, "classes": ["a", "b"], "run": "runs/n"})
    told = " ".join(capsys.readouterr().out.split())
    assert "north took part with 1 example; the model tells 2 classes apart runs/n" in told
