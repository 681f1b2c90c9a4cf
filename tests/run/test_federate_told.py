"""A federation tells where it came apart, and nothing of options that decided nothing."""

from pathlib import Path

import pytest

from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.client import LocalConfig
from tastemaker.run import federate_job as job
from tastemaker.run import federate_results
from tastemaker.run.federate import federate
from tastemaker.run.federate_results import warnings_of
from tests.run.federated import config, labelled


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
