"""What `tastemaker federate` can be asked."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from tastemaker.commands.federate_training import TrainingOptions, check_counts
from tastemaker.errors import BadInput
from tastemaker.options import Positional, Repeatable

Fault = Literal[
    "nan", "infinity", "missing-key", "extra-key", "wrong-shape", "wrong-dtype",
    "negative-examples", "no-examples", "many-examples", "duplicate", "stale", "oversized",
    "scaled", "reversed", "greedy", "late", "lost",
]  # fmt: skip


@dataclass(frozen=True)
class DataOptions:
    """What is learned from."""

    data: str = ""
    """a table (.csv, .parquet, .arrow, .jsonl, …), or a folder with a folder of pictures a class"""
    label: str = ""
    """column of the class; every other column is a feature"""
    without: Repeatable = ()
    """a column to leave out, such as an id; may be given several times"""
    side: int = 28
    """pixels of the square that the middle of each picture is scaled to"""
    auxiliary: int = 10
    """labelled examples of each class that the server learns credibility and scaling from"""

    def check_data(self) -> None:
        """Refuse what is no data.

        Raises:
            BadInput: Naming the option.
        """
        check_named(self.data)
        check_counts(self, side=4096)


@dataclass(frozen=True)
class SimulateOptions(TrainingOptions, DataOptions):
    """Train one classifier from the data of many clients, simulated in this process."""

    by: str = ""
    """column that says in which silo a row lies; empty: rows are dealt to --clients"""
    clients: int = 10
    """clients that examples are dealt to, where --by names no silos"""
    alpha: float = 0.1
    """of the Dirichlet shares of each class; the smaller, the fewer classes a client holds"""
    least: int = 10
    """examples that each client is dealt"""
    test: float = 0.2
    """share of each class that is held out to measure by"""
    lost: float = 0.0
    """share of the replies of each round that are lost"""
    bad: tuple[Fault, ...] = ()
    """what the first clients do wrong, one each, from round 2 on"""

    def __post_init__(self) -> None:
        """Refuse what no federation can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        self.check_data()
        self.check_training()
        check_counts(self, clients=1_000_000)
        plain = {one.name: one.default for one in fields(self)}
        for name in ("clients", "alpha", "least"):
            if self.by and vars(self)[name] != plain[name]:
                what = f"--{name} deals rows to clients, and --by names the silos they lie in."
                raise BadInput(what, f"--{name}", "Leave one of them out.")


@dataclass(frozen=True)
class ServerOptions(TrainingOptions, DataOptions):
    """Lead a federation whose clients join over the network."""

    clients: str = ""
    """JSON file of who may take part: {"name": {"key": "ecdsa-…", "examples": 1000}, …}, each with
    its public key and the most examples that it may claim"""
    address: str = "127.0.0.1:9092"
    """host:port to listen at"""
    certificate: str = ""
    """PEM file of the server's certificate; empty: no TLS, and this machine alone"""
    private_key: str = ""
    """PEM file of the certificate's key"""
    first: float = 300.0
    """seconds for the first round after a start, while clients still connect; 120 or more"""
    timeout: float = 120.0
    """seconds for any other round"""

    def __post_init__(self) -> None:
        """Refuse what no federation can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        self.check_data()
        self.check_training()
        if not self.clients:
            fix = "Name a JSON file of their names, keys and most examples."
            raise BadInput("Nobody may take part.", "--clients", fix)


@dataclass(frozen=True)
class ClientOptions:
    """Take part in a federation with data that stays here."""

    data: str = ""
    """a table with the columns that the server's plan names, or a folder of pictures by class"""
    server: str = ""
    """host:port of the server"""
    key: str = ""
    """file of this client's private key, as `ssh-keygen -t ecdsa -b 384` writes it"""
    name: str = ""
    """what the server calls this client; default: the name of the key file without its ending"""
    authority: str = ""
    """PEM file of who signed the server's certificate; empty: whom the system trusts"""
    insecure: bool = False
    """without TLS, to a server on this machine alone"""
    patience: float = 600.0
    """seconds to wait for a server that does not answer"""
    out: str = ""
    """folder of the model, and of what is remembered between rounds; default: runs/federated-NAME;
    an unfinished one is gone on with"""

    def __post_init__(self) -> None:
        """Refuse what cannot be joined, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        check_named(self.data)
        for name, what in (("server", "The server has no address."), ("key", "There is no key.")):
            if not vars(self)[name]:
                raise BadInput(what, f"--{name}", f"Give --{name}; --help says what it is.")


@dataclass(frozen=True)
class ReportOptions:
    """Write the page of a finished federation again, and show what it tells."""

    run: Positional
    """folder of the run"""


def check_named(data: str) -> None:
    """Refuse an empty name of data.

    Raises:
        BadInput: Naming the option.
    """
    if not data:
        fix = "Name a table with a label column, or a folder with a folder of pictures a class."
        raise BadInput("There is no data to learn from.", "--data", fix)
