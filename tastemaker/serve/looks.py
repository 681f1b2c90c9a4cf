"""Items by words for what their pictures show, as a trained vision-language model sees them."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.models.cached import Cached
from tastemaker.models.packaged import cache_folder
from tastemaker.run.answers import Chosen
from tastemaker.seams import Encode
from tastemaker.serve.opened import Opened


@dataclass(frozen=True, eq=False)
class Seen:
    """N items with readable pictures."""

    run: Opened
    items: tuple[str, ...]
    titles: tuple[str, ...]
    vectors: npt.NDArray[np.float32]
    """(N, d) of length one"""


class Looks:
    """Pictures of a run's items, to be searched by words.

    Args:
        encode: Makes vectors of pictures, given their paths, and of texts in one space.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._pictures = Cached(encode, cache_folder() / "vectors")
        self._lock = threading.Lock()
        self._seen: Seen | None = None

    @classmethod
    def by(cls, model: str | Path) -> Looks:
        """Those that a run of `tastemaker embed train`, or another such model, sees.

        Raises:
            BadInput: If it is not on this machine.
            ArtefactError: If it is damaged.
        """
        from tastemaker.models.vlm_vectors import PictureTextEncoder

        return cls(PictureTextEncoder(model))

    def prepare(self, run: Opened) -> int:
        """Look at the pictures of a run, those that were never seen before; says how many it has.

        Raises:
            BadInput: If none of its items has a picture that can be read.
        """
        return len(self._of(run).items)

    def find(self, run: Opened, words: str, k: int, without: Collection[str] = ()) -> list[Chosen]:
        """The k items whose pictures are most like some words, the nearest first.

        Args:
            run: Whose items.
            words: What is to be seen.
            k: Most items.
            without: Ids that are left out.
        """
        seen = self._of(run)
        with self._lock:
            asked = self._encode([words.encode(errors="replace").decode()])[0]
        scores = seen.vectors @ asked
        places = np.argsort(-scores, kind="stable")[: k + len(without)]
        found = [Chosen(seen.items[place], seen.titles[place]) for place in places]
        return [one for one in found if one.item not in without][:k]

    def _of(self, run: Opened) -> Seen:
        with self._lock:
            if self._seen is None or self._seen.run is not run:
                self._seen = self._looked(run)
            return self._seen

    def _looked(self, run: Opened) -> Seen:
        catalog, files = run.saved.data.catalog, run.pictures.files()
        named = dict(zip(catalog.frame["item_id"].to_list(), catalog.titles(), strict=True))
        items = list(files)
        try:
            vectors = self._pictures([files[item] for item in items]) if items else None
        except BadInput:  # a picture that cannot be read is not found, and the others are
            items = [item for item in items if run.pictures.shown(item) is not None]
            vectors = self._pictures([files[item] for item in items]) if items else None
        if vectors is None:
            fix = "Serve a run whose catalogue names pictures that are on this machine."
            raise BadInput("No item has a picture that can be read.", "--picture-search", fix)
        titles = tuple(named[item] for item in items)
        return Seen(run, tuple(items), titles, vectors)
