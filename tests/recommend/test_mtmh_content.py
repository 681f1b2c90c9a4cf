"""Content of items: texts by an encoder, categories, and what is refused."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.errors import BadInput, NumericFault
from tastemaker.models import picture_content
from tastemaker.recommend import mtmh_content
from tastemaker.recommend.mtmh_content import Content, content_of, refuse_alone

TITLES = ["red boat", None, "blue shoe", "red boat", "red shoe", ""]
KINDS = [["A"], None, ["B", "A"], [], ["B"], None]


def ground(titles: list[Any] = TITLES, train: Contexts | None = None) -> Ground:
    """Four items of a log, the second unknown to the catalogue, and two that it never saw."""
    ids = [f"i{n}" for n in range(6)]
    known = {"item_id": ids, "title": titles, "categories": KINDS if titles is TITLES else None}
    frame = pl.DataFrame({name: known.get(name) or [None] * 6 for name in SCHEMA}, SCHEMA)
    return Ground.of(pl.Series(ids[:4]), Catalog(frame), train)


def test_items_of_the_log_come_first_then_those_it_never_saw() -> None:
    content = content_of("auto", ground(train=Contexts.single([1, 3, 4])))
    assert content.vectors.shape == (7, content.width)
    lengths = content.vectors.norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([0.0, 1, 0, 1, 1, 1, 0]))
    assert torch.equal(content.vectors[1], content.vectors[1])
    assert content.seen.tolist() == [False, True, False, True, True, False, False]
    assert len(content.identity) == 64
    assert content_of("words", ground()).identity == content.identity


def test_items_that_no_pair_has_are_unseen() -> None:
    alone = Contexts(
        np.arange(4), np.array([0, 1, 1, 3, 6]), np.array([1, 2, 2, 3, 4, 4], np.int32)
    )
    assert content_of("none", ground(train=alone)).seen.tolist()[1:5] == [False, False, True, True]


def test_equal_texts_are_equal_vectors() -> None:
    titles = ["red boat", "blue shoe", "red boat", "x", "y", "z"]
    content = content_of("words", ground(titles))
    assert torch.equal(content.vectors[1], content.vectors[3])
    assert content.num_groups == 0


def test_groups_of_items_are_their_categories() -> None:
    content = content_of("none", ground())
    assert (content.width, content.identity, content.num_groups) == (0, "", 3)  # A, B, other
    members, offsets = content.groups_of(torch.tensor([3, 1, 5, 0]))
    assert members.tolist() == [0, 1, 0, 1]
    assert offsets.tolist() == [0, 2, 3, 4]
    assert content.to(torch.device("cpu")) is content


def test_nothing_need_be_known() -> None:
    content = content_of("auto", Ground(3))
    assert (content.width, content.num_groups) == (0, 0)
    assert content.seen.tolist() == [False, True, True, True]
    assert Content.bare(5, 2).width == 5


@pytest.mark.parametrize("encoder", ["words", "minilm"])
def test_a_named_encoder_needs_a_text(encoder: str) -> None:
    with pytest.raises(BadInput) as caught:
        content_of(encoder, ground([None, "", None, None, " ", None]))
    assert "none" in caught.value.fix
    with pytest.raises(BadInput):
        content_of("no such model anywhere", ground())


class Broken:
    """An encoder whose second vector is damaged."""

    identity, dim = "0" * 64, 2

    def __call__(self, inputs: Sequence[Any]) -> np.ndarray:
        vectors = np.ones((len(inputs), 2), np.float32)
        vectors[1, 0] = np.nan
        return vectors


def test_vectors_that_are_not_finite_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtmh_content, "_opened", lambda *_: Broken())
    with pytest.raises(NumericFault) as caught:
        content_of("words", ground())
    assert "blue shoe" in caught.value.where


@pytest.mark.parametrize(
    ("rows", "fine"),
    [([[1], [2]], False), ([[3, 3], [], [4]], False), ([[], [1, 1, 2]], True), ([], False)],
)
def test_something_must_follow_something_else(rows: list[list[int]], fine: bool) -> None:
    bounds = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    flat = np.array([item for row in rows for item in row], np.int32)
    train = Contexts(np.arange(len(rows)), bounds, flat)
    if fine:
        refuse_alone(train)
    else:
        with pytest.raises(BadInput):
            refuse_alone(train)


def test_pictures_stand_beside_texts_each_half_of_an_item_that_has_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = np.zeros((6, 2), np.float32)
    looks[[0, 1, 5]] = [[1, 0], [0, 1], [0.6, 0.8]]
    monkeypatch.setattr(picture_content, "picture_vectors", lambda *_: (looks, "b" * 64))
    plain, both = content_of("words", ground()), content_of("words", ground(), "shots")
    width = plain.width
    assert both.width == width + 2 and both.identity not in (plain.identity, "b" * 64)
    lengths = both.vectors.norm(dim=1)
    torch.testing.assert_close(lengths, torch.tensor([0.0, 1, 1, 1, 1, 1, 1]))
    half = 0.5**0.5
    torch.testing.assert_close(both.vectors[1, :width], half * plain.vectors[1])
    assert both.vectors[1, width:].tolist() == pytest.approx([half, 0])
    assert both.vectors[2].tolist() == pytest.approx([*[0.0] * width, 0, 1])
    torch.testing.assert_close(both.vectors[3, :width], plain.vectors[3])
    alone = content_of("none", ground(), "shots")
    assert alone.width == 2 and alone.identity not in (both.identity, plain.identity)


def test_without_pictures_nothing_changes() -> None:
    plain, auto = content_of("words", ground()), content_of("words", ground(), "auto")
    assert torch.equal(plain.vectors, auto.vectors) and plain.identity == auto.identity
