"""A federation over TLS between a server and clients gives the weights of one in this process."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from tastemaker import records
from tastemaker.errors import BadInput, Unavailable
from tastemaker.federate.baselines import Moon
from tastemaker.federate.deployment import (
    ClientPlace,
    ServerPlace,
    host_port,
    join_federation,
    serve_federation,
)
from tastemaker.federate.flower_engine import Waiting
from tastemaker.federate.rounds import Federated, Federation
from tastemaker.files import load_tensors
from tastemaker.seams import Broadcast, Engine
from tests.federate.deployed import PLAN, Deployed, Joined, certificate, key_pair

ROUNDS = 3


def free() -> str:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return f"127.0.0.1:{bound.getsockname()[1]}"


def serve(
    deployed: Deployed,
    place: ServerPlace,
    run: Callable[[Federation], Federated] = Federation.run,
    method: object = None,
    around: Callable[[Engine], Engine] = lambda engine: engine,
) -> Federation:
    made: list[Federation] = []

    def build(engine: Any, caps: Mapping[str, int]) -> Federation:
        engine.waiting = Waiting(timeout=20, pause=0.02)
        made.append(deployed.federation(around(engine), caps, ROUNDS, method))
        return made[0]

    serve_federation(place, deployed.clients, PLAN, build, run)
    return made[0]


def same(left: Any, right: Any) -> bool:
    return all(torch.equal(right[name], tensor) for name, tensor in left.items())


def test_a_federation_over_tls_is_the_federation_in_this_process(tmp_path: Path) -> None:
    deployed, address = Deployed.made(tmp_path, 2), free()
    files = certificate(tmp_path)
    joined = [
        Joined(deployed, deployed.place(name, address, authority=files[0]), name)
        for name in deployed.clients
    ]
    federation = serve(deployed, ServerPlace(address, *files))
    assert [record["status"] for record in federation.history] == ["ok"] * ROUNDS
    weights = deployed.in_process(ROUNDS).position.weights
    assert same(weights, federation.position.weights)
    for client in joined:
        client.thread.join(60)
        assert client.error is None and client.model is not None
        assert same(weights, client.model.state_dict()), "everybody has the final weights"


class Dies(Exception):
    """In place of a kill."""


class DiesInRound:
    """An engine in whose second round the server dies, after a client has answered."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def round(self, broadcast: Broadcast, participants: Any) -> Any:
        for reply in self.engine.round(broadcast, participants):
            if broadcast.round == 2:
                raise Dies
            yield reply


def test_a_server_that_dies_in_a_round_ends_with_the_same_weights(tmp_path: Path) -> None:
    """MOON: what clients remember of the round that is asked again must not count twice."""
    deployed, address, out = Deployed.made(tmp_path), free(), tmp_path / "out"
    joined = [
        Joined(deployed, deployed.place(name, address, insecure=True), name, Moon())
        for name in deployed.clients
    ]
    place = ServerPlace(address)
    with pytest.raises(Dies):
        serve(deployed, place, lambda one: one.run(out), Moon(), DiesInRound)
    federation = serve(deployed, place, lambda one: one.run(out, resume=True), Moon())
    assert same(deployed.in_process(ROUNDS, Moon()).position.weights, federation.position.weights)
    for client in joined:
        client.thread.join(60)
        assert client.error is None


def test_a_client_that_trains_another_model_leaves_and_the_others_go_on(tmp_path: Path) -> None:
    deployed, address = Deployed.made(tmp_path), free()
    odd, *names = deployed.clients
    places = {name: deployed.place(name, address, insecure=True) for name in deployed.clients}
    others = [Joined(deployed, places[name], name) for name in names]
    skewed = Joined(deployed, places[odd], odd, other_model=True)
    federation = serve(deployed, ServerPlace(address))
    assert [record["accepted"] for record in federation.history] == [len(names)] * ROUNDS
    for client in (*others, skewed):
        client.thread.join(60)
    assert isinstance(skewed.error, BadInput) and "another model" in str(skewed.error)
    assert all(client.error is None for client in others)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ServerPlace("0.0.0.0:9092"),
        lambda: ServerPlace("example.org:9092"),
        lambda: ServerPlace("127.0.0.1:9092", certificate=Path("c.pem")),
        lambda: ServerPlace("127.0.0.1"),
        lambda: ServerPlace("127.0.0.1:99999"),
        lambda: ClientPlace("192.0.2.1:9092", Path("k"), insecure=True),
        lambda: ClientPlace(":9092", Path("k")),
    ],
)
def test_weights_go_to_no_other_machine_in_the_clear(wrong: Callable[[], Any]) -> None:
    with pytest.raises(BadInput):
        wrong()


def test_an_address_has_a_host_and_a_port() -> None:
    assert host_port("example.org:80") == ("example.org", 80)
    assert host_port("[::1]:80") == ("::1", 80)


def test_a_client_without_a_server_gives_up(tmp_path: Path) -> None:
    path, _ = key_pair(tmp_path, "a")
    place = ClientPlace(free(), path, insecure=True, patience=0.2, pause=0.02)
    with pytest.raises(Unavailable):
        join_federation(place, lambda plan: pytest.fail("nobody sent a plan"))


def test_flower_sends_nothing_about_its_use() -> None:
    assert os.environ["FLWR_TELEMETRY_ENABLED"] == "0"


SERVER = """
import sys
from pathlib import Path
from tastemaker.federate.deployment import ServerPlace, serve_federation
from tastemaker.federate.flower_engine import Waiting
from tests.federate.deployed import PLAN, Deployed, Silos, read_clients

folder, address, out = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
deployed = Deployed(folder, Silos(clients=3), read_clients(folder / "clients.json"))

def build(engine, caps):
    engine.waiting = Waiting(pause=0.05)
    return deployed.federation(engine, caps, 6)

place = ServerPlace(address, folder / "server.pem", folder / "server.key")
serve_federation(place, deployed.clients, PLAN, build, lambda one: one.run(out, resume=True))
"""


@pytest.mark.slow
def test_a_server_killed_after_a_round_ends_with_the_same_weights(tmp_path: Path) -> None:
    """Killed twice, at whatever it does."""
    deployed, address, out = Deployed.made(tmp_path), free(), tmp_path / "out"
    files = certificate(tmp_path)
    joined = [
        Joined(deployed, deployed.place(n, address, authority=files[0], patience=600.0), n)
        for n in deployed.clients
    ]
    command = [sys.executable, "-c", SERVER, str(tmp_path), address, str(out)]
    for rounds in (2, 4):
        process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
        while process.poll() is None and len(records.read(out / "metrics.jsonl")) < rounds:
            time.sleep(0.03)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, timeout=600, cwd=Path(__file__).parents[2])
    final = load_tensors(out / "checkpoints" / "round-6" / "weights.safetensors")
    assert same(deployed.in_process(6).position.weights, final)
    for client in joined:
        client.thread.join(60)
        assert client.error is None and client.model is not None
        assert same(final, client.model.state_dict())
