"""The model card."""

from starlette.testclient import TestClient

from tastemaker.serve.opened import Opened


def test_the_card_has_numbers_and_a_request_that_works(client: TestClient, opened: Opened) -> None:
    card = client.get("/v1/model").json()
    assert card["version"] == opened.version and card["data"] == "ring"
    assert card["recommends_with"] in card["models"]
    measured = card["measured"][card["recommends_with"]]["ndcg@10"]
    assert measured["ci95"][0] <= measured["mean"] <= measured["ci95"][1]
    example = card["example"]
    told = client.request(example["method"], example["path"], json=example["body"])
    assert told.status_code == 200 and len(told.json()["items"]) == 5
