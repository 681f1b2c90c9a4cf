"""New items, of which all that is known is their picture: whose vectors find whom they suit?

A generated shop of garments (Fashion-MNIST) whose users like kinds in a size. CAFe learns from the
pictures and captions of items that people have taken; MTMH's content head then lists new items by
its vectors, by those of the packaged image encoder, by words of titles, and by those of CAFe before
it learnt. Needs TASTEMAKER_DATA; a toy takes shapes.
"""

import os
import sys
import time

import numpy as np
from cafe_items_arms import METRICS, TOY, Budget, World
from evidence import Evidence, size_of

from tastemaker.errors import BadInput
from tastemaker.models.packaged import locate

PACKAGED = "EfficientNet-Lite0"
CLAIMS = (
    ("I1", "CAFe finds more new items than the packaged encoder", "CAFe", PACKAGED),
    ("I2", "and than words of titles", "CAFe", "titles"),
    ("I3", "and than the same model before it learnt", "CAFe", "CAFe, untrained"),
    ("I4", "CAFe is above chance", "CAFe", "chance"),
    ("I5", "the packaged encoder is above chance", PACKAGED, "chance"),
    ("I6", "titles add to CAFe", "CAFe and titles", "CAFe"),
)


def main() -> None:
    """Learn to see, learn what is alike, ask, compare."""
    size = size_of(__doc__ or "")
    toy = size == "toy"
    if not toy and not os.environ.get("TASTEMAKER_DATA"):
        sys.stdout.write("skipped: garments are read from TASTEMAKER_DATA, which is not set\n")
        return
    seeds, budget = [0] if toy else [0, 1, 2], TOY if toy else Budget()
    data = "shapes" if toy else "generated shop of Fashion-MNIST garments, new items"
    found = Evidence("cafe_items", "arXiv 2503.19900", data, size, seeds, METRICS)
    packaged = not toy and installed()
    if not packaged:
        found.notes.append(f"{PACKAGED} is not installed: `tastemaker models install` brings it")
    for seed in seeds:
        began = time.process_time()
        world = World.of(budget, seed, found.cache)
        model, _ = world.seen(found.cache)
        world.asked(found, "CAFe", "none", str(model))
        world.asked(found, "CAFe and titles", "words", str(model))
        world.asked(found, "CAFe, untrained", "none", str(world.blind(found.cache)))
        world.asked(found, "titles", "words", "none")
        if packaged:
            world.asked(found, PACKAGED, "none", "efficientnet-lite0")
        chance(found, world)
        found.spent(time.process_time() - began)
    for key, claim, a, b in CLAIMS:
        if {a, b} <= found.values.keys():
            found.relate(key, claim, a, b)
    sys.stdout.write(f"{found.write()}\n")


def chance(found: Evidence, world: World) -> None:
    """What a list of new items, or of all, drawn by lot would hold."""
    new, users = int(world.shop.new.sum()), world.budget.shop.users
    rest = len(world.shop.new) - world.budget.shop.events
    shares = (10 / new, 50 / new, 50 / rest)
    found.add(
        "chance", {m: np.full(users, min(s, 1.0)) for m, s in zip(METRICS, shares, strict=True)}
    )


def installed() -> bool:
    """Whether the packaged encoder is on this machine."""
    try:
        locate("efficientnet-lite0")
    except BadInput:
        return False
    return True


if __name__ == "__main__":
    main()
