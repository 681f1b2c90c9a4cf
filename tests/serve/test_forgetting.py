"""Forgetting users and hiding items: nothing is left in any route, and nobody else is touched."""

import json
import time
from urllib.parse import quote

from starlette.testclient import TestClient

from tastemaker.run.wishes import Wishes
from tastemaker.serve.app import create_app
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.test_app import error_of
from tests.serve.test_event_routes import event
from tests.serve.test_mcp_tools import used
from tests.serve.test_promises import every_list
from tests.serve.test_recommendation_routes import ids

STRANGE = ["a/b", "100%", "%2F", "..", ".", "über/ñ 猫", "a?b#c", "' OR 1=1 --", "42", "U1", "u1 "]
"""Ids that a path or a database could take for something else."""


def encoded(id: str) -> str:
    """An id in a path; clients take dots for steps."""
    return quote(id, safe="").replace(".", "%2E")


def told(client: TestClient, user: str, *items: str, since: float = 100) -> None:
    """Tell that a user chose some items, one a second."""
    batch = [
        event(0, event_id=f"{user} {item} {since}", user_id=user, item_id=item, time=since + n)
        for n, item in enumerate(items)
    ]
    assert client.post("/v1/events", json={"events": batch}).json()["new"] == len(items)


def seen_of(client: TestClient, user: str) -> str:
    """Every answer about a user, as text."""
    path = f"/v1/users/{encoded(user)}"
    answers = [client.get(f"{path}/{what}") for what in ("recommendations", "history", "profile")]
    tools = [used(client, name, user=user) for name in ("recommend", "history")]
    return json.dumps([*(one.json() for one in answers), *tools])


def test_who_is_forgotten_is_as_if_never_there(client: TestClient) -> None:
    for user in STRANGE:
        before = seen_of(client, user)
        told(client, user, "i3", "a canary item", "i9")
        assert "canary" in seen_of(client, user)
        path = f"/v1/users/{encoded(user)}"
        assert client.delete(path).json() == {"user": user, "events": 3, "states": 0}
        assert seen_of(client, user) == before
        assert client.delete(path).json() == {"user": user, "events": 0, "states": 0}
    for page in ("/metrics", "/v1/model", "/openapi.json", "/v1/items?q=canary"):
        assert "canary" not in client.get(page).text


def test_nobody_else_is_touched(client: TestClient) -> None:
    others = ["u10", "U2", "u1 ", " u1", "u1/", "u%31", "u2"]
    for other in others:
        told(client, other, "i5", "i6")
    before = [seen_of(client, other) for other in others]
    lists = list(every_list(client, "u3"))
    told(client, "u1", "i7")
    assert client.delete("/v1/users/u1").json()["events"] == 1
    assert [seen_of(client, other) for other in others] == before
    assert list(every_list(client, "u3")) == lists


def test_a_new_history_after_forgetting_is_all_there_is(client: TestClient) -> None:
    """The run's log of the user is not used: a stranger with the same history gets the same."""
    assert client.delete("/v1/users/u1").status_code == 200
    later = time.time() + 60
    told(client, "u1", "i3", "i9", since=later)
    mine = client.get("/v1/users/u1/recommendations?k=50").json()
    history = [{"item_id": "i3", "time": later}, {"item_id": "i9", "time": later + 1}]
    stranger = client.post("/v1/recommendations", json={"history": history, "k": 50}).json()
    assert mine["known"] and mine["items"] == stranger["items"]
    events = client.get("/v1/users/u1/history?k=50").json()["events"]
    assert [one["item"] for one in events] == ["i9", "i3"]
    assert client.get("/v1/users/u1/profile").status_code == 404


def test_events_count_again_from_the_moment_after(client: TestClient, kept: Store) -> None:
    told(client, "ann", "i1", since=time.time() + 3_000)  # a clock that runs fast
    client.delete("/v1/users/ann")
    until = kept.erased(["ann"])["ann"]
    fates = []
    for number, moment in enumerate((until - 1, until, until + 0.001)):
        batch = {"events": [event(number, user_id="ann", time=moment)]}
        fates.append(client.post("/v1/events", json=batch).json())
    assert [one["erased"] for one in fates] == [1, 1, 0]
    assert [one["item"] for one in client.get("/v1/users/ann/history").json()["events"]] == ["i2"]


def test_a_user_that_cannot_be_is_refused_everywhere(client: TestClient) -> None:
    for user in ("a%00b", "%0A", "%7F", "%FF", "a" * 5_000):
        for method, what in (("GET", "/history"), ("DELETE", "")):
            response = client.request(method, f"/v1/users/{user}{what}")
            assert response.status_code in (200, 422), (user, what)
            if method == "DELETE":
                assert response.status_code == 422 and error_of(response)["where"]


def test_an_item_of_any_name_is_hidden_and_offered_again(client: TestClient, kept: Store) -> None:
    for item in STRANGE:
        path = f"/v1/items/{encoded(item)}"
        assert client.put(path, json={"hidden": False}).status_code == 200  # never hidden
        for response in (client.put(path, json={"hidden": True}), client.delete(path)):
            assert response.json() == {"item": item, "hidden": True, "until": None}
            assert kept.hidden() == {item}
        offered = {"item": item, "hidden": False, "until": None}
        assert client.put(path, json={"hidden": False}).json() == offered
        assert kept.hidden() == frozenset()


def test_the_last_word_about_an_item_counts(client: TestClient, kept: Store) -> None:
    soon = round(time.time()) + 1_000
    assert client.delete("/v1/items/i5").status_code == 200
    body = {"hidden": True, "until": soon}
    assert client.put("/v1/items/i5", json=body).json() == {"item": "i5", **body}
    assert kept.hidden(soon - 0.001) == {"i5"}
    assert kept.hidden(soon) == frozenset()  # offered from that moment on
    assert client.put("/v1/items/i5", json={"hidden": True, "until": soon + 5}).status_code == 200
    assert kept.hidden(soon) == {"i5"}
    assert client.put("/v1/items/i5", json={"hidden": True}).json()["until"] is None
    assert kept.hidden(soon + 1e6) == {"i5"}


def test_what_is_hidden_is_so_for_a_second_server_and_for_tools(
    client: TestClient, opened: Opened, kept: Store
) -> None:
    path = "/v1/users/u1/recommendations?k=3"
    before = ids(client.get(path).json())
    client.delete(f"/v1/items/{before[0]}")
    with TestClient(create_app(Service(opened, kept, LIMITS))) as second:
        after = ids(second.get(path).json())
        assert after[:2] == before[1:]
        assert [one["item"] for one in used(second, "recommend", user="u1", k=3)["items"]] == after
        assert ids(second.get(f"{path}&allow={before[0]}").json()) == []
        shown = second.get(f"{path}&allow={before[0]}&availability=any").json()
        assert ids(shown) == before[:1]


def test_where_everything_is_hidden_lists_are_empty(
    client: TestClient, opened: Opened, kept: Store
) -> None:
    for item in opened.saved.interactions.item_ids:
        kept.hide(item)
    for listed in every_list(client, "u1"):
        assert (listed["items"], listed["complete"]) == ([], False)
        assert listed["source"]["version"] == opened.version
    whole = [one.item for one in opened.saved.browse.popular(Wishes(50)).items]
    assert len(whole) > 20
    assert ids(client.get("/v1/popular?k=50&availability=any").json()) == whole
    assert client.get("/v1/users/u1/history").json()["events"]  # what was done stays
