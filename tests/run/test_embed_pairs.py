"""Pairs read their picture when asked for; texts that are too long are cut at a word."""

from dataclasses import replace

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
