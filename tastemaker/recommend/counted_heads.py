"""What goes with an item, counted: for runs whose model does not say.

Items go together that the same people chose, and items are alike whose titles, categories and texts
share words. Both are vectors, as a trained model's heads are, so the same dial stands between them.
"""

from __future__ import annotations

import numpy as np

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.item_facts import collaborative_vectors
from tastemaker.recommend.merge import ItemHeads
from tastemaker.recommend.mtmh_content import text_vectors

COUNTED = "counted"
"""What such an answer names as its model."""


def counted_heads(chosen: Contexts, num_items: int, catalog: Catalog) -> ItemHeads:
    """Both heads of n items, without any training.

    Args:
        chosen: What each user chose, of the I items of a log.
        num_items: I.
        catalog: n ≥ I rows, those of the log first, in the order of their codes.
    """
    met = collaborative_vectors(chosen, num_items)
    unmet = np.zeros((len(catalog.frame) - num_items, met.shape[1]), np.float32)
    together = np.concatenate([met, unmet])
    words, _ = text_vectors("auto", catalog)
    return ItemHeads(together, together, words)
