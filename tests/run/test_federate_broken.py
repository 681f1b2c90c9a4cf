"""What may reach a federation that is not as it should be: data, options, files, and questions."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest

from tastemaker import artifacts, records
from tastemaker.data.labelled import Labelled, read_table
from tastemaker.data.problems import BadData
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.federate.bad_clients import Fault
from tastemaker.federate.baselines import FedAvg, FedGKD, FedNTD, FedProx, Moon, Scaffold
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import Federation
from tastemaker.files import load_tensors
from tastemaker.report.federation import render
from tastemaker.run import federate_job as job
from tastemaker.run.federate import engine_of, federate
from tastemaker.run.federate_opened import open_federated
from tastemaker.run.federate_parts import PartitionConfig, parted
from tastemaker.run.federate_results import KIND, FederateConfig
from tests.run.federated import config, frame, labelled

METHODS: list[Method] = [FedSSD(), FedAvg(), FedProx(), FedNTD(), FedGKD(), Moon(), Scaffold()]
FEW: tuple[Fault, ...] = ("nan", "missing key", "scaled", "late", "duplicate")
COUNTED = {"duplicate", "scaled", "reversed", "lost", "late"}
"""Faults that are no malformed reply of the round."""


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def plain(method: Method, rounds: int = 2, **given: Any) -> FederateConfig:
    local = LocalConfig(epochs=1, batch=16, momentum=0.0)
    return config(rounds, method=method, local=local, **given)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A federation that went well."""
    run = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
        federate(plain(FedAvg()), labelled(), str(run))
    return run


# Replies


def trained(given: FederateConfig) -> Federation:
    """A federation that leaves nothing on the disk."""
    data = labelled()
    parts = parted(data, given.partition, 0)
    made = job.Job(given, data, parts, "nowhere")
    caps = {name: some.examples for name, some in parts.clients.items()}
    federation = made.federation(engine_of(given, made.model, parts.clients), caps)
    federation.run()
    return federation


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
def test_whatever_a_client_sends_every_method_goes_on_with_the_others(method: Method) -> None:
    every = isinstance(method, FedSSD | Scaffold)
    for fault in get_args(Fault) if every else FEW:
        done = trained(plain(method, faults=(fault,)))
        first, second = done.history
        assert (first["accepted"], first["rejected"]) == (3, []), fault
        assert second["status"] == "ok" and second["accepted"] >= 2, fault
        assert np.isfinite([second["accuracy"], second["loss"]]).all()
        assert all(bool(one.isfinite().all()) for one in done.position.weights.values()), fault
        told = [one["client"] for one in second["rejected"]]
        assert told == ["1"] or (fault in COUNTED and told == []), fault


def test_where_all_clients_are_bad_the_model_stays_that_of_the_round_before(
    tmp_path: Path,
) -> None:
    given = plain(FedAvg(), 3, faults=("nan", "wrong shape", "stale"))
    results = federate(given, labelled(), str(tmp_path / "bad"))
    federate(plain(FedAvg(), 1), labelled(), str(tmp_path / "one"))
    bad, one = (load_tensors(tmp_path / run / "model.safetensors") for run in ("bad", "one"))
    assert all(bad[name].equal(one[name]) for name in one)
    assert results["failed"] == 2 and results["rejected"]["count"] == 6
    assert [row["rejected"] for row in results["clients"]] == [2, 2, 2]


# Data


def test_a_silo_of_one_class_takes_part_and_is_measured_by_what_it_holds(tmp_path: Path) -> None:
    table = frame().with_columns(
        town=pl.when(pl.col("kind") == "k0").then(pl.lit("one")).otherwise("town")
    )
    silos = read_table(table, "kind", "town")
    results = federate(plain(FedSSD(), 3), silos, str(tmp_path / "run"))
    held = {row["name"]: row["held"] for row in results["clients"]}
    assert held["one"][0] > 0 and held["one"][1:] == [0, 0]
    assert [row["rejected"] for row in results["clients"]] == [0] * len(held)


