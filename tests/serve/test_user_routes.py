"""A user: what they did, what they like, and being forgotten."""

from starlette.testclient import TestClient

from tastemaker.serve.opened import Opened
from tests.serve.test_app import error_of
from tests.serve.test_event_routes import event


def test_a_history_has_the_log_and_what_was_told(client: TestClient, opened: Opened) -> None:
    log = opened.saved.browse.history("u1")
    assert log[-1].time is not None
    newer = event(1, user_id="u1", item_id="unheard", time=log[-1].time + 0.5)
    again = event(2, user_id="u1", item_id=log[0].item, time=log[0].time)
    client.post("/v1/events", json={"events": [newer, again, event(3, user_id="u1", kind="shown")]})
    told = client.get("/v1/users/u1/history").json()
    assert [one["item"] for one in told["events"]] == ["unheard", *(e.item for e in log[::-1])][:10]
    assert (told["known"], told["source"]["version"]) == (True, opened.version)
    newest = client.get("/v1/users/u1/history?k=1").json()["events"]
    assert newest == [
        {
            "item": "unheard",
            "title": "unheard",
            "time": newer["time"],
            "kind": "view",
            "value": None,
        }
    ]
    assert client.get("/v1/users/nobody/history").json()["events"] == []


def test_a_profile_where_there_is_one(client: TestClient) -> None:
    told = client.get("/v1/users/u1/profile?k=2").json()
    assert told["user"] == "u1" and 1 <= len(told["interests"]) <= 2
    response = client.get("/v1/users/nobody/profile")
    assert response.status_code == 404
    assert error_of(response)["where"] == "user"


def test_an_erased_user_is_somebody_new(client: TestClient) -> None:
    client.post("/v1/events", json={"events": [event(1, user_id="u1"), event(2, user_id="u1")]})
    gone = client.delete("/v1/users/u1").json()
    assert (gone["user"], gone["events"]) == ("u1", 2)
    told = client.get("/v1/users/u1/recommendations").json()
    assert not told["known"] and told["source"]["model"] == "popularity"
    assert client.get("/v1/users/u1/history").json()["events"] == []
    assert client.get("/v1/users/u1/profile").status_code == 404
    old = {"events": [event(1, user_id="u1")]}
    assert client.post("/v1/events", json=old).json() == {"new": 0, "duplicate": 0, "erased": 1}
    assert client.delete("/v1/users/u1").json()["events"] == 0
