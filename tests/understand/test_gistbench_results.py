"""Scores of a run are made from its samples alone, with intervals over users."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.understand import samples
from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_folder import CONFIG
from tastemaker.understand.gistbench_results import RESULTS, score
from tastemaker.understand.scores import SCORES
from tastemaker.understand.simulated import Simulated
from tests.understand.gist_tasks import OPTIONS, TASK, TRUTH, WORLD, Told


def results_of(
    name: str, folder: Path, judged: bool = True, mode: Any = "strict"
) -> dict[str, Any]:
    options = replace(OPTIONS, mode=mode)
    model = Simulated(name, WORLD, mode=mode)
    return score(run(TASK, model, TRUTH if judged else None, folder, options))


def mean(results: dict[str, Any], name: str) -> float:
    return float(results["scores"][name]["mean"])


def test_the_oracle_scores_one(tmp_path: Path) -> None:
    results = results_of("oracle", tmp_path)
    for name in SCORES:
        assert mean(results, name) == 1, name
        assert results["scores"][name]["ci95"] == [1, 1]
    assert results["evidence"]["validity"]["mean"] == 1
    assert {cell["exact"]["mean"] for cell in results["counting"].values()} == {1}
    assert json.loads((tmp_path / RESULTS).read_text()) == results


def test_hallucinated_evidence_is_valid_nowhere_and_proves_nothing(tmp_path: Path) -> None:
    results = results_of("hallucinating", tmp_path)
    assert results["evidence"]["validity"]["mean"] == 0
    assert (mean(results, "ig_p"), mean(results, "ig_f1"), mean(results, "hm")) == (0, 0, 0)
    assert results["counting_by_items"][0]["first"] == 0


def test_echoing_covers_all_and_tells_little_apart(tmp_path: Path) -> None:
    results = results_of("echo everything", tmp_path)
    assert mean(results, "ig_r") == 1
    assert mean(results, "is") < 0.4
    assert results["evidence"]["overuse"]["mean"] == 1


def test_wrong_counts_have_errors_by_polarity_and_by_items(tmp_path: Path) -> None:
    results = results_of("wrong counts", tmp_path)
    for cells in results["counting"].values():
        low, high = cells["error"]["ci95"]
        assert 0 < low <= cells["error"]["mean"] <= high
        assert cells["exact"]["mean"] < 1
    for cells in results["counting_by_items"]:
        assert cells["interests"] > 0
        assert cells["last"] is None or cells["last"] >= cells["first"]
    views = [cells for cells in results["counting_by_items"] if "implicit_p" in cells["kind"]]
    weighted = sum(cells["error"]["mean"] * cells["interests"] for cells in views)
    total = results["counting"]["implicit_positive"]["error"]["mean"]
    assert weighted == pytest.approx(total * results["evidence"]["interests"])


def test_without_a_judge_specificity_is_unknown_and_in_the_reference_zero(tmp_path: Path) -> None:
    strict = results_of("oracle", tmp_path / "strict", judged=False)
    assert strict["judge"] is None
    assert (strict["scores"]["is"], strict["scores"]["hm"]) == (None, None)
    assert mean(strict, "ig_f1") == 1
    reference = results_of("oracle", tmp_path / "reference", judged=False, mode="reference")
    assert reference["mode"] == "reference"
    assert (mean(reference, "is"), mean(reference, "hm")) == (0, 0)


def test_results_say_whose_they_are(tmp_path: Path) -> None:
    results = results_of("oracle", tmp_path)
    assert TASK.oracle is not None
    assert TASK.taxonomy is not None
    assert results["task"]["sha256"] == TASK.sha256
    assert results["oracle_sha256"] == TASK.oracle.sha256
    assert results["taxonomy_sha256"] == TASK.taxonomy.sha256
    assert (results["judge"]["name"], results["model"]["name"]) == ("truth", "oracle")
    assert results["users"]["scored"] == len(results["per_user"]["users"]) == 6


def test_nobody_wrote_anything_and_yet_there_are_results(tmp_path: Path) -> None:
    results = score(run(TASK, Told({}), TRUTH, tmp_path, OPTIONS))
    assert mean(results, "hm") == 0
    assert (results["users"]["silent"], results["failures"]["users"]) == (6, 0)
    assert results["scores"]["pick_precision"] is None
    assert results["evidence"]["validity"] is None
    assert results["counting"] == {}


def test_an_unfinished_run_is_scored_as_far_as_it_is(tmp_path: Path) -> None:
    run(TASK, Simulated("oracle", WORLD), TRUTH, tmp_path, replace(OPTIONS, limit=1))
    assert score(tmp_path)["users"]["scored"] == 1
    (tmp_path / samples.NAME).unlink()
    empty = score(tmp_path)
    assert empty["scores"]["hm"] is None
    assert empty["evidence"] is None


def test_what_is_no_run_or_is_damaged_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="missing"):
        score(tmp_path)
    (tmp_path / CONFIG).write_text("{}")
    with pytest.raises(ArtefactError, match="run"):
        score(tmp_path)
    folder = run(TASK, Simulated("oracle", WORLD), TRUTH, tmp_path / "run", OPTIONS)
    path = folder / samples.NAME
    path.write_text(path.read_text().replace('"unread": 0', '"unread": "no"', 1))
    with pytest.raises(ArtefactError, match="unread"):
        score(folder)
