"""A made-up run for the report's tests: realistic in shape, invented in every number."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

MODELS = {
    "blend": 0.0652,
    "ease": 0.0590,
    "markov-last-5": 0.0561,
    "co-occurrence": 0.0487,
    "sasrec": 0.0421,
    "popularity": 0.0213,
}
TITLES = (
    "The Quiet Harbour (1994)", "Paper Moons (1987)", "A Hundred Small Rivers (2001)",
    "Night Train to Ostrava (1976)", "The Cartographer’s Daughter (1999)", "Salt (1962)",
    "Orchard of Clocks (2004)", "Low Winter Sun (1991)", "Les Années perdues (1983)",
    "The Glass Elevator (1998)", "Field Notes (2010)", "Blue Hour, Part II (1995)",
    "An Unreasonably Long Title about a Lighthouse Keeper, His Dog and the Sea (1970)",
    "Marble & Smoke (1989)", "Seven Letters Home (1951)", "The Understudy (2003)",
    "日曜日の手紙 (1979)", "شارع الياسمين (1992)", "Harvest (1968)", "Static (2012)",
)  # fmt: skip


def estimate(mean: float, half: float) -> dict[str, Any]:
    """A mean with a symmetric interval."""
    return {"mean": mean, "ci95": [max(0.0, mean - half), mean + half]}


def model(ndcg: float, rng: random.Random) -> dict[str, Any]:
    """All metrics of one model, from its NDCG."""
    hr = ndcg * 1.87
    return {
        "ndcg@10": estimate(ndcg, 0.011 + ndcg / 20),
        "hr@10": estimate(hr, 0.021 + hr / 20),
        "mrr@10": estimate(ndcg * 0.77, 0.009 + ndcg / 25),
        "ndcg@10/unfiltered": estimate(ndcg * 0.61, 0.008),
        "hr@10/unfiltered": estimate(hr * 0.64, 0.018),
        "coverage@10": {"mean": rng.uniform(0.02, 0.21), "ci95": None},
        "entropy@10": estimate(rng.uniform(2.1, 2.9), 0.04),
        "novelty@10": estimate(rng.uniform(9.0, 11.5), 0.08),
        "personalisation@10": estimate(rng.uniform(0.5, 0.95), 0.01),
        "popularity_share@10": estimate(rng.uniform(0.5, 0.98), 0.012),
    }


def buckets(labels: list[str], slope: float, rng: random.Random) -> list[dict[str, Any]]:
    """Quality that rises or falls over the buckets."""
    rows = []
    for at, label in enumerate(labels):
        n = rng.randrange(60, 240)
        lift = 1 + slope * (at / (len(labels) - 1) - 0.5)
        means = {k: v * lift * rng.uniform(0.85, 1.15) for k, v in MODELS.items()}
        models = {k: estimate(v, 0.25 / math.sqrt(n)) for k, v in means.items()}
        rows.append({"bucket": label, "n": n, "models": models})
    return rows


def liked(name: str, titles: list[str], verdict: str = "verified") -> dict[str, Any]:
    """One counted interest with the items that prove it."""
    proofs = [{"item": title, "title": title, "polarities": []} for title in titles]
    return {
        "name": name, "verdict": verdict, "items": proofs, "against": [], "share": 0.31,
        "others": 0.152, "counts": {"explicit_positive": len(titles), "implicit_positive": 2},
    }  # fmt: skip


def profile(titles: list[str]) -> dict[str, Any]:
    """What a user likes and dislikes."""
    hated = liked("Horror", titles[-2:]) | {"counts": {"explicit_negative": 2}, "share": 0.0}
    return {
        "interests": [liked("Drama", titles[:5]), liked("Westerns & <War>", titles[:1], "mixed")],
        "dislikes": [hated],
        "notes": ["3 of 20 items are in no named group."],
        "rule": "Verified: of the newest 10 items of a group, at least 2 liked.",
    }


def example(user: str, rng: random.Random, hit: int | None) -> dict[str, Any]:
    """One user with ten recommendations, of which one may be a hit."""
    titles = rng.sample(TITLES, 20)
    shown = [
        {
            "item": str(100 + at),
            "title": title,
            "score": 1.0 - at / 10,
            "categories": rng.sample(["Drama", "Comedy", "Romance", "Thriller"], 2),
            "hit": at == hit,
        }
        for at, title in enumerate(titles[:10])
    ]
    held_out = titles[hit] if hit is not None else titles[19]
    return {
        "user": user,
        "history": titles[10:19],
        "held_out": [held_out],
        "recommendations": shown,
        "profile": profile(titles[10:18]),
    }


def results() -> dict[str, Any]:
    """Contents of a whole `results.json`."""
    rng = random.Random(7)
    return {
        "run": "runs/synthetic-films-sasrec",
        "data": {
            "name": "synthetic-films", "licence": "None: every title and number here is invented.",
            "users": 671, "items": 9066, "interactions": 100004, "density": 0.01644,
            "history_median": 71, "history_longest": 2391, "items_seen_once": 3063,
            "share_of_top_tenth": 0.583, "from_to": ["1995-01-09", "2016-10-16"],
            "catalogue": 9125, "bytes_per_interaction": 12.4, "sha256": "3f" * 32,
            "events": [
                {"event": "view", "role": "implicit_positive", "count": 88004, "learnt": 87000},
                {"event": "hide", "role": "explicit_negative", "count": 12000, "learnt": 0},
            ],
            "not_learnt": [
                {"why": "They say that somebody did not like the item.", "count": 12000},
                {"why": "The same user, item and time stand there already.", "count": 1004},
            ],
            "warnings": ["All events of 12 users have the same time: their order means nothing."],
        },
        "split": {
            "name": "leave-one-out", "sha256": "a7" * 32, "train_events": 98662,
            "valid_targets": 671, "test_targets": 671, "valid_users": 671, "test_users": 671,
            "cold_users": 0, "unseen_targets": 37,
        },
        "protocol": {
            "filter_seen": True, "candidates": "items in train", "ties": "pessimistic",
            "ks": [1, 5, 10, 20, 50], "intervals": "10,000 bootstrap resamples of users",
        },
        "seeds": [0],
        "models": {name: model(ndcg, rng) for name, ndcg in sorted(MODELS.items())},
        "validation": {"blend": 0.0701, "ease": 0.0612, "sasrec": 0.0633, "popularity": 0.02},
        "best": "blend",
        "why": "blend is recommended with: it had the highest NDCG@10 on the validation events.",
        "warnings": ["One seed was trained; differences between seeds are not in the intervals."],
        "blend": {"sasrec": 1.0, "markov-last-5": 1.5, "ease": 10.0},
        "comparisons": [
            {"a": "blend", "b": "ease", "metric": "ndcg@10", "difference": 0.0062,
             "relative": 0.105, "ci95": [0.0004, 0.0121], "p": 0.0312, "better": 0.104,
             "equal": 0.82, "worse": 0.076},
            {"a": "blend", "b": "sasrec", "metric": "ndcg@10", "difference": 0.0231,
             "relative": 0.549, "ci95": [0.0142, 0.0323], "p": 0.00002, "better": 0.161,
             "equal": 0.79, "worse": 0.049},
            {"a": "sasrec", "b": "ease", "metric": "ndcg@10", "difference": -0.0169,
             "relative": -0.286, "ci95": [-0.0343, 0.0004], "p": 0.0561, "better": 0.06,
             "equal": 0.8, "worse": 0.14},
        ],
        "buckets": {
            "history length": buckets(["1–19", "20–49", "50–99", "100–199", "200+"], -0.5, rng),
            "item popularity": buckets(["1–4", "5–19", "20–49", "50+"], 1.4, rng),
        },
        "examples": [example("42", rng, 2), example("307", rng, None), example("615", rng, 0)],
        "training": {
            "model": "sasrec", "steps": 1840, "epochs": 23, "best_epoch": 18, "best": 0.0533,
            "converged": True, "cpu_seconds": 312.4,
            "config": {"dim": 64, "layers": 2, "heads": 1, "lr": 0.001, "dropout": 0.2,
                       "history": 50, "batch": 128, "patience": 5},
        },
        "skipped": {"item-knn": "The catalogue has more than 20,000 items."},
        "versions": {"tastemaker": "0.1.0", "python": "3.11.2", "torch": "2.13.0"},
        "commit": "0123456789ab",
        "seed": 0,
    }  # fmt: skip


def metrics() -> list[dict[str, Any]]:
    """Lines of `metrics.jsonl`."""
    rng = random.Random(3)
    return [
        {
            "epoch": epoch,
            "step": 80 * epoch,
            "loss": 4.1 + 3.2 * math.exp(-epoch / 6) + rng.uniform(-0.02, 0.02),
            "ndcg@10": 0.0533 * (1 - math.exp(-epoch / 5)) - 0.0002 * abs(epoch - 18),
            "hr@10": 0.1 * (1 - math.exp(-epoch / 5)),
        }
        for epoch in range(1, 24)
    ]


def write_run(
    folder: Path, found: dict[str, Any], lines: list[dict[str, Any]] | None = None
) -> Path:
    """Write the inputs of the report into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(found))
    (folder / "config.json").write_text(
        json.dumps(
            {"data": "synthetic-films", "model": "sasrec", "split": "leave-one-out", "seed": 0}
        )
    )
    if lines is not None:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / "metrics.jsonl").write_text(text)
    return folder
