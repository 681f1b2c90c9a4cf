"""A log is federated by the command that federates tables."""

import json
from pathlib import Path
from typing import Any

import pytest

from tastemaker.cli import main
from tastemaker.commands.federate_log import FOREIGN, LogOptions, named, names_log
from tastemaker.commands.federate_options import SimulateOptions
from tastemaker.errors import BadInput
from tastemaker.federate.fedssd import FedSSD
from tastemaker.run import federate_job as job
from tastemaker.run.federate_log import LogConfig
from tests.run.federated_log import write


def test_a_log_is_federated_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    data = ["--data", str(write(tmp_path / "log")), "--by", "shop", "--rounds", "1"]
    run = ["--out", str(tmp_path / "run")]
    assert main(["federate", "simulate", *data, *run, "--method", "fedprox", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["method"]["kind"] == "FedProx" and results["measure"] == "HR@10"
    assert main(["federate", "report", results["run"]]) == 0
    shown = capsys.readouterr().out
    assert "HR@10" in shown and "NDCG@10" in shown and "accuracy" not in shown
    for option in ("--label", "--alpha", "--model=mlp", "--auxiliary"):
        assert main(["federate", "simulate", *data, option, "1", "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["where"] == option.partition("=")[0]
    assert main(["federate", "simulate", *data[:2], "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["where"] == "--by"


def test_defaults_are_those_of_the_library() -> None:
    own, config = vars(LogOptions(data="a", by="b")), LogConfig()
    for held in (config.federation.local, config.federation):
        for name, value in vars(held).items():
            if name not in ("local", "gate", "privacy"):
                assert own[name] == value, name
    assert own["panel"] == config.panel and own["lost"] == config.lost
    assert own["method"] == type(config.method).__name__.lower()
    assert FedSSD(**vars(own["fedssd"])) == FedSSD(m_max=3.0, threshold=0.0, centred=True)


def test_every_option_of_a_classifier_is_one_of_a_log_or_refused() -> None:
    both = vars(LogOptions(data="a", by="b"))
    assert set(vars(SimulateOptions(data="a"))) - set(both) == set(FOREIGN)


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"by": ""}, "--by"),
        ({"panel": 0}, "--panel"),
        ({"panel": 7}, "--panel"),
        ({"momentum": 0.5}, "--momentum"),
        ({"rounds": 0}, "--rounds"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        LogOptions(**{"data": "a", "by": "b"} | given)
    assert fault.value.where == where


def test_a_log_is_known_by_name_or_by_what_its_folder_holds(tmp_path: Path) -> None:
    assert named(["--by", "x", "--data=a"]) == "a" and named(["--data", "b"]) == "b"
    assert named(["--data"]) == named([]) == ""
    assert names_log("movielens-small") and names_log(str(write(tmp_path / "log")))
    assert not any(map(names_log, ("", "\0", "digits.csv", str(tmp_path))))
