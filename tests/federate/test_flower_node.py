"""A client joins no server that it cannot trust, and waits for one that is away."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flwr.app import Message, RecordDict
from flwr.supercore.primitives.asymmetric import generate_key_pairs, public_key_to_bytes

from tastemaker.errors import BadInput, Unavailable
from tastemaker.federate.flower_link import Link
from tastemaker.federate.flower_node import Node, Place
from tests.federate.deployed import certificate

PRIVATE, PUBLIC = generate_key_pairs()
KEYS = {"a": public_key_to_bytes(PUBLIC)}


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A server with a certificate: its address and the file."""
    files = certificate(tmp_path)
    with Link(KEYS, "127.0.0.1", 0, *files) as link:
        yield f"127.0.0.1:{link.place[1]}", files[0]


def serve(address: str, key: Any = PRIVATE, **options: Any) -> None:
    """Join, and leave once connected."""
    node = Node(Place(address, key, **{"patience": 1.0, "pause": 0.02, **options}))
    node.serve(echo, lambda: node._node is not None)


def echo(message: Message) -> Message:
    return Message(RecordDict(), reply_to=message)


def test_a_known_client_comes_in_and_goes(secure: tuple[str, Path]) -> None:
    address, authority = secure
    serve(address, authority=authority)
    serve(address, authority=authority)


def refused(address: str, **options: Any) -> str:
    with pytest.raises(BadInput) as error:
        serve(address, **options)
    assert error.value.where == address and error.value.fix
    return error.value.what


def test_a_client_without_tls_is_refused(secure: tuple[str, Path]) -> None:
    assert "TLS" in refused(secure[0], insecure=True)


def test_a_key_that_is_not_known_is_refused(secure: tuple[str, Path]) -> None:
    assert "key" in refused(secure[0], authority=secure[1], key=generate_key_pairs()[0])


def test_a_certificate_that_nobody_known_signed_is_refused(secure: tuple[str, Path]) -> None:
    assert "certificate" in refused(secure[0])


def test_a_certificate_that_has_expired_is_refused(tmp_path: Path) -> None:
    files = certificate(tmp_path, days=-1)
    with Link(KEYS, "127.0.0.1", 0, *files) as link:
        told = refused(f"127.0.0.1:{link.place[1]}", authority=files[0])
    assert "expired" in told


def test_a_server_without_tls_is_refused_by_a_client_with() -> None:
    with Link(KEYS) as link:
        assert "TLS" in refused(f"127.0.0.1:{link.place[1]}")


def test_an_authority_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    for raw in (b"none", b"\xff\xfe"):
        (tmp_path / "c.pem").write_bytes(raw)
        with pytest.raises(BadInput):
            Node(Place("127.0.0.1:1", PRIVATE, tmp_path / "c.pem"))


def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def test_a_server_that_does_not_come_is_given_up_after_a_while() -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        serve(f"127.0.0.1:{free()}", insecure=True, patience=0.3)
    assert 0.3 <= time.monotonic() - began < 50


def test_a_server_that_comes_later_and_comes_back_is_joined() -> None:
    port = free()
    node = Node(Place(f"127.0.0.1:{port}", PRIVATE, insecure=True, patience=20, pause=0.02))
    over = False
    thread = Thread(target=lambda: node.serve(echo, lambda: over), daemon=True)
    thread.start()
    for _ in range(2):
        with Link(KEYS, "127.0.0.1", port) as link:
            for _ in range(500):
                if list(link.get_node_ids()):
                    break
                time.sleep(0.02)
            assert set(link.get_node_ids()) == {link.nodes["a"]}
    over = True
    thread.join(60)
    assert not thread.is_alive()
