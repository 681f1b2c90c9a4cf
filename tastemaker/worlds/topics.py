"""Topics and the texts of their items: a few words of the topic, and a few that say nothing."""

from __future__ import annotations

import numpy as np

TOPICS: dict[str, str] = {
    "Street Food": "dumplings tacos stall skewers noodles hawker wok satay",
    "Home Baking": "dough flour oven crust yeast loaf icing muffin",
    "Urban Cycling": "bike lane helmet pedals commute saddle gears bell",
    "Board Games": "dice meeples tokens rulebook deck tiles turns strategy",
    "Bird Watching": "binoculars warbler nest feathers heron migration hide finch",
    "Indie Rock": "guitar band garage riff vinyl gig drummer chorus",
    "Old Films": "noir reel silent director cinema premiere matinee script",
    "Space Flight": "rocket orbit capsule booster astronaut launchpad docking probe",
    "Knitting": "yarn needles stitch purl wool pattern scarf skein",
    "Sea Kayaking": "paddle tide hull drysuit estuary island cockpit swell",
    "Chess": "gambit rook endgame checkmate opening pawn bishop clock",
    "House Plants": "fern repotting leaves succulent soil watering monstera cutting",
    "Dog Training": "leash puppy recall treats kennel collar obedience clicker",
    "Watch Repair": "movement escapement crystal crown mainspring loupe dial gasket",
    "Stand-up": "comedian punchline microphone heckler sketch improv laughs stage",
    "Alpine Hiking": "summit trail hut ridge boots glacier pass rope",
    "Pottery": "clay kiln glaze wheel bowl slip ceramic firing",
    "Retro Computing": "floppy cassette pixels joystick emulator keyboard eightbit modem",
    "Tea": "oolong teapot matcha steeping leafy infusion cup whisk",
    "Figure Skating": "axel rink spin blades choreography jump lutz pairs",
    "Local History": "archive mill parish map castle census chronicle ruins",
    "Beekeeping": "hive honey queen smoker swarm comb pollen apiary",
    "Model Railways": "locomotive layout signal gauge scenery wagon turnout station",
    "Stargazing": "telescope nebula constellation eyepiece comet planet meteor darksky",
}
"""Name of a topic → words of its items. Topic t, from 1, is the t-th of them."""
FILLERS = ("new", "best", "daily", "short", "part", "favourite", "guide", "look", "first", "story")
"""Words that say nothing of a topic."""
_LENGTH = 8
"""Words of a text."""


def topic_texts(items: int, ambiguity: float, rng: np.random.Generator) -> dict[str, str]:
    """Item id → eight words, half of its topic but for ambiguity, half of none.

    Args:
        items: Items a topic; those of topic t, from 1, are `i{(t - 1) * items}` and following.
        ambiguity: Chance that a word of the topic is one of another, 0 to 1.
        rng: Draws the words.
    """
    words = [content.split() for content in TOPICS.values()]
    texts = {}
    for topic, own in enumerate(words):
        for number in range(items):
            told = rng.choice(own, _LENGTH // 2, replace=False).tolist()
            for place in np.flatnonzero(rng.random(len(told)) < ambiguity):
                other = words[(topic + int(rng.integers(1, len(words)))) % len(words)]
                told[place] = other[int(rng.integers(len(other)))]
            filling = rng.choice(FILLERS, _LENGTH - len(told), replace=False).tolist()
            texts[f"i{topic * items + number}"] = " ".join([*told, *filling])
    return texts
