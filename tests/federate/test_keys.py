"""A list of clients is read with all its faults, and keys of other kinds are refused."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.federate.keys import read_clients, read_private_key
from tastemaker.files import json_text
from tests.federate.deployed import key_pair


def listed(folder: Path, entries: Any) -> Path:
    path = folder / "clients.json"
    path.write_text(json_text(entries))
    return path


def other_key(folder: Path) -> tuple[Path, str]:
    key = ed25519.Ed25519PrivateKey.generate()
    path = folder / "other.key"
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


def test_a_list_is_read_and_a_comment_behind_a_key_is_none_of_it(tmp_path: Path) -> None:
    (_, first), (_, second) = key_pair(tmp_path, "a"), key_pair(tmp_path, "b")
    path = listed(
        tmp_path,
        {"a": {"key": f"{first} ann@home", "examples": 10}, "b": {"key": second, "examples": 1}},
    )
    clients = read_clients(path)
    assert {name: client.examples for name, client in clients.items()} == {"a": 10, "b": 1}
    assert clients["a"].key != clients["b"].key
    assert clients["a"].key.startswith(b"-----BEGIN PUBLIC KEY")


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    _, key = key_pair(tmp_path, "a")
    entries = {
        "fine": {"key": key, "examples": 3},
        "none": {"key": key, "examples": 0},
        "truth": {"key": key, "examples": True},
        "text": {"key": key, "examples": "10"},
        "missing": {"key": key},
        "more": {"key": key, "examples": 1, "admin": True},
        "no key": {"key": "ssh-rsa AAAA", "examples": 1},
        "other": {"key": other_key(tmp_path)[1], "examples": 1},
        "list": [],
        "twin": {"key": key, "examples": 3},
    }
    with pytest.raises(BadData) as refused:
        read_clients(listed(tmp_path, entries))
    problems = {problem.column for problem in refused.value.problems}
    assert problems == {*entries.keys() - {"fine", "twin"}, ""}


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null"])
def test_what_is_no_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "clients.json").write_text(text)
    with pytest.raises(BadInput):
        read_clients(tmp_path / "clients.json")
    with pytest.raises(BadInput):
        read_clients(tmp_path / "none.json")


def test_a_private_key_is_read_and_others_are_refused_with_how_to_make_one(tmp_path: Path) -> None:
    path, _ = key_pair(tmp_path, "a")
    assert read_private_key(path).curve.name == "secp384r1"
    (tmp_path / "text").write_text("key")
    for wrong in (other_key(tmp_path)[0], tmp_path / "text", tmp_path / "none"):
        with pytest.raises(BadInput) as refused:
            read_private_key(wrong)
        assert "ssh-keygen" in refused.value.fix


def test_a_key_that_ssh_keygen_writes_is_read(tmp_path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ecdsa", "-b", "384", "-N", "", "-f", tmp_path / "id"]
    try:
        subprocess.run(command, check=True, timeout=120)
    except FileNotFoundError:
        pytest.skip("ssh-keygen is not installed")
    public = (tmp_path / "id.pub").read_text()
    read_private_key(tmp_path / "id")
    assert "a" in read_clients(listed(tmp_path, {"a": {"key": public, "examples": 1}}))
