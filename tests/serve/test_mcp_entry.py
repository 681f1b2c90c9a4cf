"""The way in for assistants: loaded when they come, and what that means for who comes first."""

import subprocess
import sys

import pytest
from starlette.testclient import TestClient

from tastemaker.serve import mcp_entry
from tastemaker.serve.mcp_entry import installed
from tests.serve.test_mcp_tools import call


def test_a_server_starts_without_the_library_of_assistants() -> None:
    code = "import sys, tastemaker.serve.app; assert 'mcp' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert installed()


def test_whoever_comes_first_is_answered_as_all_others(client: TestClient) -> None:
    first, second = (call(client, "tools/list") for _ in range(2))
    assert first == second and len(first["tools"]) == 4


def test_a_library_that_cannot_be_loaded_is_a_fault_and_not_a_wait(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(service: object) -> None:
        raise ImportError("half of it is missing")

    monkeypatch.setattr(mcp_entry, "_loaded", fails)
    for _ in range(2):
        assert client.post("/mcp", json={}).status_code == 500
    assert client.get("/healthz").status_code == 200
