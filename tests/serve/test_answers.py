"""Lists as they are sent."""

from tastemaker.run.answers import Answer, Chosen, Recommendation
from tastemaker.serve.answers import ItemsOut, ListedItem, items_of, listed

ITEM = Recommendation(
    "i", "<b>", 0.5, ("A",), {"engagement": 0.1}, "short-term", (Chosen("j", "J"),)
)


def test_items_say_what_is_asked_and_known() -> None:
    told = listed(ITEM, scores=True)
    assert ListedItem.model_validate(told).because is not None
    assert (told["title"], told["score"], told["intent"]) == ("<b>", 0.5, "short-term")
    bare = listed(Recommendation("i", "I", 0.5, ()), scores=False)
    assert bare == {"item": "i", "title": "I", "categories": ()}


def test_a_fallback_says_why() -> None:
    popular = Answer("u", False, "popularity", "Nobody knows.", (), (ITEM,), True)
    told = items_of(popular, "v", "blend", scores=True)
    assert ItemsOut.model_validate(told).source.fallback == "Nobody knows."
    assert items_of(popular, "v", "popularity", scores=True)["source"]["fallback"] is None
