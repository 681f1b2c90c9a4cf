"""What a federation tells of itself."""

from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.data.labelled import PictureForm
from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg, Scaffold
from tastemaker.federate.classifiers import Cnn, Logistic, Mlp
from tastemaker.federate.client import LocalConfig
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
        "accuracy": 0.8,
        "best": {"round": 2, "accuracy": 0.9},
        "unanswered": 0,
        "rejected": {"count": 0},
        "data": {"test": 1000, "auxiliary": 30},
    }
    assert warnings_of(quiet, replace(config(), method=FedAvg())) == []
    (control,) = warnings_of(quiet, config())
    assert "--tune-on-auxiliary" in control
    loud = {
        "failed": 1,
        "accuracy": 0.1,
        "best": {"round": 2, "accuracy": 0.9},
        "unanswered": 3,
        "rejected": {"count": 2},
        "data": {"test": 450, "auxiliary": 0},
    }
    failed, apart, test, silent, rejected = warnings_of(loud, config())
    assert "round 2" in apart and "0.900" in apart and "0.100" in apart and "--lr" in apart
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


def test_a_model_that_came_apart_is_not_told_as_if_nothing_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The losses of clients stay finite, so nobody gives up and no reply is rejected."""
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    gentle = config(2, local=LocalConfig(epochs=2, batch=8))
    kept = federate(gentle, labelled(), str(tmp_path / "kept"))
    assert kept["best"] == {"round": 2, "accuracy": kept["accuracy"]}
    assert not any("came apart" in warning for warning in kept["warnings"])
    line = {"rejected": [], "status": "ok", "bytes_down": 0, "bytes_up": 0, "clipped": 0,
            "selected": 3, "accepted": 3, "epsilon": None}  # fmt: skip
    history = [line | {"round": n, "accuracy": one} for n, one in enumerate((0.4, 0.96, 0.1), 1)]
    told = federate_results.rounds_of(gentle, history)
    assert told["best"] == {"round": 2, "accuracy": 0.96}
    lost = {**kept, **told, "accuracy": 0.1}
    assert any("round 2" in warning for warning in warnings_of(lost, gentle))


@pytest.mark.parametrize("by", ["", "town"])
def test_how_examples_are_dealt_is_told_where_they_are(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where silos are named nobody dealt anything, whatever the options say."""
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    given = config(1, method=FedAvg())
    results = federate(given, labelled(by), str(tmp_path / "run"))
    told = results["config"]["partition"]
    dealt = {"clients": 3, "alpha": 1.0, "least": 5}
    assert told == ({} if by else dealt) | {"test": 0.2, "auxiliary": 5}
    assert len(results["clients"]) == results["data"]["clients"] == 3
    again = federate(given, labelled(by), str(tmp_path / "run"), resume=True)
    assert again == results
