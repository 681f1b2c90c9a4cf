"""What a service finds, as JSON."""

import asyncio

from starlette.testclient import TestClient

from tastemaker.run.wishes import Wishes
from tastemaker.serve.listing import beside_item, by_title, user_events, user_items
from tastemaker.serve.service import Ranked, Service


def test_what_is_found_has_its_source(service: Service) -> None:
    async def test() -> None:
        ranked = await service.recommend("u1", Wishes(2))
        told = user_items(ranked, "", scores=False)
        assert (told["user"], len(told["items"])) == ("u1", 2)
        assert (await by_title(service, "item", 2))["source"]["model"] == "search"
        events = await user_events(service, "u1", 2)
        assert len(events["events"]) == 2 and events["source"]["model"] == "log"
        nobody = beside_item(Ranked(ranked.answer, service.run), scores=True)
        assert nobody["item"] is None

    asyncio.run(test())
    service.close()


def test_hidden_items_are_not_found_unless_that_is_wished(client: TestClient) -> None:
    def found(**query: object) -> list[str]:
        told = client.get("/v1/items", params={"q": "item <7>", "k": 3, **query}).json()
        return [one["item"] for one in told["items"]]

    assert found()[0] == "i7"
    client.put("/v1/items/i7", json={"hidden": True})
    assert "i7" not in found() and found(availability="any")[0] == "i7"
