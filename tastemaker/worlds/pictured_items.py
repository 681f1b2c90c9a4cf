"""A shop whose items have pictures: people like kinds of things in a size, which pictures show.

An item is a scene of one or two things. A user likes a few kinds, each in one size, and takes items
that show one of them. Some items are new: nobody has taken them before the newest events, so all
that tells whom they suit is what they look like. Titles name what is seen only now and then.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput
from tastemaker.files import make_folder
from tastemaker.worlds.logs import START
from tastemaker.worlds.scenes import SIZES, SceneOptions, Thing, scenes
from tastemaker.worlds.sprites import Sprites, parted
from tastemaker.worlds.topics import FILLERS

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

PICTURES = "pictures"
"""Folder of the PNG files in the one that is written."""
_DAY = 86_400


@dataclass(frozen=True)
class ShopOptions:
    """The knobs of the shop."""

    users: int = 400
    items: int = 400
    new: float = 0.25
    """share of the items that nobody takes before the newest events"""
    events: int = 12
    """of a user, of items that are not new"""
    newest: int = 3
    """events of a user after those, of new items"""
    likes: int = 2
    """kinds that a user likes, each in one size"""
    most: int = 2
    """things of an item, at most"""
    noise: float = 0.1
    """probability that an event is of any item at all"""
    told: float = 0.3
    """probability that a title names a thing that is seen"""
    seed: int = 0
    """of everything"""
    people: int = 0
    """others than 0: other people, who like other things of the same shop"""

    def __post_init__(self) -> None:
        """Refuse what makes no shop."""
        new = round(self.items * self.new)
        shares = all(0 <= share <= 1 for share in (self.noise, self.told))
        enough = new >= self.newest >= 1 and self.items - new >= self.events >= 2
        if not (shares and enough and self.users >= 1 and self.likes >= 1):
            fix = "Give shares from 0 to 1, and at least as many items, old and new, as a user has."
            raise BadInput("These options make no shop.", "pictured items", fix)


@dataclass(frozen=True, eq=False)
class Shop:
    """I items with pictures, a log of who took which, and the truth."""

    frame: pl.DataFrame
    """`user_id`, `item_id`, `timestamp`; item number i has the id `i` and its number"""
    images: npt.NDArray[np.uint8]
    """(I, 64, 64) grey"""
    things: tuple[tuple[Thing, ...], ...]
    """(I,) what each shows"""
    titles: tuple[str, ...]
    new: npt.NDArray[np.bool_]
    """(I,) items of the newest events alone"""
    names: tuple[str, ...]
    """of the kinds of things"""

    @property
    def ids(self) -> list[str]:
        """(I,) ids."""
        return [f"i{number}" for number in range(len(self.titles))]

    @property
    def captions(self) -> list[str]:
        """(I,) what each shows, such as `a large boot and a small tee`."""
        said = [[f"a {SIZES[t.large]} {self.names[t.kind]}" for t in one] for one in self.things]
        return [" and ".join(sorted(parts)) for parts in said]

    def interactions(self) -> Interactions:
        """The log as a model reads it."""
        return Interactions.from_frame(self.frame)

    def catalog(self, folder: Path, captions: bool = False) -> Catalog:
        """The items with titles and pictures, which lie where `write` puts them; and captions."""
        known = {"item_id": self.ids, "title": self.titles, "image": self._files()}
        if captions:
            known["text"] = self.captions
        frame = pl.DataFrame(known)
        rest = [name for name in SCHEMA if name not in known]
        frame = frame.with_columns(pl.lit(None).cast(SCHEMA[name]).alias(name) for name in rest)
        return Catalog(frame.select(list(SCHEMA)), str(folder))

    def write(self, folder: Path, captions: bool = False) -> None:
        """Write a data folder: `interactions.csv`, `items.csv` and a PNG file an item.

        Args:
            folder: Is made where it is missing.
            captions: Whether `items.csv` says in words what each item shows.
        """
        make_folder(folder / PICTURES)
        self.frame.write_csv(folder / "interactions.csv")
        known = self.catalog(folder, captions).frame
        known.select(c for c in known if c.null_count() < len(c)).write_csv(folder / "items.csv")
        for name, image in zip(self._files(), self.images, strict=True):
            (folder / name).write_bytes(png(image))

    def _files(self) -> list[str]:
        return [f"{PICTURES}/{item}.png" for item in self.ids]


def pictured_shop(sprites: Sprites, options: ShopOptions | None = None) -> Shop:
    """Generate a shop; equal arguments give equal shops. No sprite is of old and of new items.

    Args:
        sprites: What is seen.
        options: The knobs; default: all as they stand.
    """
    o = options or ShopOptions()
    rng = np.random.default_rng(o.seed)
    many = round(o.items * o.new)
    sides = zip(parted(sprites, o.new, o.seed), (o.items - many, many), (0, 1), strict=True)
    drawn = [
        scenes(part, SceneOptions(count, o.most, seed=2 * o.seed + side))
        for part, count, side in sides
    ]
    things = drawn[0].things + drawn[1].things
    new = np.arange(o.items) >= o.items - many
    shows = _shown(things, len(sprites.names))
    titles = _titles(things, sprites.names, o, rng)
    rng = np.random.default_rng([o.seed, o.people])
    rows = _events(shows, new, o, rng)
    length = o.events + o.newest
    days = np.sort(rng.integers(0, 20, (o.users, o.events)), axis=1)
    late = 20 + np.sort(rng.integers(0, 5, (o.users, o.newest)), axis=1)
    times = START + _DAY * np.concatenate([days, late], axis=1) + 60 * np.arange(length)
    frame = pl.DataFrame(
        {
            "user_id": np.char.add("u", np.repeat(np.arange(o.users), length).astype(str)),
            "item_id": np.char.add("i", rows.ravel().astype(str)),
            "timestamp": times.ravel(),
        }
    )
    images = np.concatenate([drawn[0].images, drawn[1].images])
    return Shop(frame, images, things, titles, new, sprites.names)


def _shown(things: tuple[tuple[Thing, ...], ...], kinds: int) -> npt.NDArray[np.bool_]:
    """(I, 2K) which kinds in which size each item shows."""
    shows = np.zeros((len(things), 2 * kinds), np.bool_)
    for row, some in enumerate(things):
        shows[row, [2 * thing.kind + thing.large for thing in some]] = True
    return shows


def _events(
    shows: npt.NDArray[np.bool_], new: npt.NDArray[np.bool_], o: ShopOptions,
    rng: np.random.Generator,
) -> Int64s:  # fmt: skip
    """(U, events + newest) numbers of different items: of those that are not new, then of those."""
    often = shows.mean(0)
    weights = np.log(np.maximum(often / often.sum(), 1e-9))
    liked = np.argsort(-(weights + rng.gumbel(size=(o.users, len(often)))), axis=1)[:, : o.likes]
    suits = np.zeros((o.users, len(shows)), np.bool_)
    for place in range(liked.shape[1]):  # fewer where there are not as many
        suits |= shows[:, liked[:, place]].T
    popular = rng.permutation(1 / np.arange(1, len(shows) + 1) ** 0.5)
    parts = []
    for side, count in ((~new, o.events), (new, o.newest)):
        items = np.flatnonzero(side)
        fits, weight = suits[:, items], popular[items]
        own = np.where(fits, weight, 0)
        share = own / np.maximum(own.sum(1, keepdims=True), 1e-12)
        chance = (1 - o.noise) * share + max(o.noise, 1e-6) * weight / weight.sum()
        # The largest Gumbel-shifted logarithms are a weighted sample without replacement.
        keys = np.log(chance) + rng.gumbel(size=chance.shape)
        parts.append(items[np.argsort(-keys, axis=1)[:, :count]])
        parts[-1] = rng.permuted(parts[-1], axis=1)
    return np.concatenate(parts, axis=1)


def _titles(
    things: tuple[tuple[Thing, ...], ...], names: tuple[str, ...], o: ShopOptions,
    rng: np.random.Generator,
) -> tuple[str, ...]:  # fmt: skip
    """Two words that say nothing, and at times one that does."""
    titles = []
    for some in things:
        words = rng.choice(FILLERS, 2, replace=False).tolist()
        if rng.random() < o.told:
            words.append(names[some[int(rng.integers(len(some)))].kind])
        titles.append(" ".join(words))
    return tuple(titles)


def png(image: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file of a grey picture, (H, W) bytes."""
    height, width = image.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), image], axis=1)  # filter 0 of each row
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes())), (b"IEND", b""))
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
