"""What is told of a training, and what should be known before it is believed."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from tastemaker.data.item_pictures import TEST, TRAIN, VALIDATION, ItemPictures
from tastemaker.embed.retrieval import ranks
from tastemaker.run.embed_measure import Measured, Told
from tastemaker.run.embed_pairs import Cut
from tastemaker.run.embed_results import (
    BESIDE,
    SHOWN,
    Learned,
    example_rows,
    examples_of,
    picture_name,
    warnings_of,
)

RESULTS: dict[str, Any] = {
    "model": {"chats": True},
    "data": {
        "test": 100, "dropped": 0, "doubles": {"texts": 0, "pictures": 0},
        "cut": {"texts": 0, "captions": 0},
    },
    "cafe": {"alpha_con": 1.0, "alpha_lm": 1.0, "mask_equal": True},
    "after": {"t2i_recall@1": {"mean": 0.5, "ci95": [0.4, 0.6]}},
    "chance": {"t2i_recall@1": 0.01},
}  # fmt: skip


def changed(path: str, value: object) -> dict[str, Any]:
    results = deepcopy(RESULTS)
    *places, last = path.split(".")
    holder = results
    for place in places:
        holder = holder[place]
    holder[last] = value
    return results


def test_nothing_is_said_where_nothing_is_doubtful() -> None:
    assert warnings_of(RESULTS) == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("model.chats", False, "no chat template"),
        ("data.test", 9, "9 items"),
        ("data.dropped", 1, "1 bad row was left out"),
        ("data.doubles.texts", 4, "4 items share a text"),
        ("data.doubles.pictures", 2, "2 items share a picture"),
        ("data.cut.texts", 1, "1 text was longer"),
        ("data.cut.captions", 3, "3 captions were longer"),
        ("cafe.alpha_lm", 0.0, "Captions were not learned"),
        ("cafe.alpha_con", 0.0, "Vectors were not learned"),
        ("after.t2i_recall@1", {"mean": 0.02, "ci95": [0.0, 0.05]}, "chance"),
        ("chance.t2i_recall@1", 1.0, "texts of the test are equal"),
    ],
)
def test_what_is_doubtful_is_said(path: str, value: object, said: str) -> None:
    (told,) = warnings_of(changed(path, value))
    assert said in told


def test_equal_texts_count_as_wrong_where_they_are_not_masked() -> None:
    results = changed("data.doubles.texts", 4)
    results["cafe"]["mask_equal"] = False
    assert "count as wrong" in warnings_of(results)[0]


def catalogue(texts: str, hashes: str) -> ItemPictures:
    ids = tuple(f"i{n}" for n in range(len(texts)))
    paths = tuple(Path(f"{n}.png") for n in range(len(texts)))
    names = tuple(one * 20 for one in hashes)
    return ItemPictures("shop/items.csv", ids, ids, tuple(texts), tuple(texts), paths, names)


def after(items: ItemPictures, written: tuple[str, ...] = ()) -> Measured:
    """A model for which a picture lies by the texts that begin with the same letter."""
    _, places, owners = np.unique(np.array(items.hashes), return_index=True, return_inverse=True)
    letters = sorted(set(items.texts))
    texts = np.eye(len(letters), dtype=np.float32)[[letters.index(one) for one in items.texts]]
    found = ranks(texts[places], texts, owners, items.texts)
    told = Told(np.ones(len(texts)), np.ones(len(texts)))
    return Measured(places, texts[places], texts, found, told, written)


def test_examples_show_what_was_written_and_what_a_text_finds() -> None:
    items = catalogue("abcabcabc", "123456789")
    examples = examples_of(items, after(items, ("a", "x")))
    told = examples["captions"]
    assert [one["item_id"] for one in told] == [f"i{n}" for n in range(SHOWN)]
    assert [one["written"] for one in told[:3]] == ["a", "x", None]
    assert told[0]["right"] == "a" and told[0]["rank"] == 1
    found = examples["found"][0]
    assert found["text"] == "a" and len(found["found"]) == BESIDE
    assert [one["text"] for one in found["found"][:3]] == ["a"] * 3
    assert [one["right"] for one in found["found"]] == [True] * 3 + [False] * 2


def test_every_picture_that_an_example_names_is_kept() -> None:
    items = catalogue("abcdefghabcdefgh", "1234567812345678")
    examples, kept = examples_of(items, after(items)), example_rows(items, after(items))
    names = {picture_name(items, row) for row in kept}
    shown = [one["picture"] for one in examples["captions"]]
    shown += [one["picture"] for query in examples["found"] for one in query["found"]]
    assert set(shown) <= names and len(kept) == len(set(kept))
    assert all(len(name) == len("0123456789abcdef.jpg") for name in names)


def test_a_catalogue_of_one_item_has_its_example() -> None:
    items = catalogue("a", "1")
    examples = examples_of(items, after(items, ("a",)))
    assert len(examples["captions"]) == 1 and len(examples["found"][0]["found"]) == 1
    assert example_rows(items, after(items)) == [0]


def test_parts_are_told_apart() -> None:
    items = catalogue("abcd", "1234")
    data = Learned(items, np.array([TRAIN, TEST, TRAIN, VALIDATION]), Cut(1, 2))
    assert data.part(TRAIN).texts == ("a", "c") and data.part(TEST).texts == ("b",)
