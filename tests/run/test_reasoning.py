"""What results say of thoughts: measured on validation users, watched in training, shown."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.splits import Split, leave_one_out
from tastemaker.metrics.evaluate import Evaluation
from tastemaker.metrics.headline import validation_queries
from tastemaker.options import RunOptions
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.run import reasoning as reasoning_module
from tastemaker.run.job import run_recommender
from tastemaker.run.reasoning import asked_about, mean_over_thoughts, reasoning_of_run, watched
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.seams import ReasoningFacts
from tastemaker.seams.reasoning import StepFacts
from tastemaker.train.config import FitConfig

THINKING = VRecConfig(
    dim=16, layers=1, heads=2, dropout=0.0, history=6, levels=2, size=6, thoughts=2, classes=4,
    verifiers=("collaborative", "category"), verify_epochs=1, joint_epochs=1,
)  # fmt: skip
BRIEFLY = FitConfig(epochs=1, warmup=5)


@pytest.fixture(scope="module")
def found(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Results of a run of a model that thinks."""
    out = tmp_path_factory.mktemp("runs") / "thinking"
    return run_recommender(RunOptions(str(small_data), out=str(out)), THINKING, BRIEFLY)


@pytest.fixture(scope="module")
def saved(found: dict[str, Any]) -> SavedRun:
    return open_run(Path(found["run"]))


@pytest.fixture(scope="module")
def cuts(saved: SavedRun) -> Split:
    return leave_one_out(saved.interactions)


def lists(codes: list[list[int]]) -> Evaluation:
    rows = np.array(codes, np.int32)
    return Evaluation(np.arange(len(rows)), {}, rows, None, 0, 0.0)


def test_a_run_records_how_its_thoughts_did(found: dict[str, Any]) -> None:
    recorded = json.loads((Path(found["run"]) / "results.json").read_text())["reasoning"]
    assert recorded["rows"] == found["split"]["valid_users"]
    assert [one["name"] for one in recorded["verifiers"]] == list(THINKING.verifiers)
    assert len(recorded["steps"]) == 2
    for step in recorded["steps"]:
        assert len(step["checks"]) == 2
        assert 0 <= step["gate_entropy"] <= 1
        assert sum(check["trust"] for check in step["checks"]) == pytest.approx(1.0)
    assert recorded["caveats"]
    assert found["warnings"][-len(recorded["caveats"]) :] == recorded["caveats"]
    assert 'id="reasoning"' in (Path(found["run"]) / "report.html").read_text()


def test_no_answer_is_outside_the_catalogue_and_one_that_is_would_be_counted(
    found: dict[str, Any], saved: SavedRun, cuts: Split
) -> None:
    assert found["reasoning"]["illegal"] == 0
    assert found["reasoning"]["answers"] > 10 * found["split"]["test_users"]
    most = cuts.interactions.num_items
    told = reasoning_of_run(saved.models.neural, cuts, lists([[1, most, 0], [most + 1, -1, 0]]))
    assert (told["answers"], told["illegal"]) == (4, 2)


def test_a_trained_model_measures_as_it_did_when_it_was_trained(
    found: dict[str, Any], saved: SavedRun, cuts: Split
) -> None:
    told = reasoning_of_run(saved.models.neural, cuts, lists([[1]]))
    assert told["steps"] == found["reasoning"]["steps"]


def test_of_many_users_some_are_asked_who_are_always_the_same(
    saved: SavedRun, cuts: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reasoning_module, "ROWS", 20)
    queries = validation_queries(cuts)
    some = asked_about(queries)
    assert len(some) == 20 < len(queries)
    assert np.array_equal(some.contexts.users, asked_about(queries).contexts.users)
    assert reasoning_of_run(saved.models.neural, cuts, lists([[1]]))["rows"] == 20


def test_training_writes_down_what_it_watches(found: dict[str, Any]) -> None:
    path = Path(found["run"]) / "metrics.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    by_stage = {line["stage"]: {name for name in line if name[:9] == "reasoning"} for line in lines}
    checked = {"reasoning/gate_entropy", "reasoning/guidance", "reasoning/cosine"}
    assert by_stage == {
        "reason": {"reasoning/cosine"}, "verify": checked, "joint": checked,
    }  # fmt: skip
    last = {name: value for name, value in lines[-1].items() if name in checked}
    for name, value in last.items():
        steps = [step[name[10:]] for step in found["reasoning"]["steps"]]
        known = [step for step in steps if step is not None]
        assert value == pytest.approx(np.mean(known), rel=1e-5)


def test_examples_say_what_was_thought_of_each_user(found: dict[str, Any]) -> None:
    for example in json.loads((Path(found["run"]) / "results.json").read_text())["examples"]:
        assert len(example["thoughts"]) == 2
        said = example["thoughts"][0]["said"]
        assert [one["verifier"] for one in said] == list(THINKING.verifiers)
        assert {name for name, _ in said[1]["groups"]} <= {"Even", "Odd", "All"}


def test_a_model_that_does_not_think_has_nothing_to_measure(
    finished_run: Path, cuts: Split
) -> None:
    plain = open_run(finished_run)
    queries = validation_queries(cuts)
    assert reasoning_of_run(plain.models.neural, cuts, lists([[1]])) == {}
    assert watched(plain.models.neural, queries, cuts) == {}
    assert "reasoning" not in plain.results
    assert "thoughts" not in plain.results["examples"][0]


def test_a_model_made_to_answer_at_once_is_counted_alone(small_data: Path, tmp_path: Path) -> None:
    silent = replace(THINKING, thoughts=0)
    found = run_recommender(RunOptions(str(small_data), out=str(tmp_path / "run")), silent, BRIEFLY)
    assert (found["reasoning"]["steps"], found["reasoning"]["illegal"]) == ((), 0)
    assert "thoughts" not in found["examples"][0]
    assert "without thinking" in (tmp_path / "run" / "report.html").read_text()


def test_thoughts_that_nothing_checks_are_measured_by_their_likeness(
    small_data: Path, tmp_path: Path
) -> None:
    bare = replace(THINKING, verifiers=())
    found = run_recommender(RunOptions(str(small_data), out=str(tmp_path / "run")), bare, BRIEFLY)
    recorded = found["reasoning"]
    assert recorded["verifiers"] == ()
    assert [step["cosine"] is None for step in recorded["steps"]] == [True, False]
    assert all(step["weight"] is None and step["checks"] == () for step in recorded["steps"])
    assert [one["said"] for one in found["examples"][0]["thoughts"]] == [(), ()]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "nothing checks its thoughts" in page and "not checked" in page


def test_what_is_asked_what_it_thought_answers_as_trained(saved: SavedRun) -> None:
    saved.models.neural.train(True)
    thinker = saved.models.thinker
    assert thinker is saved.models.neural and not saved.models.neural.training  # type: ignore[attr-defined]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.none() | st.floats(-1, 1)] * 3), max_size=4))
def test_means_are_over_the_thoughts_that_have_a_measure(
    rows: list[tuple[float | None, float | None, float | None]],
) -> None:
    steps = tuple(
        StepFacts(cosine=cosine, gate_entropy=entropy, guidance=guidance)
        for entropy, guidance, cosine in rows
    )
    found = mean_over_thoughts(ReasoningFacts(9, steps, ()))
    for place, name in enumerate(("gate_entropy", "guidance", "cosine")):
        known = [row[place] for row in rows if row[place] is not None]
        if known:
            assert found.pop(name) == pytest.approx(sum(known) / len(known))
    assert found == {}
