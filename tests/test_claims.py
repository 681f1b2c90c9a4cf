"""The JSON that the docs' tables are made from has one shape."""

import json
from pathlib import Path

import numpy as np
import pytest

RESULTS = sorted((Path(__file__).parents[1] / "results").glob("*.json"))
RECIPE = {"name", "paper", "data", "size", "seeds", "arms", "relations", "cpu_seconds",
          "peak_rss_mb", "commit", "date", "versions"}  # fmt: skip
RELATION = {"id", "claim", "a", "b", "metric", "difference", "ci95", "verdict"}


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_have_their_shape(path: Path) -> None:
    found = json.loads(path.read_text())
    if path.stem.startswith("bench-"):
        assert found["name"] == path.stem.removeprefix("bench-")
        for row in found["rows"]:
            assert {"what", "ours", "peer", "ratio", "target", "met"} <= row.keys()
        return
    assert found.keys() >= RECIPE
    for rows in found.get("tables", {}).values():
        assert all(np.isfinite(list(row.values())).all() for row in rows.values())
    for metrics in found["arms"].values():
        for values in metrics.values():
            assert len(values) == len(found["seeds"])
    for relation in found["relations"]:
        assert relation.keys() >= RELATION
        low, high = relation["ci95"]
        assert low - 1e-9 <= relation["difference"] <= high + 1e-9
        assert relation["verdict"] in ("holds", "fails", "undecided", "underpowered")
        arms = found["arms"]
        means = [np.mean(arms[relation[side]][relation["metric"]]) for side in "ab"]
        assert means[0] - means[1] == pytest.approx(relation["difference"], abs=1e-6)
