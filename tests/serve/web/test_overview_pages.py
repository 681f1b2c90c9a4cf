"""The first page."""

from starlette.testclient import TestClient

from tests.serve.web.pages import checked


def test_the_first_page_is_a_page(client: TestClient) -> None:
    checked(client.get("/"))
