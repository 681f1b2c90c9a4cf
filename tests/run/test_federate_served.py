"""A server without clients' data and clients without each other's train one model."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import polars as pl
import pytest

pytest.importorskip("flwr", reason="flwr is not installed: it comes with the extra federated")

from tastemaker.config import from_json, to_json
from tastemaker.data.labelled import PictureForm, read_table
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.federate.deployment import ClientPlace, ServerPlace
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.keys import read_clients
from tastemaker.files import load_tensors
from tastemaker.run import federate_job as job
from tastemaker.run import federate_served
from tastemaker.run.federate_opened import Saved, open_federated
from tastemaker.run.federate_served import MEMORY, Plan, join, read_as, serve
from tastemaker.train.stopping import Stopped
from tests.federate.deployed import key_pair
from tests.run.federated import config, frame

TABLE = frame().drop("town")


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


@pytest.fixture
def address() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    yield f"127.0.0.1:{port}"


def saved() -> Saved:
    from tastemaker.run.federate_parts import of_server

    data = read_table(TABLE, "kind")
    parts = of_server(data, config().partition, 0, ["a"])
    return Saved(config().shape(data), data.inputs.shape[1:], data.form, parts.scaling)


def test_what_a_client_needs_goes_over_the_wire_whole() -> None:
    plan = Plan(saved(), FedSSD(0.5), config().federation.local)
    told = json.loads(json.dumps(to_json(plan)))
    assert from_json(Plan, told, "plan") == plan
    assert "k0" in str(told) and "1000" not in str(told["model"]["form"])
    with pytest.raises(BadInput):
        from_json(Plan, told | {"run": "rm"}, "plan")


def test_data_that_is_not_what_the_plan_asks_for_is_refused(tmp_path: Path) -> None:
    plan = saved()
    assert len(read_as(TABLE.head(2), plan).labels) == 2
    bad = TABLE.with_columns(pl.lit("violet").alias("colour"), pl.lit("k9").alias("kind"))
    with pytest.raises(BadData) as fault:
        read_as(bad, plan)
    assert {p.column for p in fault.value.problems} == {"colour", "kind"}
    with pytest.raises(BadInput):
        read_as(tmp_path, plan)
    pictures = Saved(plan.shape, (8, 8), PictureForm(("a", "b"), 8, 1), plan.scaling)
    with pytest.raises(BadInput):
        read_as(TABLE, pictures)


def test_a_federation_between_machines_leaves_one_model_everywhere(
    tmp_path: Path, address: str
) -> None:
    listed = {}
    for name in ("north", "south"):
        _, public = key_pair(tmp_path, name)
        listed[name] = {"key": public, "examples": 100}
    (tmp_path / "clients.json").write_text(json.dumps(listed))
    told: dict[str, Any] = {}

    def take_part(name: str, rows: pl.DataFrame) -> None:
        out = tmp_path / f"{name}-run"
        key = tmp_path / f"{name}.key"
        place = ClientPlace(address, key, insecure=True, folder=out / MEMORY, pause=0.05)
        told[name] = join(place, name, rows, str(out))

    parts = {"north": TABLE[60:95], "south": TABLE[95:]}
    threads = [Thread(target=take_part, args=item, daemon=True) for item in parts.items()]
    for thread in threads:
        thread.start()
    server = read_table(TABLE.head(60), "kind")
    clients = read_clients(tmp_path / "clients.json")
    results = serve(config(), server, ServerPlace(address), clients, str(tmp_path / "run"))
    for thread in threads:
        thread.join(60)
    assert results["data"]["clients"] == 2 and results["data"]["examples"] is None
    assert results["data"]["auxiliary"] == 15 and results["data"]["test"] == 45
    assert results["rounds"] == 2 and results["worst_client"] is None
    assert [one["name"] for one in results["clients"]] == ["north", "south"]
    assert {name: one["examples"] for name, one in told.items()} == {"north": 35, "south": 25}
    folders = [tmp_path / name for name in ("run", "north-run", "south-run")]
    first, *others = [load_tensors(run / "model.safetensors") for run in folders]
    assert all(one[name].equal(first[name]) for one in others for name in first)
    shares = [open_federated(run).probabilities(TABLE.head(3)) for run in folders]
    assert (shares[0] == shares[1]).all() and shares[0].shape == (3, 3)
    with pytest.raises(BadInput):
        take_part("north", TABLE)


def test_a_client_whose_data_is_not_there_does_not_wait_for_a_plan(
    tmp_path: Path, address: str
) -> None:
    key_pair(tmp_path, "north")
    place = ClientPlace(address, tmp_path / "north.key", insecure=True, patience=0.1)
    for name in ("none.csv", "no/folder"):
        with pytest.raises(BadInput) as fault:
            join(place, "north", tmp_path / name, str(tmp_path / "run"))
        assert fault.value.where == str(tmp_path / name)
    assert not (tmp_path / "run").exists()


def test_a_client_that_is_stopped_is_told_a_command_that_there_is(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes on with what its folder holds, and has no option --resume."""

    def stopped(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(federate_served, "join_federation", stopped)
    key_pair(tmp_path, "north")
    place = ClientPlace(address, tmp_path / "north.key", insecure=True)
    with pytest.raises(Stopped) as stop:
        join(place, "north", TABLE, str(tmp_path / "run"))
    words = ["tastemaker", "federate", "client", "--key", "north"]
    told = stop.value.told(words)
    assert told.fix.endswith(" ".join(words)) and told.exit_code == 128 + signal.SIGTERM
