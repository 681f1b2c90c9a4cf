"""What a federation tells of itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.data.labelled import PictureForm
from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg, Scaffold
from tastemaker.federate.classifiers import Cnn, Logistic, Mlp
from tastemaker.run import federate_job as job
from tastemaker.run import federate_results
from tastemaker.run.federate import federate
from tastemaker.run.federate_results import warnings_of
from tests.run.federated import config, labelled


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    return federate(config(), labelled(), str(tmp_path / "run"))


def test_it_tells_how_good_and_for_whom(results: dict[str, object]) -> None:
    told: dict[str, object] = results
    classes, clients = told["classes"], told["clients"]
    assert isinstance(classes, list) and isinstance(clients, list)
    assert [row["name"] for row in classes] == ["k0", "k1", "k2"]
    accuracy = sum(row["test"] * row["accuracy"] for row in classes) / 24
    assert told["accuracy"] == pytest.approx(accuracy)
    assert all(0 <= row["credibility"] <= 1 for row in classes)
    lowest = min(row["accuracy"] for row in clients)
    assert isinstance(told["worst_client"], dict) and told["worst_client"]["accuracy"] == lowest
    assert [sum(row["held"]) for row in clients] == [row["examples"] for row in clients]
    assert told["data"] == {
        "name": "the frame", "sha256": labelled().sha256, "classes": 3, "inputs": [5],
        "examples": 81, "clients": 3, "auxiliary": 15, "test": 24,
        "parted": "Dealt by Dirichlet shares of each class, α 1.",
    }  # fmt: skip
    parameters = 5 * 8 + 8 + 8 * 3 + 3
    assert told["model"] == {"kind": "Mlp", "hidden": [8], "parameters": parameters}
    down = 2 * 3 * (4 * parameters)
    assert isinstance(told["bytes"], dict) and down < told["bytes"]["down"] <= down + 2 * 3 * 12


def test_of_too_many_clients_it_is_not_told_who_holds_what(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    monkeypatch.setattr(federate_results, "_MANY_CELLS", 8)
    results = federate(config(1), labelled(), str(tmp_path / "run"))
    assert all("held" not in row for row in results["clients"])


def test_what_to_know_first_is_said() -> None:
    quiet = {
        "failed": 0,
        "unanswered": 0,
        "rejected": {"count": 0},
        "data": {"test": 1000, "auxiliary": 30},
    }
    assert warnings_of(quiet, replace(config(), method=FedAvg())) == []
    (control,) = warnings_of(quiet, config())
    assert "--tune-on-auxiliary" in control
    loud = {
        "failed": 1,
        "unanswered": 3,
        "rejected": {"count": 2},
        "data": {"test": 450, "auxiliary": 0},
    }
    failed, test, silent, rejected = warnings_of(loud, config())
    assert "1 round " in failed and "0.22 points" in test and "2 updates" in rejected
    assert "3 times" in silent


def test_the_model_fits_what_is_learned_from() -> None:
    table = labelled()
    pictures = replace(table, form=PictureForm(("a", "b"), 8, 1))
    auto = replace(config(), model=None)
    assert auto.shape(table) == Mlp() and auto.shape(pictures) == Cnn()
    assert replace(auto, model=Logistic()).shape(pictures) == Logistic()


@pytest.mark.parametrize("given", [{"lost": 1.0}, {"lost": -0.1}, {"method": Scaffold()}])
def test_what_means_nothing_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(config(), **given)
