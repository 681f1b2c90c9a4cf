"""For who runs the server."""

from starlette.testclient import TestClient

from tastemaker.serve.opened import Opened


def test_alive_ready_and_numbers(client: TestClient, opened: Opened) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready", "version": opened.version}
    client.get("/v1/users/u1/recommendations?k=1")
    page = client.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain")
    assert 'route="/v1/users/{user}/recommendations",status="200"} 1.0' in page.text
    assert opened.version in page.text and "u1" not in page.text
