"""What was recommended: how often, and how much of the catalogue."""

import time

from starlette.testclient import TestClient

from tastemaker.run.wishes import Wishes
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.recommended import Recommended
from tastemaker.serve.service import Service
from tests.serve.served import with_heads


def test_lists_are_counted_by_item(opened: Opened) -> None:
    counts = Recommended()
    assert counts.counted(opened, 5).coverage == 0
    (first,) = opened.rank([Asked(Told("u1"), Wishes(3))])
    (other,) = opened.rank([Asked(Told("u1"), Wishes(1))])
    assert not isinstance(first, Exception) and not isinstance(other, Exception)
    counts.count(opened, first)
    counts.count(opened, other)
    counted = counts.counted(opened, 2)
    assert (counted.lists, counted.items, counted.places) == (2, 3, 4)
    best = first.items[0]
    assert counted.most[0] == (best.item, best.title, 2) and len(counted.most) == 2
    assert counted.coverage == 3 / opened.saved.interactions.num_items
    assert counted.concentration == 3 / 4


def test_another_run_is_counted_anew(opened: Opened) -> None:
    counts = Recommended()
    (answer,) = opened.rank([Asked(Told("u1"), Wishes(3))])
    assert not isinstance(answer, Exception)
    counts.count(opened, answer)
    other = with_heads(opened)
    assert counts.counted(other, 5).lists == 0
    counts.count(other, answer)
    assert counts.counted(other, 5).lists == 1


def test_what_the_server_ranks_is_counted(client: TestClient, service: Service) -> None:
    client.get("/v1/users/u1/recommendations?k=4")
    client.post("/v1/recommendations", json={"history": [{"item_id": "i3"}], "k": 2})
    client.get("/v1/popular?k=5")
    counted = service.recommended.counted(service.run, 1)
    assert (counted.lists, counted.places) == (2, 6)


def test_counting_costs_next_to_nothing(opened: Opened) -> None:
    counts = Recommended()
    (answer,) = opened.rank([Asked(Told("u1"), Wishes(10))])
    assert not isinstance(answer, Exception)
    took = []
    for _ in range(200):
        began = time.perf_counter()
        counts.count(opened, answer)
        took.append(time.perf_counter() - began)
    assert sorted(took)[100] < 20e-6
