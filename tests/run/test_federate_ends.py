"""However a federation ends, what it has is sound, and it goes on from there."""

import errno
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tastemaker import artifacts, records
from tastemaker.errors import BadInput, NumericFault, OutOfResources
from tastemaker.federate.client import LocalConfig
from tastemaker.files import load_tensors
from tastemaker.run import federate_job as job
from tastemaker.run.federate import federate
from tastemaker.run.federate_results import KIND
from tastemaker.run.folder import only_writer
from tastemaker.train.stopping import Stopped
from tests.run.federated import config, labelled


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def untimed(run: Path) -> list[dict[str, object]]:
    return [line | {"seconds": 0} for line in records.read(run / "metrics.jsonl")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A federation that nothing happened to, with a bad client."""
    run = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
        federate(config(3, faults=("late",)), labelled(), str(run))
    return run


def same(run: Path, whole: Path) -> bool:
    one, other = (load_tensors(r / "model.safetensors") for r in (run, whole))
    return untimed(run) == untimed(whole) and all(one[name].equal(other[name]) for name in other)


def test_the_same_seed_is_the_same_federation(tmp_path: Path, whole: Path) -> None:
    again = tmp_path / "again"
    results = federate(config(3, faults=("late",)), labelled(), str(again))
    assert same(again, whole)
    other = config(3, faults=("late",), local=LocalConfig(epochs=2, batch=8, seed=1))
    federate(other, labelled(), str(tmp_path / "other"))
    assert not same(tmp_path / "other", whole)
    assert results["data"]["sha256"] == labelled().sha256


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    run = tmp_path / "run"
    said = job._said

    def interrupted(line: Any) -> str:
        if line["round"] == 2:
            os.kill(os.getpid(), number)
        return said(line)

    with monkeypatch.context() as patch:
        patch.setattr(job, "_said", interrupted)
        with pytest.raises(Stopped) as stop:
            federate(config(3), labelled(), str(run))
    assert stop.value.exit_code == 128 + number and stop.value.out == str(run)
    assert not (run / "manifest.json").exists()
    federate(config(3), labelled(), str(run), resume=True)
    federate(config(3), labelled(), str(tmp_path / "whole"))
    assert same(run, tmp_path / "whole")


@pytest.mark.parametrize("write", ["write_page", "save_classifier"])
def test_a_full_disk_at_the_end_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    run = tmp_path / "run"

    def full(*_: object) -> None:
        raise OutOfResources("The disk is full.", str(run), "Free space.")

    with monkeypatch.context() as patch:
        patch.setattr(job, write, full)
        with pytest.raises(OutOfResources):
            federate(config(), labelled(), str(run))
    assert not (run / "manifest.json").exists()
    federate(config(), labelled(), str(run), resume=True)
    artifacts.verify(run, KIND)
    assert len(records.read(run / "metrics.jsonl")) == 2


def test_a_full_disk_amid_rounds_is_said_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"

    def full(path: Path, record: object) -> None:
        from tastemaker.files import resources

        with resources(path, 10):
            raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(records, "append", full)
        with pytest.raises(OutOfResources):
            federate(config(), labelled(), str(run))
    assert federate(config(), labelled(), str(run), resume=True)["rounds"] == 2


def test_one_process_writes_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    federate(config(1), labelled(), str(run))
    (run / "manifest.json").unlink()
    with only_writer(run), pytest.raises(BadInput):
        federate(config(1), labelled(), str(run), resume=True)


def test_a_model_that_explodes_ends_it_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the average gives no number, no round is written that has none."""
    run = tmp_path / "run"
    evaluate = job.Parts.evaluate

    def exploding(parts: Any, classes: int) -> Any:
        inner, rounds = evaluate(parts, classes), iter(range(10))
        return lambda model: {**inner(model), "loss": float("nan") if next(rounds) else 1.0}

    monkeypatch.setattr(job.Parts, "evaluate", exploding)
    with pytest.raises(NumericFault) as fault:
        federate(config(3), labelled(), str(run))
    assert fault.value.exit_code == 4
    assert [line["round"] for line in untimed(run)] == [1]


def test_clients_that_give_up_are_counted(tmp_path: Path) -> None:
    steep = LocalConfig(epochs=3, batch=8, lr=1e6)
    results = federate(
        config(1, local=steep, federation={"failures": 2}), labelled(), str(tmp_path)
    )
    (line,) = records.read(tmp_path / "metrics.jsonl")
    assert results["unanswered"] == 3 - line["accepted"] >= 2 and results["failed"] == 1
    assert any("did not reply" in warning for warning in results["warnings"])
    assert any("no quorum" in warning for warning in results["warnings"])
