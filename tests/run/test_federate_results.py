"""What a federation tells of itself."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from tastemaker.data.labelled import Labelled, PictureForm
from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg, Scaffold
from tastemaker.federate.classifiers import Classifier, Cnn, Logistic, Mlp
from tastemaker.federate.examples import Examples
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.privacy import PrivacyConfig
from tastemaker.files import JsonObject
from tastemaker.run import federate_job as job
from tastemaker.run import federate_results
from tastemaker.run.federate import federate
from tastemaker.run.federate_parts import PartitionConfig, parted
from tastemaker.run.federate_results import FederateConfig, results_of, warnings_of
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


def line(accuracy: float, rejected: tuple[tuple[str, str], ...] = (), **more: Any) -> JsonObject:
    """What a round told, in which six were asked."""
    told = [{"client": client, "rule": rule, "value": ""} for client, rule in rejected]
    whole = {
        "status": "ok", "selected": 6, "accepted": 6 - len(told), "rejected": told, "clipped": 1,
        "bytes_down": 100, "bytes_up": 7, "accuracy": accuracy, "loss": 1 - accuracy,
        "epsilon": 2.5,
    }  # fmt: skip
    return {**whole, **more}


HISTORY = [
    line(0.3, (("1", "norm"), ("1", "duplicate"))),
    line(0.9, status="failed", accepted=2, clipped=2),
    line(0.6, (("1", "norm"), ("2", "norm"))),
]


def told(data: Labelled, given: FederateConfig, partition: PartitionConfig) -> dict[str, Any]:
    """Of a model that was never trained."""
    parts = parted(data, partition, 0)
    return results_of(given, data, parts, Classifier(Mlp((8,)), (5,), 3), HISTORY)


def test_sums_are_of_all_rounds_and_quality_is_of_the_last() -> None:
    found = told(labelled(), config(), config().partition)
    assert (found["rounds"], found["failed"], found["clipped"]) == (3, 1, 4)
    assert found["bytes"] == {"down": 300, "up": 21}
    assert (found["accuracy"], found["loss"]) == (0.6, 0.4)
    assert found["rejected"] == {"count": 4, "rules": {"norm": 3, "duplicate": 1}}
    assert [row["rejected"] for row in found["clients"]] == [3, 1, 0]


def test_who_was_rejected_twice_in_a_round_is_one_that_answered() -> None:
    """6 − 4 − 1 in the first round, 4 in the second, none in the third."""
    assert told(labelled(), config(), config().partition)["unanswered"] == 1 + 4


def test_privacy_is_what_was_spent_or_nothing() -> None:
    assert told(labelled(), config(), config().partition)["privacy"] is None
    private = config(federation={"privacy": PrivacyConfig(2.0, 3.0, 1e-3)})
    found = told(labelled(), private, private.partition)["privacy"]
    assert found == {"epsilon": 2.5, "clip": 2.0, "noise": 3.0, "delta": 1e-3}


def test_silos_are_named_and_the_server_believes_nothing_without_examples() -> None:
    found = told(labelled("town"), config(), PartitionConfig(auxiliary=0))
    assert "silos" in found["data"]["parted"] and found["data"]["auxiliary"] == 0
    assert [row["name"] for row in found["clients"]] == ["east", "north", "south"]
    assert [row["credibility"] for row in found["classes"]] == [None] * 3


def test_a_class_that_is_nowhere_in_the_test_is_not_the_worst() -> None:
    data, partition = labelled(), config().partition
    parts = parted(data, partition, 0)
    kept = parts.test.labels != 1
    some = replace(parts, test=Examples(parts.test.inputs[kept], parts.test.labels[kept]))
    model = Classifier(Mlp((8,)), (5,), 3)
    found = results_of(config(), data, some, model, HISTORY)
    rows = cast("list[dict[str, Any]]", found["classes"])
    assert (rows[1]["test"], rows[1]["accuracy"]) == (0, None)
    worst = min((row for row in rows if row["test"]), key=lambda row: float(row["accuracy"]))
    assert found["worst_class"] == {"name": worst["name"], "accuracy": worst["accuracy"]}


def test_what_nobody_knows_of_clients_is_not_told() -> None:
    data = labelled()
    parts = replace(parted(data, config().partition, 0), held=None)
    found: dict[str, Any] = results_of(
        config(), data, parts, Classifier(Mlp((8,)), (5,), 3), HISTORY
    )
    assert found["data"]["examples"] is None and "knows nothing" in found["data"]["parted"]
    assert {(row["examples"], row["classes"], "held" in row) for row in found["clients"]} == {
        (None, None, False)
    }


def test_a_server_s_examples_are_a_caveat_of_the_methods_that_ask_for_them() -> None:
    quiet = {"failed": 0, "unanswered": 0, "rejected": {"count": 0}}
    results = {**quiet, "data": {"test": 1000, "auxiliary": 30}}
    for method, many in ((FedSSD(), 1), (FedSSD(selects="sample"), 0), (FedSSD(m_max=0), 0)):
        assert len(warnings_of(results, replace(config(), method=method))) == many
