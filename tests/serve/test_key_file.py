"""Keys in a file: only hashes, and nobody without one."""

import hashlib
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.key_file import KeyFile, needs_none

KEY = "a long random text"
HASH = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.mark.parametrize(
    ("headers", "owner"),
    [
        ([(b"authorization", b"Bearer a long random text")], "shop"),
        ([(b"authorization", b"bearer a long random text")], "shop"),
        ([(b"x-api-key", KEY.encode())], "shop"),
        ([(b"x-api-key", b"another")], None),
        ([(b"x-api-key", HASH.encode())], None),
        ([(b"authorization", b"Basic a long random text")], None),
        ([(b"authorization", b"Bearer ")], None),
        ([], None),
    ],
)
def test_who_asks(tmp_path: Path, headers: list[tuple[bytes, bytes]], owner: str | None) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# who may ask\n\nshop {HASH}\nother\t{'0' * 64} # spare\n")
    keys = KeyFile.read(path)
    assert keys.owner(headers) == owner
    assert keys == KeyFile({"shop": bytes.fromhex(HASH), "other": bytes(32)})
    assert KeyFile.of({"shop": KEY}).owner([(b"x-api-key", KEY.encode())]) == "shop"


@pytest.mark.parametrize(
    "text", ["", "# nothing\n", "shop secret\n", f"{HASH}\n", f"shop {HASH}\nshop {HASH}\n"]
)
def test_a_file_that_is_none_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(BadInput) as error:
        KeyFile.read(path)
    assert "secret" not in str(error.value) and str(path) in error.value.where
    with pytest.raises(BadInput):
        KeyFile.read(tmp_path / "missing")


@pytest.mark.parametrize(
    ("path", "open_to_all"),
    [("/healthz", True), ("/readyz", True), ("/sign-in", True), ("/web/web.css", True),
     ("/web", False), ("/", False), ("/sign-out", False), ("/metrics", False),
     ("/sign-in/x", False), ("/v1/web/x", False)],
)  # fmt: skip
def test_what_says_nothing_of_anybody_needs_no_key(path: str, open_to_all: bool) -> None:
    assert needs_none(path) is open_to_all


def test_a_key_alone_has_its_owner() -> None:
    keys = KeyFile.of({"shop": KEY})
    assert keys.owner_of(KEY.encode()) == "shop"
    assert keys.owner_of(b"") is None and keys.owner_of(bytes(32)) is None
