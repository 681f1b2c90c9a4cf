"""Every wish over HTTP means what it means in Python, of the same run."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from tastemaker.run.answers import Answer
from tastemaker.run.wishes import Wishes
from tastemaker.serve.opened import Opened
from tests.serve.served import with_heads
from tests.serve.test_recommendation_routes import ids

WISHES: list[dict[str, Any]] = [
    {"k": 1},
    {"k": 50},
    {"k": 49, "offset": 1},
    {"k": 3, "offset": 4},
    {"k": 1, "offset": 49},
    {"k": 7, "boost": {"Odd": 0.5}},
    {"k": 7, "boost": {"Odd": 0.25, "Even": -0.5}},
    {"k": 7, "boost": {"Odd": -100.0}},
    {"k": 7, "only": ["Even"]},
    {"k": 30, "only": ["Odd", "All"]},
    {"k": 7, "allow": ["i1", "i7", "i20", "i33"]},
    {"k": 7, "allow": ["i7"], "deny": ["i7"]},
    {"k": 7, "deny": ["i1", "i2", "i3", "i5", "i8", "i13", "i21"]},
    {"k": 7, "diversify": 0.5},
    {"k": 7, "diversify": 1.0, "only": ["Odd"], "offset": 2},
    {"k": 4, "because": True},
]
"""Keywords of `SavedRun.recommend`, and fields of a body alike."""


def query(wish: dict[str, Any]) -> str:
    """The same wish as a query."""
    pairs: list[tuple[str, object]] = []
    for name, value in wish.items():
        if name == "boost":
            pairs += [(name, f"{group}={weight}") for group, weight in value.items()]
        elif isinstance(value, list):
            pairs += [(name, one) for one in value]
        else:
            pairs.append((name, str(value).lower() if isinstance(value, bool) else value))
    return urlencode(pairs)


def same(told: dict[str, Any], said: Answer) -> None:
    """What was told over HTTP is what Python said."""
    assert ids(told) == [one.item for one in said.items]
    assert (told["complete"], told["source"]["model"]) == (said.complete, said.model)
    for item, one in zip(told["items"], said.items, strict=True):
        assert (item["title"], tuple(item["categories"])) == (one.title, tuple(one.categories))
        assert item["score"] == pytest.approx(one.score, abs=1e-5)
        named = [(because["item"], because["title"]) for because in item.get("because", [])]
        assert named == [(because.item, because.title) for because in one.because]


def test_a_wish_is_the_same_in_a_query_in_a_body_and_in_python(
    client: TestClient, opened: Opened
) -> None:
    history = [
        {"item_id": one.item, "time": one.time, "kind": one.kind, "value": one.value}
        for one in opened.saved.browse.history("u1")
    ]
    for wish in WISHES:
        said = opened.saved.recommend("u1", **wish)
        same(client.get(f"/v1/users/u1/recommendations?{query(wish)}").json(), said)
        same(client.post("/v1/recommendations", json={"history": history, **wish}).json(), said)


def test_every_model_of_the_run_answers_by_its_name(client: TestClient, opened: Opened) -> None:
    names = opened.saved.models.names
    assert len(names) >= 3
    for user in ("u3", "nobody"):
        for name in names:
            path = f"/v1/users/{user}/recommendations?k=6&model={name}"
            told = client.get(path).json()
            same(told, opened.saved.recommend(user, 6, model=name))
            asked_else = told["source"]["model"] != name
            assert asked_else == bool(told["source"]["fallback"]), (user, name)
            assert not asked_else or user == "nobody"


def test_somebody_unknown_has_the_same_wishes(client: TestClient, opened: Opened) -> None:
    for wish in WISHES[:13]:
        told = client.get(f"/v1/users/nobody/recommendations?{query(wish)}").json()
        same(told, opened.saved.recommend("nobody", **wish))
        brought = client.post("/v1/recommendations", json={"history": [], **wish}).json()
        assert (brought["items"], brought["complete"]) == (told["items"], told["complete"])


def test_a_category_is_another_word_for_only(client: TestClient) -> None:
    path = "/v1/users/u1/recommendations?k=30"
    one, other = (
        client.get(f"{path}&{name}=Odd&{name}=All").json() for name in ("only", "category")
    )
    assert one == other and one["items"]


def test_lists_for_everybody_are_those_of_python(client: TestClient, opened: Opened) -> None:
    browse = opened.saved.browse
    lists = {"popular": ("popularity", browse.popular), "latest": ("latest", browse.latest)}
    pages: list[dict[str, Any]] = [{"k": 50}, {"k": 1, "offset": 39}, {"k": 5, "offset": 40}]
    for name, (model, listing) in lists.items():
        for wish in [*pages, {"k": 4, "only": ["Even"]}]:
            said = listing(Wishes(**wish))
            told = client.get(f"/v1/{name}?{query(wish)}").json()
            assert ids(told) == [one.item for one in said.items]
            assert told["complete"] == (len(said.items) == wish["k"])
            assert told["source"] == {"model": model, "version": opened.version, "fallback": None}
            assert all(("score" in item) == (name == "popular") for item in told["items"])


BESIDE: list[dict[str, Any]] = [
    {"k": 6},
    {"k": 3, "offset": 3},
    {"k": 6, "relevance": 0.0},
    {"k": 6, "relevance": 1.0},
    {"k": 6, "relevance": 0.25, "only": ["Odd"]},
    {"k": 6, "boost": {"Odd": 0.5}},
    {"k": 6, "deny": ["i4", "i5"], "allow": ["i4", "i6", "i8"]},
    {"k": 6, "diversify": 0.75},
]


def test_what_goes_with_an_item_is_what_python_says(headed: TestClient, opened: Opened) -> None:
    saved = with_heads(opened).saved
    for wish in BESIDE:
        said = saved.similar("i3", **wish)
        told = headed.get(f"/v1/items/i3/similar?{query(wish)}").json()
        same(told, said)
        assert told["relevance"] == said.relevance
        for item, one in zip(told["items"], said.items, strict=True):
            assert item["parts"] == pytest.approx(dict(one.parts), abs=1e-5)
        bare = headed.get(f"/v1/items/i3/similar?{query(wish)}&scores=false").json()
        assert ids(bare) == ids(told) and not {"score", "parts"} & set(bare["items"][0])


def test_titles_are_searched_as_in_python(client: TestClient, opened: Opened) -> None:
    for text in ("item <7>", "ITEM", "Itme <12>", "<", "zzzz"):
        told = client.get("/v1/items", params={"q": text, "k": 5}).json()
        said = opened.saved.browse.search(text, 5)
        assert told["items"] == [{"item": one.item, "title": one.title} for one in said]


def test_histories_and_profiles_are_those_of_python(client: TestClient, opened: Opened) -> None:
    for user in ("u1", "u7", "u31"):
        told = client.get(f"/v1/users/{user}/history?k=50").json()["events"]
        said = opened.saved.browse.history(user)[::-1]
        assert [(one["item"], one["title"], one["time"], one["kind"]) for one in told] == [
            (one.item, one.title, one.time, one.kind) for one in said
        ]
        for k in (1, 50):
            profile = client.get(f"/v1/users/{user}/profile?k={k}").json()
            source = profile.pop("source")
            assert source["version"] == opened.version
            said_of_them = opened.saved.profile(user, k).to_json()
            assert profile == json.loads(json.dumps(said_of_them))
