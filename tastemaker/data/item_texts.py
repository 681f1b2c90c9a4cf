"""What a language model reads of each item."""

from __future__ import annotations

from collections.abc import Sequence

from tastemaker.counts import by_count, counted
from tastemaker.data.catalog import Catalog
from tastemaker.errors import BadInput


def item_texts(catalog: Catalog, missing: str, known: Sequence[bool] = ()) -> list[str]:
    """A text an item, `missing` where there is none.

    Args:
        catalog: The items.
        missing: Stands for a text; may be empty.
        known: Whether an item may do without one, as something else says what it is; none given:
            none may.

    Raises:
        BadInput: If items have no text, need one, and `missing` is empty; names some.
    """
    texts = catalog.texts()
    empty = [row for row, text in enumerate(texts) if not text.strip()]
    if known:
        empty = [row for row in empty if not known[row]]
    if empty and not missing:
        shown = ", ".join(str(catalog.frame["item_id"][row]) for row in empty[:5])
        have = by_count(len(empty), "has", "have")
        raise BadInput(
            f"{len(empty):,} of {counted(len(texts), 'item')} {have} no text, such as {shown}.",
            "the items table",
            "Give titles, texts or categories, or let a text stand for these: "
            "--model.missing-text 'unknown item'.",
        )
    return [text if text.strip() else missing for text in texts]
