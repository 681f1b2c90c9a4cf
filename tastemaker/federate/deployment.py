"""A federation between machines: a server that listens, and clients that join it.

The server lists its clients in a file: a name, the public key of its node, and the most examples
that it may claim. Everything goes over TLS, and a client proves with its key who it is. Without TLS
a server listens on this machine alone.
"""

from __future__ import annotations

import ipaddress
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from tastemaker.errors import BadInput
from tastemaker.federate.keys import KnownClient, read_private_key
from tastemaker.federate.rounds import Federated, Federation
from tastemaker.files import JsonObject
from tastemaker.models.extras import extra
from tastemaker.seams import Engine

if TYPE_CHECKING:
    from tastemaker.federate.flower_client import Prepare

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")  # read when Flower is imported, below


@dataclass(frozen=True)
class ServerPlace:
    """Where a server listens, and for how long it waits."""

    address: str = "127.0.0.1:9092"
    """host:port"""
    certificate: Path | None = None
    """PEM file of its certificate; None: no TLS, and only this machine"""
    private_key: Path | None = None
    """PEM file of the certificate's key"""
    first: float = 300.0
    """seconds for the first round after a start, at least 120: clients still import and connect"""
    timeout: float = 120.0
    """seconds for any other round"""

    def __post_init__(self) -> None:
        """Refuse what would send weights about in the clear."""
        host, _ = host_port(self.address)
        if (self.certificate is None) != (self.private_key is None):
            what = "A certificate and its key go together."
            raise BadInput(what, "certificate", "Give both files, or neither.")
        if self.certificate is None and not _loopback(host):
            what = "Without a certificate a server listens on this machine alone."
            raise BadInput(what, self.address, "Give a certificate and its key.")


@dataclass(frozen=True)
class ClientPlace:
    """Which server a client joins, and as whom."""

    address: str
    """host:port of the server"""
    key: Path
    """file of this client's private key, as `ssh-keygen -t ecdsa` writes it"""
    authority: Path | None = None
    """PEM file of who signed the server's certificate; None: whom the system trusts"""
    insecure: bool = False
    """without TLS, on this machine alone"""
    folder: Path | None = None
    """where it keeps weights of its own and what its method has it remember"""
    patience: float = 600.0
    """seconds to wait for a server that does not answer"""
    pause: float = 1.0
    """seconds between two looks for a message"""

    def __post_init__(self) -> None:
        """Refuse what would send weights about in the clear."""
        host, _ = host_port(self.address)
        if self.insecure and not _loopback(host):
            what = "Without TLS a client joins a server on this machine alone."
            raise BadInput(what, self.address, "Join it with TLS.")


def serve_federation(
    place: ServerPlace,
    clients: Mapping[str, KnownClient],
    plan: JsonObject,
    build: Callable[[Engine, Mapping[str, int]], Federation],
    run: Callable[[Federation], Federated] = lambda federation: federation.run(),
) -> Federated:
    """Listen, go through all rounds, and give the clients the final weights.

    Args:
        place: Where, and how long it waits.
        clients: Who may take part.
        plan: JSON that clients build their part from: model, method and how they train.
        build: Makes the federation of an engine, and of the most examples of each client.
        run: Runs it: into which folder, whether it resumes, who watches.

    Returns:
        How it went; the federation's model has the final weights.

    Raises:
        BadInput: If the address or a file cannot be used, or Flower is not installed.
        Unavailable: If too many rounds in a row had no quorum.
    """
    with extra("federated"):
        from tastemaker.federate.flower_engine import FlowerEngine, Waiting
        from tastemaker.federate.flower_link import Link
    _quieten()
    host, port = host_port(place.address)
    keys = {name: client.key for name, client in clients.items()}
    waiting = Waiting(place.first, place.timeout)
    with Link(keys, host, port, place.certificate, place.private_key) as link:
        engine = FlowerEngine(link, link.nodes, plan, waiting)
        federation = build(engine, {name: client.examples for name, client in clients.items()})
        told = run(federation)
        engine.finish(federation.position.round + 1, federation.position.weights)
    return told


def join_federation(place: ClientPlace, prepare: Prepare) -> nn.Module:
    """Take part until the server has sent the final weights.

    Args:
        place: Which server, and as whom.
        prepare: Makes this client's part of the server's plan: a model, its data, how it trains.

    Returns:
        The model with the final weights, and with those of its own where it has any.

    Raises:
        BadInput: If the server is not to be trusted, does not know this client, or trains another
            model; or if Flower is not installed.
        Unavailable: If the server does not answer for longer than the client is patient.
    """
    with extra("federated"):
        from tastemaker.federate.flower_client import Answering, Memories
        from tastemaker.federate.flower_node import Node, Place
    _quieten()
    key = read_private_key(place.key)
    answering = Answering(prepare, Memories(place.folder))
    reached = Place(
        place.address, key, place.authority, place.insecure, place.patience, place.pause
    )
    Node(reached).serve(answering, lambda: answering.done)
    if answering.final is None:
        raise answering.fault or BadInput("There are no final weights.", place.address)
    return answering.final


def _quieten() -> None:
    """Have Flower and its HTTP library say no more than what is wrong: its import set this."""
    for name in ("flwr", "httpx", "uvicorn"):
        logging.getLogger(name).setLevel(logging.WARNING)


def host_port(address: str) -> tuple[str, int]:
    """The two parts of an address.

    Raises:
        BadInput: If it is none.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        fix = "Give host:port, such as federation.example.org:9092."
        raise BadInput("This is no address.", address, fix)
    return host.strip("[]"), int(port)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
