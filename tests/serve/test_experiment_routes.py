"""An experiment over HTTP: who is answered by which arm, and how it goes."""

from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tastemaker.errors import BadInput
from tastemaker.serve.app import create_app
from tastemaker.serve.experiment_routes import ExperimentOut
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.test_app import error_of
from tests.serve.test_exposure_rows import rows
from tests.serve.test_mcp_tools import used

NAME = "new model?"
SPLIT = Experiment.parse(f"{NAME}=blend,sasrec")
AT = f"/v1/experiments/{quote(NAME)}"


@pytest.fixture
def service(opened: Opened, kept: Store) -> Service:
    return Service(opened, kept, LIMITS, SPLIT)


def answers(kept: Store) -> int:
    return sum(count for _, count in rows(kept, "exposures", "user_id, answers"))


def flushed(service: Service) -> None:
    assert service.exposures is not None and service.exposures.flush()


def test_each_user_is_answered_by_their_arm(
    client: TestClient, opened: Opened, service: Service, kept: Store
) -> None:
    arms = set()
    for user in (f"u{n}" for n in range(1, 13)):
        path = f"/v1/users/{user}/recommendations?k=5"
        told, arm = client.get(path).json(), SPLIT.assigned(user).arm
        assert told["source"]["experiment"] == {"name": NAME, "arm": arm}
        assert told["source"]["model"] == arm and told["source"]["fallback"] is None
        named = client.get(f"{path}&model={arm}").json()
        assert "experiment" not in named["source"] and named["items"] == told["items"]
        arms.add(arm)
    assert arms == {"blend", "sasrec"}
    flushed(service)
    assert answers(kept) == 12
    assert used(client, "recommend", user="u1", k=5)["source"]["experiment"]["name"] == NAME
    flushed(service)
    assert answers(kept) == 13


def test_what_is_nobodys_takes_no_part(client: TestClient, service: Service, kept: Store) -> None:
    body = {"history": [{"item_id": "i3"}], "k": 5}
    for response in (
        client.post("/v1/recommendations", json=body),
        client.get("/v1/users/u1/recommendations?model=blend"),
        client.get("/v1/popular"),
    ):
        assert "experiment" not in response.json()["source"]
    assert client.get("/v1/users/u1/recommendations?k=0").status_code == 422
    flushed(service)
    assert answers(kept) == 0
    told = client.get("/v1/users/a stranger/recommendations").json()
    assert told["source"]["model"] == "popularity" and told["source"]["fallback"]
    assert told["source"]["experiment"]["arm"] == SPLIT.assigned("a stranger").arm
    flushed(service)
    known = rows(kept, "exposures", "user_id, known, model")
    assert known == {("a stranger", 0, "popularity")} and not rows(kept, "shown_items", "item_id")


def test_how_it_goes_is_told_in_the_shape_of_the_document(
    client: TestClient, service: Service
) -> None:
    assert client.get(AT).status_code == 404 and error_of(client.get(AT))["where"] == "name"
    for number in range(1, 13):
        client.get(f"/v1/users/u{number}/recommendations?k=5")
    flushed(service)
    told = client.get(f"{AT}?window=12h")
    assert told.status_code == 200
    body = told.json()
    assert ExperimentOut.model_validate(body).model_dump(mode="json") == body
    assert (body["window"], body["control"]) == ("12 hours", "blend")
    assert sum(arm["unripe"] for arm in body["arms"]) == 12
    for query in ("window=", "window=7", "window=soon", "windows=7d"):
        assert client.get(f"{AT}?{query}").status_code == 422
    other = error_of(client.get("/v1/experiments/other"))
    assert NAME in other["fix"]


def test_who_is_forgotten_is_in_no_experiment(
    client: TestClient, service: Service, kept: Store
) -> None:
    for user in ("u1", "u2", "u3"):
        client.get(f"/v1/users/{user}/recommendations?k=5")
    flushed(service)
    client.get("/v1/users/u1/recommendations?k=5")
    assert client.delete("/v1/users/u1").status_code == 200
    client.delete("/v1/users/u2")
    flushed(service)
    for table in ("exposures", "shown_items"):
        assert rows(kept, table, "user_id") == {("u3",)}


def test_what_was_noted_is_written_when_the_server_ends(service: Service, kept: Store) -> None:
    with TestClient(create_app(service)) as client:
        for user in ("u1", "u2"):
            client.get(f"/v1/users/{user}/recommendations?k=5")
    assert answers(kept) == 2


def test_a_run_without_the_models_is_not_served(opened: Opened, kept: Store) -> None:
    with pytest.raises(BadInput) as caught:
        Service(opened, kept, LIMITS, Experiment.parse("x=blend,hllm"))
    assert "hllm" in caught.value.what and "sasrec" in caught.value.fix
