"""tastemaker federate as a person meets it."""

import json
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.run import federate_job as job
from tests.models.test_labelled_pictures import save
from tests.run.federated import frame

SMALL = ["--clients", "3", "--alpha", "1", "--least", "5", "--auxiliary", "5", "--rounds", "1",
         "--epochs", "1"]  # fmt: skip


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    frame().write_csv(tmp_path / "flowers.csv")
    named = ["--data", str(tmp_path / "flowers.csv"), "--label", "kind"]
    return ["federate", "simulate", *named, "--out", str(tmp_path / "run")]


def test_a_model_is_federated_by_one_command(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, *SMALL, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["run"] == str(tmp_path / "run") and 0 <= results["accuracy"] <= 1
    assert main(["federate", "report", results["run"]]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "FedSSD: 1 round, 3 clients, flowers.csv" in shown and "worst client" in shown
    assert main(["federate", "report", str(tmp_path)]) == 3


@pytest.mark.parametrize("method", ["fedavg", "fedprox", "fedntd", "fedgkd", "moon", "scaffold"])
def test_every_method_can_be_asked_for(
    words: list[str], capsys: pytest.CaptureFixture[str], method: str
) -> None:
    plain = ["--momentum", "0"] if method == "scaffold" else []
    assert main([*words, *SMALL, "--method", method, "--json", *plain]) == 0
    assert json.loads(capsys.readouterr().out)["method"]["kind"].lower() == method


def test_silos_and_failing_clients_can_be_named(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    more = ["--by", "town", "--without", "z", "--without", "x", "--rounds", "2", "--epochs", "1"]
    bad = ["--bad", "wrong-shape", "duplicate", "--model", "logistic"]
    assert main([*words, *more, *bad, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in results["clients"]] == ["east", "north", "south"]
    assert results["data"]["inputs"] == [3] and results["model"]["kind"] == "Logistic"
    assert results["rejected"]["rules"] == {"shape": 1, "duplicate": 1}


def test_a_folder_of_pictures_is_federated(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
    data = ["--data", str(save(tmp_path / "set", each=30)), "--side", "8", *words[-2:]]
    assert main(["federate", "simulate", *data, *SMALL, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["model"]["kind"] == "Cnn" and results["data"]["inputs"] == [8, 8]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (["--label", "species"], "species"),
        (["--by", "city"], "city"),
        (["--data", "nowhere.csv"], "nowhere.csv"),
        (["--data", "."], "--label"),
        (["--method", "scaffold"], "momentum"),
        (["--clients", "100"], "partition"),
        (["--auxiliary", "0", "--least", "5", "--clients", "3"], "auxiliary set"),
        (["--share", "0"], "share"),
        (["--bad", "nan", "--clients", "0"], "--clients"),
    ],
)
def test_what_cannot_be_federated_is_refused_by_name(
    words: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    named: str,
) -> None:
    options = dict(zip(words[2::2], words[3::2], strict=True))
    options |= dict(zip(more[::2], more[1::2], strict=True))
    flat = [word for pair in options.items() for word in pair]
    assert main(["federate", "simulate", *flat, "--json"]) == 2
    fault = json.loads(capsys.readouterr().out)
    assert named in fault["where"] + fault["what"] + fault["fix"]
    assert not (tmp_path / "run").exists()


def test_a_table_needs_a_label_and_a_folder_pictures(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for rest in (words[2:4], ["--data", str(tmp_path)]):
        assert main(["federate", "simulate", *rest]) == 2
    assert "--label" in capsys.readouterr().err