@pytest.mark.parametrize("alpha", [1e-320, 1e-9, 1e9, 1e308])
def test_shares_are_dealt_however_they_are_drawn(alpha: float, tmp_path: Path) -> None:
    given = replace(plain(FedAvg(), 1), partition=PartitionConfig(3, alpha, 5, auxiliary=5))
    results = federate(given, labelled(), str(tmp_path / "run"))
    assert sum(row["examples"] for row in results["clients"]) == results["data"]["examples"] == 81
    assert min(row["examples"] for row in results["clients"]) >= 5


def test_one_client_is_a_federation_and_more_examples_than_there_are_are_half(
    tmp_path: Path,
) -> None:
    given = replace(plain(FedSSD(), 1), partition=PartitionConfig(1, 1.0, 5, auxiliary=1000))
    results = federate(given, labelled(), str(tmp_path / "run"))
    assert len(results["clients"]) == 1 and results["failed"] == 0
    assert results["data"]["auxiliary"] == results["data"]["examples"] == 48


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e300", "", "?"])
def test_a_cell_that_is_no_number_is_named_with_its_row(value: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    table = frame().with_columns(pl.col("x").cast(pl.String))
    table[6, "x"] = value
    table.write_csv(path)
    with pytest.raises(BadData) as fault:
        read_table(path, "kind", "town")
    assert [(one.column, one.row) for one in fault.value.problems] == [("x", 7)]


@pytest.mark.parametrize("factor", [1e-30, 1e30, 3e34])
def test_units_however_large_are_scaled(factor: float, tmp_path: Path) -> None:
    table = frame().with_columns(pl.col("x") * factor)
    data = read_table(table, "kind", without=["town"])
    results = federate(plain(FedAvg(), 3), data, str(tmp_path / "run"))
    assert np.isfinite(results["loss"]) and results["unanswered"] == 0


STRANGE = ("<b>x</b>", "ünï", "普通")


def test_names_are_kept_as_they_are_and_the_page_runs_none_of_them(tmp_path: Path) -> None:
    table = frame().rename({"x": "<img src=x onerror=alert(1)>"})
    table = table.with_columns(
        kind=pl.col("kind").replace_strict({f"k{n}": name for n, name in enumerate(STRANGE)}),
        town=pl.col("town").replace({"north": "<script>alert(1)</script>"}),
    )
    run = tmp_path / "run"
    results = federate(plain(FedAvg()), read_table(table, "kind", "town"), str(run))
    assert {row["name"] for row in results["classes"]} == set(STRANGE)
    page = render(results, records.read(run / "metrics.jsonl"))
    assert "<script" not in page and "<b>x" not in page and "<img" not in page
    assert "普通" in page and "ünï" in page
    opened = open_federated(run)
    assert set(opened.classes) == set(STRANGE)
    assert opened.probabilities(table.drop("kind", "town")).shape == (120, 3)


# Files


@pytest.mark.parametrize(
    "name", ["model.safetensors", "model.json", "results.json", "config.json", "metrics.jsonl"]
)
def test_a_changed_file_of_a_finished_run_is_noticed(
    name: str, finished: Path, tmp_path: Path
) -> None:
    run = copied(finished, tmp_path)
    path = run / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ArtefactError):
        open_federated(run)
    with pytest.raises(ArtefactError):
        job.report(run)
    with pytest.raises(ArtefactError):
        federate(plain(FedAvg()), labelled(), str(run), resume=True)


def remove(run: Path, name: str) -> None:
    (run / "checkpoints" / "round-2" / name).unlink()


def truncate(run: Path, name: str) -> None:
    path = run / "checkpoints" / "round-2" / name
    path.write_bytes(path.read_bytes()[:-9])


