"""What the recipe on new items is made of: the shop, what sees its pictures, and who is asked.

The pictures are the same for all seeds, so that encoders look at them once; people, and all that is
learnt, are others. Nothing is learnt of new items: neither their pictures, nor their captions, nor
who took them.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from cafe_items_tower import ThingTower
from cafe_tower import CellSteps
from evidence import Evidence

from tastemaker import files
from tastemaker.config import seed_everything
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.idx import read_pictures
from tastemaker.data.splits import split
from tastemaker.embed.cafe import CAFe, CAFeConfig
from tastemaker.embed.pair_batches import Pair, PairBatches
from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.models.vlm_vectors import save_reader
from tastemaker.recommend.mtmh import MTMH
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tastemaker.worlds.pictured_items import Shop, ShopOptions, pictured_shop
from tastemaker.worlds.scenes import Scenes
from tastemaker.worlds.sprites import Sprites, garments, shapes

Floats = npt.NDArray[np.float64]
METRICS = ("recall@10", "recall@50", "recall@50, all items")
"""Share of the new items that a user took which are in a list of new items, or of all."""
ASK = "What is this?"
PLAIN = {"patience": 0, "schedule": "cosine", "metric": "turn"}


@dataclass(frozen=True)
class Budget:
    """How much there is, and how long what is learnt."""

    shop: ShopOptions = ShopOptions(users=600, items=3600, new=1 / 6, most=1)
    shape: TinyVision = TinyVision(dim=64, vision_dim=64, layers=2, vocabulary=400, context=96)
    tower_epochs: int = 15
    epochs: int = 6
    batch: int = 32
    head_epochs: int = 6
    garments: int = 20_000
    """pictures of the training file that items are made of; 0: plain shapes"""


TOY = Budget(
    ShopOptions(users=30, items=60, new=0.25, most=1), TinyVision(dim=32, vision_dim=16, layers=1,
    vocabulary=400, context=96), tower_epochs=1, epochs=1, batch=8, head_epochs=1, garments=0,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class World:
    """The shop of a seed, and where its pictures lie."""

    shop: Shop
    budget: Budget
    seed: int
    folder: Path
    sprites: Sprites

    @classmethod
    def of(cls, budget: Budget, seed: int, cache: Path) -> World:
        """The same shop with other people, its pictures written once."""
        sprites = _sprites(budget.garments)
        shop = pictured_shop(sprites, replace(budget.shop, people=seed))
        shop.write(cache / "shop")
        return cls(shop, budget, seed, cache / "shop", sprites)

    def seen(self, cache: Path) -> tuple[Path, float]:
        """The model that CAFe makes of old items' pictures and captions, and its CPU-seconds."""
        folder = cache / f"cafe-seed-{self.seed}"
        if not (folder / "cost.json").is_file():
            spent = self._learnt(folder)
            files.write_json(folder / "cost.json", {"cpu_seconds": spent})
        return folder / "model", files.read_json(folder / "cost.json")["cpu_seconds"]

    def blind(self, cache: Path) -> Path:
        """The same model before it learnt anything."""
        folder = cache / f"fresh-seed-{self.seed}"
        if not folder.is_dir():
            files.make_folder(folder)
            self._fresh().vision.save(folder)
        return folder

    def asked(self, found: Evidence, arm: str, encoder: str, pictures: str) -> None:
        """Add how well MTMH's content head finds new items, by what it knows of them."""
        cuts, shop = split(self.shop.interactions(), f"last-{self.budget.shop.newest}"), self.shop
        log, train = cuts.interactions, cuts.train()
        known = shop.catalog(self.folder)
        ground = Ground.of(log.item_ids, known, train)
        config = MTMHConfig(encoder=encoder, pictures=pictures, relevance=1.0)
        seed_everything(self.seed)
        model = MTMH.build(config, ground)
        out = found.cache / f"{arm.replace(' ', '-').replace(',', '')}-seed-{self.seed}"
        files.make_folder(out)
        epochs = self.budget.head_epochs
        fitting = FitConfig(epochs=epochs, anneal=epochs, lr=2e-3, seed=self.seed, **PLAIN)
        steps = model.batches(train, fitting.batch, self.seed)
        fit(model, steps, fitting, latest(), out, resume=True)
        queries = cuts.queries("test")
        rows = log.item_ids.str.slice(1).cast(int).to_numpy()
        with torch.no_grad():
            scores = model.eval().score(queries.contexts).double().numpy()
        found.add(arm, self.recalls(scores, queries.contexts, queries.target_items, shop.new[rows]))

    def recalls(
        self, scores: Floats, contexts: Contexts, targets: npt.NDArray[np.int32],
        new: npt.NDArray[np.bool_],
    ) -> dict[str, Floats]:  # fmt: skip
        """The metrics of each user.

        Args:
            scores: (U, I) of the items of the log.
            contexts: What each user took before, which is not asked for.
            targets: (U · newest) codes of the new items that they took then.
            new: (I,) items that nobody took before.
        """
        scores[np.repeat(np.arange(len(scores)), contexts.lengths), contexts.items - 1] = -np.inf
        wanted = targets.reshape(len(scores), -1) - 1
        order = {}
        for name, some in (("", np.where(new, scores, -np.inf)), (", all items", scores)):
            order[name] = np.argsort(-some, axis=1, kind="stable")[:, :50]

        def recall(k: int, name: str) -> Floats:
            return (wanted[:, :, None] == order[name][:, None, :k]).any(2).mean(1)

        return dict(zip(METRICS, (recall(10, ""), recall(50, ""), recall(50, ", all items")),
                        strict=True))  # fmt: skip

    def _fresh(self) -> CAFe:
        told = [ASK, *self._captions()]
        return CAFe(tiny_vision_model(self.budget.shape, told, self.seed), CAFeConfig())

    def _captions(self) -> list[str]:
        """Of old items."""
        return [
            said for said, new in zip(self.shop.captions, self.shop.new, strict=True) if not new
        ]

    def _learnt(self, folder: Path) -> float:
        """Train, the tower alone first; returns CPU-seconds."""
        budget, shop, old = self.budget, self.shop, ~self.shop.new
        cafe, began = self._fresh(), time.process_time()
        world = Scenes(
            shop.images[old], tuple(t for t, o in zip(shop.things, old, strict=True) if o),
            self.sprites,
        )  # fmt: skip
        tower = ThingTower(cafe.vision, budget.shape, len(shop.names))
        first = self._plan(budget.tower_epochs, 3e-3)
        fit(tower, CellSteps(tower, world, 64 if budget.garments else 8), first, latest())
        coloured = np.repeat(world.images[..., None], 3, axis=3)
        pairs = [
            Pair(picture, said, ((ASK, said),))
            for picture, said in zip(coloured, self._captions(), strict=True)
        ]
        embedding = cafe.config.embedding
        steps = PairBatches(cafe.vision, embedding, pairs, budget.batch, seed=self.seed)
        fit(cafe, steps, self._plan(budget.epochs, 2e-3), latest())
        files.make_folder(folder)
        cafe.vision.save(folder / "model")
        save_reader(folder / "model", cafe.reader)
        return round(time.process_time() - began, 1)

    def _plan(self, epochs: int, lr: float) -> FitConfig:
        return FitConfig(epochs=epochs, anneal=epochs, lr=lr, warmup=20, seed=self.seed, **PLAIN)


def latest() -> Callable[[], dict[str, float]]:
    """A measure by which the newest weights are always the best ones."""
    turns = itertools.count(1)
    return lambda: {"turn": float(next(turns))}


def _sprites(many: int) -> Sprites:
    if not many:
        return shapes(12)
    pictures = read_pictures(Path(os.environ["TASTEMAKER_DATA"]) / "fashion-mnist", "train")
    return garments(pictures.images[:many], pictures.labels[:many])
