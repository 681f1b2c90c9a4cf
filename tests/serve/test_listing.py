"""What a service finds, as JSON."""

import asyncio

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