@pytest.mark.parametrize("break_", [remove, truncate])
@pytest.mark.parametrize("name", ["weights.safetensors", "manifest.json"])
def test_a_broken_checkpoint_is_not_gone_on_from(
    break_: Callable[[Path, str], None], name: str, finished: Path, tmp_path: Path
) -> None:
    run = copied(finished, tmp_path)
    (run / "manifest.json").unlink()  # as if it was killed at its end
    break_(run, name)
    before = (run / "metrics.jsonl").read_text()
    with pytest.raises(ArtefactError) as fault:
        federate(plain(FedAvg()), labelled(), str(run), resume=True)
    assert "round-2" in fault.value.where and (run / "metrics.jsonl").read_text() == before


def test_lines_without_a_checkpoint_are_taken_back(finished: Path, tmp_path: Path) -> None:
    """A process that is killed between the two has written a round that comes again."""
    run = copied(finished, tmp_path)
    (run / "manifest.json").unlink()
    whole = (run / "metrics.jsonl").read_text()
    half = json.dumps({"round": 3, "status": "ok"})[:-5]
    (run / "metrics.jsonl").write_text(whole + half)
    results = federate(plain(FedAvg()), labelled(), str(run), resume=True)
    assert results["rounds"] == 2 and (run / "metrics.jsonl").read_text() == whole
    artifacts.verify(run, KIND)


@pytest.mark.parametrize(
    "other",
    [
        plain(FedProx()), plain(FedAvg(), faults=("nan",)), plain(FedAvg(), lost=0.1),
        replace(plain(FedAvg()), partition=PartitionConfig(4, 1.0, 5, auxiliary=5)),
        config(2, method=FedAvg()),
    ],
    ids=["method", "faults", "lost", "clients", "local"],
)  # fmt: skip
def test_a_run_goes_on_with_its_own_options_alone(
    other: Any, finished: Path, tmp_path: Path
) -> None:
    run = copied(finished, tmp_path)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    with pytest.raises(ArtefactError):
        federate(other, labelled(), str(run), resume=True)
    with pytest.raises(BadInput):
        federate(other, labelled(), str(run))
    assert before == {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def test_a_folder_of_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    for resume in (False, True):
        with pytest.raises((BadInput, ArtefactError)):
            federate(plain(FedAvg()), labelled(), str(tmp_path), resume)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


# Questions


def changed(change: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    return change(frame().drop("kind", "town"))


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda rows: rows.drop("z"), "z"),
        (lambda rows: rows.with_columns(x=pl.lit("much")), "x"),
        (lambda rows: rows.with_columns(x=pl.lit(float("nan"))), "x"),
        (lambda rows: rows.with_columns(x=pl.lit(1e300)), "x"),
        (lambda rows: rows.with_columns(colour=pl.lit("violet")), "colour"),
        (lambda rows: rows.rename({"colour": "Colour"}), "colour"),
    ],
    ids=["missing", "text", "nan", "huge", "category", "spelling"],
)
def test_rows_that_cannot_be_read_are_refused_by_column(
    change: Callable[[pl.DataFrame], pl.DataFrame], column: str, finished: Path
) -> None:
    with pytest.raises(BadData) as fault:
        open_federated(finished).probabilities(changed(change))
    assert {one.column for one in fault.value.problems} == {column}


def test_columns_that_were_not_learned_from_change_nothing(finished: Path) -> None:
    opened, rows = open_federated(finished), frame().drop("kind", "town")
    more = frame().with_columns(extra=pl.lit("?"), kind=pl.lit("of no class"))
    np.testing.assert_array_equal(opened.probabilities(more), opened.probabilities(rows))
    shares = opened.probabilities(rows)
    assert np.isfinite(shares).all()
    np.testing.assert_allclose(shares.sum(1), 1)


def copied(run: Path, folder: Path) -> Path:
    """The same run elsewhere, to be broken."""
    return Path(shutil.copytree(run, folder / "run", symlinks=True))


def test_the_silos_of_data_are_part_of_what_it_is(finished: Path, tmp_path: Path) -> None:
    data: Labelled = labelled("town")
    with pytest.raises(ArtefactError) as fault:
        federate(plain(FedAvg()), data, str(copied(finished, tmp_path)), resume=True)
    assert "data_sha256" in fault.value.what
