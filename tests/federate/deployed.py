"""Keys, certificates and a small federation between a server and clients on this machine."""

import datetime
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from torch import nn

from tastemaker.federate.client import Client, LocalConfig
from tastemaker.federate.deployment import ClientPlace, join_federation
from tastemaker.federate.evaluation import classification
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.flower_client import Participant
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.keys import KnownClient, read_clients
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tastemaker.files import JsonObject, json_text
from tastemaker.seams import Engine
from tests.federate.digits import Silos, classifier

LOCAL = LocalConfig(epochs=1, batch=32)
PLAN: JsonObject = {"method": "fedssd"}


def key_pair(folder: Path, name: str) -> tuple[Path, str]:
    """A private key file, and the line of its public key."""
    key = ec.generate_private_key(ec.SECP384R1())
    path = folder / f"{name}.key"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return path, public.decode()


def certificate(folder: Path, days: int = 2) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that signs itself, and its key; negative days: expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "federation")])
    now = datetime.datetime.now(datetime.UTC)
    end = now + datetime.timedelta(days=days)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - datetime.timedelta(days=10))
        .not_valid_after(end)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "server.pem", folder / "server.key"
    paths[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@dataclass
class Deployed:
    """A federation's data and its keys."""

    folder: Path
    silos: Silos
    clients: Mapping[str, KnownClient]

    @classmethod
    def made(cls, folder: Path, count: int = 3) -> "Deployed":
        silos, listed = Silos(clients=count), {}
        for name, size in silos.sizes.items():
            _, public = key_pair(folder, name)
            listed[name] = {"key": public, "examples": 2 * size}
        (folder / "clients.json").write_text(json_text(listed))
        return cls(folder, silos, read_clients(folder / "clients.json"))

    def place(self, name: str, address: str, **options: object) -> ClientPlace:
        told = {"pause": 0.05, "patience": 20.0, **options}
        return ClientPlace(address, self.folder / f"{name}.key", **told)  # type: ignore[arg-type]

    def prepare(self, name: str, method: object = None) -> "Prepared":
        return Prepared(self, name, method)

    def federation(
        self, engine: Engine, caps: Mapping[str, int], rounds: int = 3, method: object = None
    ) -> Federation:
        parties = Parties(engine, caps, classification(self.silos.test, 10), self.silos.auxiliary)
        config = FederationConfig(rounds, local=LOCAL)
        return Federation(classifier(), method or FedSSD(), parties, config)  # type: ignore[arg-type]

    def in_process(self, rounds: int = 3, method: object = None) -> Federation:
        """The same without a network, run to its end."""
        told = method or FedSSD()
        engine = InProcess(classifier(), self.silos.clients, told, LOCAL)  # type: ignore[arg-type]
        caps = {name: client.examples for name, client in self.clients.items()}
        federation = self.federation(engine, caps, rounds, method)
        federation.run()
        return federation


@dataclass
class Prepared:
    """Makes a client's part of a plan."""

    deployed: Deployed
    name: str
    method: object = None
    other_model: bool = False

    def __call__(self, plan: JsonObject) -> Participant:
        assert plan == PLAN
        client = Client(self.name, self.deployed.silos.clients[self.name])
        model = classifier()
        if self.other_model:
            model.head = nn.Linear(16, 7)
        return Participant(model, client, self.method or FedSSD(), LOCAL)  # type: ignore[arg-type]


class Joined:
    """A client in a thread of its own."""

    def __init__(
        self,
        deployed: Deployed,
        place: ClientPlace,
        name: str,
        method: object = None,
        other_model: bool = False,
    ) -> None:
        self.model: nn.Module | None = None
        self.error: Exception | None = None
        prepare = Prepared(deployed, name, method, other_model)

        def work() -> None:
            try:
                self.model = join_federation(place, prepare)
            except Exception as error:  # told to the test
                self.error = error

        self.thread = Thread(target=work, daemon=True)
        self.thread.start()
