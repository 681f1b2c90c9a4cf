"""Recommendations over HTTP: what Python says of the same run, and every wish."""

from starlette.testclient import TestClient

from tastemaker.serve.opened import Opened


def ids(told: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["item"] for item in told["items"]]


def test_a_user_gets_what_python_says(client: TestClient, opened: Opened) -> None:
    told = client.get("/v1/users/u1/recommendations?k=5&offset=2").json()
    said = opened.saved.recommend("u1", 5, offset=2)
    assert ids(told) == [item.item for item in said.items]
    assert [item["score"] for item in told["items"]] == [item.score for item in said.items]
    assert told["source"] == {
        "model": said.model,
        "version": opened.version,
        "fallback": None,
    }
    assert (told["user"], told["known"], told["complete"]) == ("u1", True, True)
    assert told["items"][0]["title"].startswith("Item <")


def test_a_history_gets_the_same_whoever_it_is_of(client: TestClient, opened: Opened) -> None:
    history = opened.saved.browse.history("u1")
    body = {"history": [{"item_id": e.item, "time": e.time} for e in history], "k": 4}
    told = client.post("/v1/recommendations", json=body).json()
    assert ids(told) == [item.item for item in opened.saved.recommend("u1", 4).items]
    assert not told["known"]
    nobody = client.post("/v1/recommendations", json={"history": []}).json()
    assert nobody["source"]["model"] == "popularity" and nobody["source"]["fallback"]
    strange = {"history": [{"item_id": "unheard"}, {"item_id": "i3"}], "k": 2}
    assert "1 of 2" in client.post("/v1/recommendations", json=strange).json()["reason"]


def test_wishes_have_an_effect(client: TestClient) -> None:
    path = "/v1/users/u1/recommendations?k=10"
    plain = client.get(path).json()
    assert "score" not in client.get(f"{path}&scores=false").json()["items"][0]
    for asked in ("only=Odd", "category=Odd"):
        told = client.get(f"{path}&{asked}").json()
        assert all("Odd" in item["categories"] for item in told["items"])
    boosted = client.get(f"{path}&boost=Odd=50").json()
    assert all("Odd" in item["categories"] for item in boosted["items"])
    first, second = ids(plain)[:2]
    assert first not in ids(client.get(f"{path}&deny={first}").json())
    allowed = client.get(f"{path}&allow={first}&allow={second}").json()
    assert ids(allowed) == [first, second] and not allowed["complete"]
    other = client.get(f"{path}&model=sasrec").json()
    assert other["source"]["model"] == "sasrec"
    reasoned = client.get(f"{path}&because=true").json()
    assert any(item.get("because") for item in reasoned["items"])


def test_wishes_of_a_body_have_an_effect(client: TestClient) -> None:
    body = {"history": [{"item_id": "i3"}], "k": 6}
    plain = client.post("/v1/recommendations", json=body).json()
    for wish in (
        {"offset": 1},
        {"boost": {"Odd": 50.0}},
        {"only": ["Odd"]},
        {"filter": {"categories": ["Odd"]}},
        {"deny": ids(plain)[:1]},
        {"allow": ids(plain)[:1]},
        {"scores": False},
        {"model": "sasrec"},
    ):
        told = client.post("/v1/recommendations", json=body | wish).json()
        assert told["items"] != plain["items"], wish
