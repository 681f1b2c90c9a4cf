"""A federation as a run directory records it, made by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CLASSES = [str(number) for number in range(10)]


def metrics(rounds: int = 40, failed: tuple[int, ...] = (7,)) -> list[dict[str, Any]]:
    lines = []
    for step in range(1, rounds + 1):
        good = 1 - 0.9 / step**0.6
        rejected = [{"client": "3", "rule": "finite", "value": "NaN in head.weight"}]
        if step % 5 == 0:
            rejected.append({"client": "8", "rule": "examples", "value": -4})
        lines.append(
            {
                "round": step,
                "status": "failed" if step in failed else "ok",
                "selected": 10,
                "accepted": 10 - len(rejected),
                "rejected": rejected,
                "clipped": step % 2,
                "bytes_down": 540_000,
                "bytes_up": 500_000,
                "accuracy": good,
                "worst_class": max(0.0, good - 0.3),
                "worst_client": max(0.0, good - 0.15),
                "loss": 2.3 / step**0.5,
                "drift": 1.5 - 0.01 * step,
                "credibility": good,
                "epsilon": None,
                "seconds": 0.2,
            }
        )
    return lines


def results() -> dict[str, Any]:
    held = [[(7 * client * c * c + 3 * c) % 31 if (client + c) % 3 else 0 for c in range(10)]
            for client in range(10)]  # fmt: skip
    clients = [
        {
            "name": str(number),
            "examples": sum(some),
            "classes": sum(one > 0 for one in some),
            "accuracy": 0.97 - 0.02 * number,
            "rejected": int(number == 3) * 40,
            "held": some,
        }
        for number, some in enumerate(held)
    ]
    return {
        "kind": "federation",
        "method": {"kind": "FedSSD", "m_max": 1.0, "threshold": 0.1},
        "model": {"kind": "Mlp", "hidden": [64, 64, 64], "parameters": 13_130},
        "data": {
            "name": "digits.csv",
            "sha256": "1" * 64,
            "examples": 1247,
            "clients": 10,
            "auxiliary": 100,
            "test": 450,
            "parted": "Dealt to 10 clients by Dirichlet shares, α 0.1.",
        },
        "rounds": 40,
        "failed": 1,
        "accuracy": 0.9596,
        "worst_class": {"name": "8", "accuracy": 0.86},
        "worst_client": {"name": "9", "accuracy": 0.79},
        "bytes": {"down": 21_600_000, "up": 20_000_000},
        "rejected": {"count": 48},
        "clipped": 20,
        "classes": [
            {"name": name, "test": 45, "accuracy": 0.86 + 0.01 * n, "credibility": 0.9}
            for n, name in enumerate(CLASSES)
        ],
        "clients": clients,
        "config": {
            "federation": {
                "rounds": 40,
                "share": 1.0,
                "local": {"epochs": 5, "batch": 32, "lr": 0.05},
                "gate": {"share": 0.5},
                "privacy": None,
            },
        },
        "warnings": ["The test has 450 rows: one of them is 0.22 points."],
        "versions": {"torch": "2.13.0"},
        "commit": "abc",
    }


def write_run(folder: Path, found: dict[str, Any], lines: list[dict[str, Any]]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(found))
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder
