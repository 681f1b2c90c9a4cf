"""Who may take part: the public keys of clients on the server, and the private key of each.

Keys are those that `ssh-keygen -t ecdsa` writes, which is what Flower's nodes sign with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.errors import BadInput
from tastemaker.files import refuse_unreadable
from tastemaker.models.extras import extra

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


@dataclass(frozen=True)
class KnownClient:
    """A client that may take part."""

    key: bytes
    """public key of its node, PEM"""
    examples: int
    """most that it may claim in a reply"""


def read_clients(path: Path) -> dict[str, KnownClient]:
    """Who may take part, of a JSON file: `{"name": {"key": "ecdsa-… …", "examples": 1000}, …}`.

    Raises:
        BadInput: If it cannot be read.
        BadData: With all that is wrong in it.
    """
    refuse_unreadable(path)
    fix = 'Write {"name": {"key": "ecdsa-sha2-nistp384 …", "examples": 1000}, …}.'
    try:
        listed = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"The list of clients cannot be read: {error}.", str(path), fix) from None
    if not isinstance(listed, dict) or not listed:
        raise BadInput("The list of clients holds none.", str(path), fix)
    found, problems = dict[str, KnownClient](), list[Problem]()
    for name, entry in listed.items():
        try:
            found[name] = _known(entry)
        except ValueError as error:
            told = str(error)
            problems.append(Problem(str(path), name, None, shown(entry), 1, told, fix))
    if len({client.key for client in found.values()}) < len(found):
        what, fix = "Two clients have the same key", "Give each its own."
        problems.append(Problem(str(path), "", None, "", 1, what, fix))
    if problems:
        raise BadData(problems)
    return found


def _known(entry: object) -> KnownClient:
    """One client of the list.

    Raises:
        ValueError: That says what is wrong.
    """
    with extra("federated"):
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
        from cryptography.hazmat.primitives.serialization import load_ssh_public_key
        from flwr.supercore.primitives.asymmetric import public_key_to_bytes
    if not isinstance(entry, dict) or entry.keys() != {"key", "examples"}:
        raise ValueError("Needs a key and examples, and nothing else")
    text, examples = entry["key"], entry["examples"]
    if type(examples) is not int or examples < 1:
        raise ValueError("The examples are no whole number above 0")
    try:
        key = load_ssh_public_key(str(text).encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("The key is no public key as ssh-keygen writes it") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ValueError("The key is of another kind: make it with ssh-keygen -t ecdsa")
    return KnownClient(public_key_to_bytes(key), examples)


def read_private_key(path: Path) -> EllipticCurvePrivateKey:
    """The private key of a client.

    Raises:
        BadInput: If it cannot be read, or is of another kind.
    """
    with extra("federated"):
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_ssh_private_key
    refuse_unreadable(path)
    fix = f'Make one: ssh-keygen -t ecdsa -b 384 -N "" -f {path}'
    try:
        key = load_ssh_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadInput(f"The private key cannot be read: {error}.", str(path), fix) from None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise BadInput("The private key is of another kind.", str(path), fix)
    return key
