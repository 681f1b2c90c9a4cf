"""The page of the model."""

from starlette.testclient import TestClient

from tests.serve.web.pages import checked


def test_the_model_is_a_page(client: TestClient) -> None:
    checked(client.get("/model"))
