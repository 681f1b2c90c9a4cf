"""What is measured of a federation round by round, drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tastemaker.report.curves import Axes, curve, curves_chart
from tastemaker.report.tables import listed
from tastemaker.report.wording import finite

MEASURES = {"accuracy": "all", "worst_class": "worst class", "worst_client": "worst client"}
"""Shares of right answers that are drawn together, and what each is called."""

Records = Sequence[Mapping[str, object]]


def charts(metrics: Records, measure: str = "Accuracy") -> list[str]:
    """Accuracy, traffic, rejected updates and what else was measured, by round.

    Args:
        metrics: Lines of `metrics.jsonl`.
        measure: What the share of right answers is called.
    """
    failed = [
        step for line in metrics
        if line.get("status") == "failed" and (step := finite(line.get("round"))) is not None
    ]  # fmt: skip
    shares = {
        title: points
        for name, title in MEASURES.items()
        if (points := curve(metrics, name, "round"))
    }
    drawn = []
    if shares:
        axes = Axes("round", (0, 1), "%", marked=failed)
        drawn.append(curves_chart(shares, f"{measure} on the test", axes))
    sent = {
        title: points
        for name, title in (("bytes_down", "to the clients"), ("bytes_up", "from the clients"))
        if (points := _summed(metrics, name))
    }
    if sent:
        drawn.append(curves_chart(sent, "Bytes sent so far", Axes("round", None, "~s")))
    refused = [
        {"round": line.get("round"), "count": len(listed(dict(line), "rejected"))}
        for line in metrics
    ]
    if points := curve(refused, "count", "round"):
        axes = Axes("round", (0, max(1.0, *(value for _, value in points))), whole=True)
        drawn.append(curves_chart({"": points}, "Rejected updates a round", axes))
    others = {
        "loss": ("Loss on the test", None),
        "drift": ("Drift of clients in a round, L2", None),
        "credibility": ("Mean credibility of classes", (0.0, 1.0)),
        "ndcg@10": ("NDCG@10", None),
        "epsilon": ("Privacy spent, ε", None),
    }
    for name, (title, ends) in others.items():
        if points := curve(metrics, name, "round"):
            drawn.append(curves_chart({"": points}, title, Axes("round", ends)))
    return drawn


def _summed(metrics: Records, name: str) -> list[tuple[float, float]]:
    total, lines = 0.0, []
    for line in metrics:
        total += finite(line.get(name)) or 0.0
        lines.append({"round": line.get("round"), "sum": total})
    return curve(lines, "sum", "round") if total else []
