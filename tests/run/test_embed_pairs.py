"""Pairs read their picture when asked for; texts that are too long are cut at a word."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker.data.item_pictures import ItemPictures, Wanted
from tastemaker.data.picture_rows import read_item_pictures
from tastemaker.errors import BadInput
from tastemaker.models.picture_files import looked_at
from tastemaker.models.tiny_vlm import tiny_vision_model
from tastemaker.models.vlm import Asked, VisionModel
from tastemaker.models.vlm_embedding import Embedding, text_asked
from tastemaker.run.embed_pairs import ItemPairs, fitted_captions, fitted_texts
from tests.run.embedded import SHAPE, squares


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> ItemPictures:
    folder = squares(tmp_path_factory.mktemp("squares"), 4)
    return read_item_pictures(folder, Wanted(), looked_at)


@pytest.fixture(scope="module")
def vision(items: ItemPictures) -> VisionModel:
    return tiny_vision_model(SHAPE, items.texts)


def test_a_pair_an_item(items: ItemPictures) -> None:
    pairs = ItemPairs(items, "What?", 16)
    assert len(pairs) == 4 and [pair.text for pair in pairs[1:3]] == list(items.texts[1:3])
    pair = pairs[1]
    assert pair.turns == (("What?", "green square"),) and pair.content == items.hashes[1]
    assert isinstance(pair.picture, np.ndarray) and pair.picture.shape == (16, 16, 3)


@pytest.mark.parametrize("text", ["red square " * 30, "x" * 500, "é" * 300, "日本" * 100])
def test_a_long_text_is_cut_where_it_fits(
    items: ItemPictures, vision: VisionModel, text: str
) -> None:
    embedding = Embedding()
    long = replace(items, texts=(text, *items.texts[1:]), captions=(text, *items.captions[1:]))
    long, texts = fitted_texts(long, vision, embedding)
    long, captions = fitted_captions(long, vision, embedding, "What?")
    assert (texts, captions) == (1, 1) and long.texts[1:] == items.texts[1:]
    for short in (long.texts[0], long.captions[0]):
        assert text.startswith(short) and 0 < len(short) < len(text)
    if " " in text:
        assert long.texts[0].endswith(("red", "square"))
    blank = np.zeros((16, 16, 3), np.uint8)
    vision.rows([text_asked(long.texts[0], embedding)])
    vision.rows([Asked("What?", blank, long.captions[0])])
    assert len(long.texts[0].encode()) > 10


def test_texts_that_fit_stay_as_they_are(items: ItemPictures, vision: VisionModel) -> None:
    same, none = fitted_texts(items, vision, Embedding())
    assert same.texts == items.texts and not none
    kept, cut = fitted_captions(items, vision, Embedding(), "What?")
    assert kept.captions == items.captions and not cut


def test_prompts_that_leave_no_room_are_refused(items: ItemPictures, vision: VisionModel) -> None:
    with pytest.raises(BadInput) as fault:
        fitted_texts(items, vision, Embedding(text_prompt="word " * 100))
    assert fault.value.where == "--tiny.context"
    with pytest.raises(BadInput):
        fitted_captions(items, vision, Embedding(), "word " * 100)


@given(st.text(min_size=1, max_size=400))
@settings(deadline=None, max_examples=40)
def test_any_text_fits_once_it_is_cut(items: ItemPictures, vision: VisionModel, text: str) -> None:
    some = replace(items.rows([0]), texts=(text,), captions=(text,))
    some, cut = fitted_texts(some, vision, Embedding())
    some, again = fitted_captions(some, vision, Embedding(), "What?")
    assert (cut == 0) == (some.texts[0] == text) and (again == 0) == (some.captions[0] == text)
    vision.rows([text_asked(some.texts[0], Embedding())])
    vision.rows([Asked("What?", np.zeros((16, 16, 3), np.uint8), some.captions[0])])


PIECES = [
    "<image>",
    "<|end|>",
    "<|user|>",
    "<",
    ">",
    " ",
    "red square",
    "é",
    "日本",
    "\n",
    "🙂",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
@settings(max_examples=60, deadline=None)
def test_whatever_a_text_holds_it_fits_once_it_is_cut(text: str) -> None:
    """Marks that are written out take more tokens than they have letters."""
    vision, items = plain_model(), some_items(text)
    embedding, blank = Embedding(), np.zeros((16, 16, 3), np.uint8)
    fitted, cut = fitted_texts(items, vision, embedding)
    vision.rows([text_asked(fitted.texts[0], embedding)])
    assert cut == (fitted.texts[0] != text) and text.startswith(fitted.texts[0])
    told, cut = fitted_captions(items, vision, embedding, "What?")
    vision.rows([Asked("What?", blank, told.captions[0])])
    assert cut == (told.captions[0] != text) and text.startswith(told.captions[0])
    again, none = fitted_texts(fitted, vision, embedding)
    assert not none and again.texts == fitted.texts


@cache
def plain_model() -> VisionModel:
    return tiny_vision_model(SHAPE, ["red square"])


def some_items(*texts: str) -> ItemPictures:
    """Items that are texts and nothing else."""
    ids = tuple(f"i{n}" for n in range(len(texts)))
    return ItemPictures("items.csv", ids, texts, texts, texts, (), ())


@pytest.mark.parametrize("many", [1, 20])
def test_texts_are_cut_each_for_itself(many: int) -> None:
    long, vision = "red square " * 30, plain_model()
    texts = ["red", long, "square"] * many
    fitted, cut = fitted_texts(some_items(*texts), vision, Embedding())
    alone, _ = fitted_texts(some_items(long), vision, Embedding())
    assert cut == many and set(fitted.texts) == {"red", "square", alone.texts[0]}


def test_a_cut_text_is_as_long_as_there_is_room() -> None:
    """No more than a word and a few spare tokens are lost."""
    vision = plain_model()
    fitted, _ = fitted_texts(some_items("red square " * 60), vision, Embedding())
    length = int(vision.rows([text_asked(fitted.texts[0], Embedding())]).mask.sum())
    assert vision.most_tokens - 12 <= length <= vision.most_tokens


def test_slices_of_pairs_are_pairs(items: ItemPictures) -> None:
    pairs = ItemPairs(items, "What?", 16)
    assert [one.text for one in pairs[::-1]] == [one.text for one in pairs][::-1]
    assert len(pairs[4:]) == 0 and [p.content for p in pairs[-2:]] == list(items.hashes[-2:])
    with pytest.raises(IndexError):
        pairs[4]


def test_a_picture_that_is_gone_by_now_is_named(items: ItemPictures, tmp_path: Path) -> None:
    gone = replace(items, paths=(*items.paths[:3], tmp_path / "gone.png"))
    with pytest.raises(BadInput) as fault:
        ItemPairs(gone, "What?", 16)[3]
    assert fault.value.where == str(tmp_path / "gone.png")
