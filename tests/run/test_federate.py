"""A federation leaves a run directory that says it all, goes on, and opens."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker import artifacts, records
from tastemaker.errors import ArtefactError, BadInput, Unavailable
from tastemaker.federate.baselines import FedAvg, Scaffold
from tastemaker.files import load_tensors
from tastemaker.run import federate_job as job
from tastemaker.run.federate import federate
from tastemaker.run.federate_job import report
from tastemaker.run.federate_results import KIND
from tests.run.federated import config, labelled

PAGE = job.write_page


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than the training."""
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def test_a_run_says_what_was_federated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "write_page", PAGE)
    run = tmp_path / "run"
    results = federate(config(faults=("nan",)), labelled(), str(run))
    artifacts.verify(run, KIND)
    assert results["run"] == str(run) and results["rounds"] == 2
    assert json.loads((run / "results.json").read_text())["method"]["kind"] == "FedSSD"
    lines = records.read(run / "metrics.jsonl")
    assert [line["round"] for line in lines] == [1, 2]
    assert lines[1]["rejected"] == [
        {"client": "1", "rule": "finite", "value": "body.1.weight holds NaN or infinity"}
    ]
    assert results["unanswered"] == 0
    assert results["rejected"] == {"count": 1, "rules": {"finite": 1}}
    assert len(records.read(run / "audit.jsonl")) >= 1
    page = (run / "report.html").read_text()
    assert "FedSSD" in page and "<svg" in page and "holds NaN or infinity" in page
    (run / "report.html").unlink()
    with pytest.raises(ArtefactError):
        report(run)


class Stop(Exception):
    """A process that dies."""


def test_a_run_goes_on_where_it_was_and_ends_bit_for_bit_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    federate(config(3), labelled(), str(whole))

    def die(line: dict[str, Any]) -> str:
        if line["round"] == 2:
            raise Stop
        return ""

    with monkeypatch.context() as patch:
        patch.setattr(job, "_said", die)
        with pytest.raises(Stop):
            federate(config(3), labelled(), str(cut))
    with pytest.raises(ArtefactError):
        report(cut)
    results = federate(config(3), labelled(), str(cut), resume=True)
    a, b = (load_tensors(run / "model.safetensors") for run in (whole, cut))
    assert a.keys() == b.keys() and all(a[name].equal(b[name]) for name in a)
    untimed = [
        [line | {"seconds": 0} for line in records.read(run / "metrics.jsonl")]
        for run in (whole, cut)
    ]
    assert untimed[0] == untimed[1]
    again = federate(config(3), labelled(), str(cut), resume=True)
    assert again == results


def test_a_run_goes_on_only_as_itself(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    with pytest.raises(BadInput):
        federate(config(), labelled(), run, resume=True)
    assert not Path(run).exists()
    federate(config(), labelled(), run)
    with pytest.raises(BadInput):
        federate(config(), labelled(), run)
    with pytest.raises(ArtefactError) as fault:
        federate(config(3), labelled(), run, resume=True)
    assert "federation.rounds" in fault.value.what
    with pytest.raises(ArtefactError) as fault:
        federate(config(), labelled("town"), run, resume=True)
    assert "data_sha256" in fault.value.what


def test_without_a_quorum_it_fails_and_says_so(tmp_path: Path) -> None:
    run = tmp_path / "run"
    given = config(5, faults=("lost", "lost"), federation={"failures": 2})
    with pytest.raises(Unavailable) as fault:
        federate(given, labelled(), str(run))
    assert fault.value.exit_code == 5
    assert [line["status"] for line in records.read(run / "metrics.jsonl")] == [
        "ok", "failed", "failed",
    ]  # fmt: skip
    assert not (run / "manifest.json").exists()


def test_what_cannot_be_federated_leaves_nothing_behind(tmp_path: Path) -> None:
    run = tmp_path / "run"
    without = replace(config(), partition=replace(config().partition, auxiliary=0))
    crowded = replace(config(), faults=("nan",) * 4)
    for given in (without, crowded):
        with pytest.raises(BadInput):
            federate(given, labelled(), str(run))
    with pytest.raises(BadInput):
        replace(config(), method=Scaffold())
    assert not run.exists()
    federate(replace(without, method=FedAvg()), labelled(), str(run))


def test_without_a_name_the_folder_has_one_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = replace(labelled(), name="some/flowers.csv")
    results = federate(config(1, method=FedAvg()), data)
    assert results["run"] == "runs/federate-fedavg-flowers"
