"""A log is federated across its silos as labelled data are across clients."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemaker import artifacts, records
from tastemaker.data.problems import BadData
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.federate.baselines import Scaffold
from tastemaker.federate.fedssd import FedSSD
from tastemaker.files import load_tensors
from tastemaker.run import federate_job as job
from tastemaker.run.federate_job import report
from tastemaker.run.federate_log import LogConfig, federate_log
from tastemaker.run.federate_results import KIND
from tests.run.federated_log import ITEMS, config, frame, write

PAGE = job.write_page
OURS = FedSSD(m_max=3.0, threshold=0.0, centred=True)


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than the training."""
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def test_a_run_says_how_good_it_is_for_each_silo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "write_page", PAGE)
    run = tmp_path / "run"
    results = federate_log(config(faults=("nan",)), write(tmp_path / "log"), "shop", str(run))
    artifacts.verify(run, KIND)
    data, silos = results["data"], results["clients"]
    assert (data["clients"], data["users"], data["items"]) == (3, 18, ITEMS)
    assert (data["test"], data["auxiliary"], data["smallest"]) == (18, 0, 6)
    assert [one["name"] for one in silos] == ["east", "north", "south"]
    assert sum(one["examples"] for one in silos) == data["examples"] == len(frame()) - 3 * 18
    for measure in ("accuracy", "ndcg@10"):
        of_silos = [one[measure] for one in silos]
        assert results[measure] == pytest.approx(np.mean(of_silos))
    last = records.read(run / "metrics.jsonl")[-1]
    assert last["worst_client"] == min(one["accuracy"] for one in silos)
    assert results["worst_client"]["accuracy"] == last["worst_client"]
    assert results["worst_ndcg@10"] == min(one["ndcg@10"] for one in silos)
    assert results["rejected"]["rules"] == {"finite": 1} and silos[0]["rejected"] == 1
    page = (run / "report.html").read_text()
    assert "HR@10 on the test" in page and "NDCG@10" in page and ">north<" in page
    assert "ccuracy" not in page and "classes</th>" not in page
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    assert report(run) == results


class Stop(Exception):
    """A process that dies."""


def test_a_run_goes_on_and_ends_bit_for_bit_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut, data = tmp_path / "whole", tmp_path / "cut", write(tmp_path / "log")
    given = config(method=OURS)
    results = federate_log(given, data, "shop", str(whole))
    assert results["data"]["users"] == 15 and results["data"]["auxiliary"] > 0

    def die(line: dict[str, Any]) -> str:
        raise Stop

    with monkeypatch.context() as patch:
        patch.setattr(job, "_said", die)
        with pytest.raises(Stop):
            federate_log(given, data, "shop", str(cut))
    federate_log(given, data, "shop", str(cut), resume=True)
    a, b = (load_tensors(run / "model.safetensors") for run in (whole, cut))
    assert a.keys() == b.keys() and all(a[name].equal(b[name]) for name in a)
    lines, again = (
        [line | {"seconds": 0} for line in records.read(run / "metrics.jsonl")]
        for run in (whole, cut)
    )
    assert lines == again
    assert all(0 <= line["credibility"] <= 1 for line in lines)
    with pytest.raises(ArtefactError) as fault:
        federate_log(replace(given, panel=4), data, "shop", str(cut), resume=True)
    assert "panel" in fault.value.what


def test_silos_with_items_that_the_catalogue_lacks_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadData) as fault:
        federate_log(config(), write(tmp_path / "log", ITEMS - 1), "shop", str(tmp_path / "run"))
    found = {problem.file for problem in fault.value.problems}
    assert found and found <= {"east", "north", "south"}
    assert all("i11" in problem.what for problem in fault.value.problems)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "by", "where"),
    [
        ({}, "", "--by"),
        ({"method": OURS}, "shop", "--method fedssd"),
        ({"federation": replace(config().federation, tune_on_auxiliary=True), "panel": 99},
         "shop", "panel"),
    ],
)  # fmt: skip
def test_what_cannot_be_federated_is_refused(
    tmp_path: Path, given: dict[str, Any], by: str, where: str
) -> None:
    with pytest.raises(BadInput) as fault:
        federate_log(config(**given), frame(), by, str(tmp_path / "run"))
    assert fault.value.where == where
    assert not (tmp_path / "run").exists()


def test_a_silo_without_a_next_item_to_learn_is_named(tmp_path: Path) -> None:
    lonely = frame().head(1).with_columns(user_id=pl.lit("one"), shop=pl.lit("kiosk"))
    with pytest.raises(BadInput) as fault:
        federate_log(config(), frame().vstack(lonely), "shop", str(tmp_path / "run"))
    assert fault.value.where == "kiosk"


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(BadInput) as fault:
        LogConfig(panel=0)
    assert fault.value.where == "--panel"
    with pytest.raises(BadInput) as fault:
        config(method=Scaffold())
    assert fault.value.where == "--optimizer"
    assert config(method=Scaffold(), local={"optimizer": "sgd"}).method == Scaffold()
