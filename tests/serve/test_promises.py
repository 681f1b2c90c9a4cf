"""What the server promises of all its routes together, over made-up but likely days."""

import itertools
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tastemaker.run.wishes import Wishes
from tastemaker.serve.app import create_app
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.test_event_routes import event
from tests.serve.test_recommendation_routes import ids

ANY = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
"""Ids as they may come: slashes, quotes, signs of every language."""
LATER = itertools.count(1)
FEW = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def every_list(client: TestClient, user: str, k: int = 50) -> Iterator[dict[str, Any]]:
    """Every route that lists items for a user or for everybody."""
    yield client.get(f"/v1/users/{quote(user, safe='')}/recommendations?k={k}").json()
    yield client.post("/v1/recommendations", json={"history": [{"item_id": "i3"}], "k": k}).json()
    yield client.get(f"/v1/popular?k={k}").json()
    yield client.get(f"/v1/latest?k={k}").json()


@FEW
@given(user=ANY, item=ANY)
def test_whatever_an_id_is_it_comes_back(client: TestClient, user: str, item: str) -> None:
    moment = time.time() + next(LATER)  # what is older than an erasure is not kept
    told = {"event_id": f"{moment}", "user_id": user, "item_id": item, "time": moment}
    assert client.post("/v1/events", json={"events": [told]}).json()["new"] == 1
    path = f"/v1/users/{quote(user, safe='')}"
    events = client.get(f"{path}/history").json()
    assert events["user"] == user and item in [one["item"] for one in events["events"]]
    answer = client.get(f"{path}/recommendations?k=1").json()
    assert answer["user"] == user and answer["known"]
    hidden = client.put(f"/v1/items/{quote(item, safe='')}", json={"hidden": True}).json()
    assert hidden["item"] == item
    assert client.delete(path).json()["user"] == user
    assert client.get(f"{path}/history").json()["events"] == []


def test_hidden_items_are_in_no_list_whatever_is_asked(client: TestClient, opened: Opened) -> None:
    rng = random.Random(0)
    items = opened.saved.interactions.item_ids.to_list()
    hidden: set[str] = set()
    for _ in range(12):
        item = rng.choice(items)
        if item in hidden:
            assert client.put(f"/v1/items/{item}", json={"hidden": False}).status_code == 200
            hidden.remove(item)
        else:
            assert client.delete(f"/v1/items/{item}").status_code == 200
            hidden.add(item)
        for told in every_list(client, f"u{rng.randrange(60)}"):
            listed = ids(told)
            assert listed and not hidden & set(listed)
            assert len(listed) == len(set(listed))


def test_every_list_names_its_source_and_is_finite_json(client: TestClient, opened: Opened) -> None:
    for user in ("u1", "u2", "nobody"):
        for told in every_list(client, user, 5):
            source = told["source"]
            assert source["version"] == opened.version and source["model"]
            assert (source["fallback"] is None) or source["model"] == "popularity"
            assert told["reason"] and told["complete"]
            json.dumps(told, allow_nan=False)
            scores = [item["score"] for item in told["items"] if "score" in item]
            assert scores == sorted(scores, reverse=True)


def test_pages_are_the_list_cut_in_parts(client: TestClient) -> None:
    whole = ids(client.get("/v1/users/u4/recommendations?k=9").json())
    parts = [
        ids(client.get(f"/v1/users/u4/recommendations?k=3&offset={n}").json()) for n in (0, 3, 6)
    ]
    assert [item for part in parts for item in part] == whole
    for name in ("popular", "latest"):
        whole = ids(client.get(f"/v1/{name}?k=6").json())
        assert whole == [
            *ids(client.get(f"/v1/{name}?k=3").json()),
            *ids(client.get(f"/v1/{name}?k=3&offset=3").json()),
        ]


def test_what_has_been_chosen_is_not_recommended_again(client: TestClient, opened: Opened) -> None:
    """Seen items are those of the log and of what was told, in any order and however often."""
    rng = random.Random(1)
    items = opened.saved.interactions.item_ids.to_list()
    for number in range(10):
        user = f"u{rng.randrange(60)}"
        chosen = rng.choices(items, k=5)
        batch = [
            event(0, event_id=f"{number}-{n}", user_id=user, item_id=item, time=10_000 + n)
            for n, item in enumerate(chosen)
        ]
        client.post("/v1/events", json={"events": batch})
        seen = {
            one["item"] for one in client.get(f"/v1/users/{user}/history?k=50").json()["events"]
        }
        assert seen >= set(chosen)
        listed = ids(client.get(f"/v1/users/{user}/recommendations?k=50").json())
        assert not seen & set(listed)


def test_events_are_kept_beyond_the_server_that_took_them(opened: Opened, tmp_path: Path) -> None:
    lists = []
    for _ in range(2):
        with Store.open(tmp_path / "kept.sqlite") as store:
            service = Service(opened, store, LIMITS)
            with TestClient(create_app(service)) as client:
                client.post("/v1/events", json={"events": [event(3), event(5)]})
                lists.append(client.get("/v1/users/new/recommendations").json()["items"])
    assert lists[0] == lists[1]


@pytest.mark.parametrize("told", [(), ("i3",), ("i3", "i9", "i3"), ("unheard",), ("unheard", "i3")])
def test_a_stranger_gets_the_same_by_id_and_by_history(
    client: TestClient, opened: Opened, told: tuple[str, ...]
) -> None:
    events = [event(n, item_id=item, time=50 + n) for n, item in enumerate(told)]
    if events:
        client.post("/v1/events", json={"events": events})
    history = [{"item_id": one["item_id"], "time": one["time"]} for one in events]
    mine = client.get("/v1/users/new/recommendations?k=6").json()
    brought = client.post("/v1/recommendations", json={"history": history, "k": 6}).json()
    assert mine["items"] == brought["items"]
    assert mine["source"] == brought["source"] or mine["source"]["fallback"]
    assert mine["known"] == bool(told)


def test_asking_together_is_asking_alone(opened: Opened) -> None:
    """Ids are the same; sums over many rows may differ in their last bits."""
    rng = random.Random(2)
    asked = []
    for number in range(30):
        wishes = Wishes(rng.randrange(1, 9), rng.randrange(3), only=rng.choice([(), ("Odd",)]))
        who = Told(f"u{number}")
        model = rng.choice(["", "sasrec", "ease", "popularity"])
        asked.append(Asked(who, wishes, model))
    together = opened.rank(asked)
    for one, answer in zip(asked, together, strict=True):
        (alone,) = opened.rank([one])
        assert not isinstance(answer, Exception) and not isinstance(alone, Exception)
        assert [item.item for item in answer.items] == [item.item for item in alone.items]
        assert answer.model == alone.model and answer.complete == alone.complete
