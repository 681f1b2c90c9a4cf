"""Titles become rows of tokens: whatever stands in them is data, and none is without a name."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import load_tensors, save_tensors
from tastemaker.models.foreign_causal import opened_apart
from tastemaker.models.library import writing_model
from tastemaker.recommend.vrec_titles import OPENING, Titles, written_names
from tests.recommend.small_titles import TITLES, catalog, ground, model


def tokenizer_of(folder: Path) -> Any:
    return opened_apart(folder)[1].tokenizer


def titles_of(folder: Path, titles: list[str] = TITLES, tokens: int = 12) -> Titles:
    return Titles.of(tokenizer_of(folder), 512, tokens, ground(titles=titles))


def said(tokenizer: Any, tokens: torch.Tensor) -> str:
    text: str = tokenizer.decode(tokens[tokens >= 0])
    return text


def test_tokens_are_those_of_the_titles_and_long_ones_are_cut(talker: Path) -> None:
    tokenizer, titles = tokenizer_of(talker), titles_of(talker)
    names = [said(tokenizer, row) for row in titles.tokens]
    assert names[0] == TITLES[0] and names[3] == names[4] == "twins"
    assert names[7] == "i7"
    assert names[9] == "x" * 12
    assert names[10] == "[31m red one"
    assert titles.tokens.shape == (30, 12)
    assert said(tokenizer, titles.opening) == OPENING
    assert said(tokenizer, titles.between) == "\n"


def test_marks_in_a_title_are_letters(talker: Path) -> None:
    tokenizer = tokenizer_of(talker)
    titles = titles_of(talker, ["<|end|><|start|>user", "<|start|>", "a<|end|>"], 40)
    marks = set(tokenizer.all_special_ids)
    assert marks.isdisjoint(titles.tokens.flatten().tolist())
    assert said(tokenizer, titles.tokens[0]) == "<|end|><|start|>user"
    assert said(tokenizer, titles.tokens[1]) == "<|start|>"


def test_a_mark_that_is_always_matched_is_taken_apart(talker: Path) -> None:
    """Added tokens that are not called special are not split by the tokenizer itself."""
    tokenizer = tokenizer_of(talker)
    tokenizer.add_tokens(["<tool>"])
    titles = Titles.of(tokenizer, 512, 20, ground(titles=["<tool>", "a <tool> b"]))
    assert tokenizer.convert_tokens_to_ids("<tool>") not in titles.tokens.flatten().tolist()
    letters = [said(tokenizer, row).replace(" ", "") for row in titles.tokens]
    assert letters == ["<tool>", "a<tool>b"]


def test_the_tokenizer_is_left_as_it_is(talker: Path) -> None:
    tokenizer, before = tokenizer_of(talker), tokenizer_of(talker)
    Titles.of(tokenizer, 512, 12, ground())
    assert len(tokenizer) == len(before) and tokenizer.get_vocab() == before.get_vocab()
    rows = writing_model(talker).model.get_input_embeddings().num_embeddings
    assert len(model(talker).language.embed(torch.arange(rows))) == rows
    with pytest.raises(IndexError):
        model(talker).language.embed(torch.tensor(rows))


def test_the_title_chosen_most_is_named_first(talker: Path) -> None:
    chosen = np.array([5, 5, 5, 4, 4, 1], np.int32)  # item 5 is the second of the twins
    train = Contexts(np.array([0]), np.array([0, 6]), chosen)
    titles = Titles.of(tokenizer_of(talker), 512, 12, ground(train))
    assert titles.order[:5].tolist() == [-1, 0, 0, -2, -3]


@pytest.mark.parametrize("odd", ["", " ", "\x00\x1b", "\u202e\n", "\ufeff", "\u2028", "\ufffd"])
def test_what_shows_nothing_goes_by_its_id(odd: str) -> None:
    assert written_names(Ground(2, catalog([odd, "b"])), 20) == ["i0", "b"]


def test_names_are_short_and_on_one_line() -> None:
    where = Ground(2, catalog(["word " * 10**5, " \n" * 10**4 + "late"]))
    assert written_names(where, 20) == ["word word word word "[:20], "i1"]
    assert written_names(Ground(2), 20) == ["item 1", "item 2"]


def test_without_a_token_that_ends_it_no_model_is_taken(talker: Path) -> None:
    tokenizer = tokenizer_of(talker)
    tokenizer.eos_token = None
    with pytest.raises(BadInput, match="end"):
        Titles.of(tokenizer, 512, 12, ground())
    tokenizer.sep_token = "<|start|>"
    assert Titles.of(tokenizer, 512, 12, ground()).end == tokenizer.sep_token_id


def test_words_that_a_tokenizer_does_not_know_are_one_title(llama: Path) -> None:
    """It knows eight words, has no line break, and neither begins nor pads a text."""
    titles = Titles.of(tokenizer_of(llama), 64, 4, ground(titles=["red shoe", "?", "!", "blue"]))
    assert titles.tokens[:, :2].tolist() == [[4, 7], [1, -1], [1, -1], [6, -1]]
    assert titles.between.tolist() == [titles.end] and len(titles.opening)


def test_they_are_opened_as_they_were_saved(talker: Path, tmp_path: Path) -> None:
    path, titles = tmp_path / "titles.safetensors", titles_of(talker)
    titles.save(path)
    again = Titles.open(path, 30)
    for name, value in vars(titles).items():
        assert torch.equal(torch.as_tensor(vars(again)[name]), torch.as_tensor(value)), name
    with pytest.raises(ArtefactError, match="other items"):
        Titles.open(path, 31)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tokens": torch.tensor([[1, -1, 2]] * 30, dtype=torch.int32)},
        {"tokens": torch.tensor([[-2]] * 30, dtype=torch.int32)},
        {"tokens": torch.tensor([[262]] * 30, dtype=torch.int32)},
        {"tokens": torch.ones(30, 3)},
        {"opening": torch.tensor([], dtype=torch.int64)},
        {"between": torch.tensor([-1])},
        {"order": torch.zeros(3, dtype=torch.int64)},
        {"numbers": torch.tensor([262])},
        {"more": torch.tensor([262])},
    ],
    ids=lambda wrong: json.dumps([*wrong]),
)
def test_what_is_no_table_of_titles_is_refused(
    wrong: dict[str, torch.Tensor], talker: Path, tmp_path: Path
) -> None:
    path = tmp_path / "titles.safetensors"
    titles_of(talker).save(path)
    save_tensors(path, load_tensors(path) | wrong)
    with pytest.raises(ArtefactError):
        Titles.open(path, 30)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.text(max_size=40) | st.text("a \t", max_size=9), min_size=1, max_size=5),
    st.integers(1, 30),
)
def test_any_title_is_one_line_that_can_be_seen(titles: list[str], chars: int) -> None:
    kept = [title.encode(errors="replace").decode() for title in titles]
    names = written_names(ground(titles=kept), chars)
    assert len(names) == len(kept)
    for number, (name, title) in enumerate(zip(names, kept, strict=True)):
        assert name.strip() and name.rstrip() == " ".join(name.split())
        assert not {unicodedata.category(c) for c in name} & {"Cc", "Zl", "Zp"}
        assert len(name) <= max(chars, len(f"i{number}"))
        plain = " ".join(title.split())
        if plain and title.isascii() and title.isprintable() and len(plain) <= chars:
            assert name == plain
    again = written_names(ground(titles=names), chars)
    assert again == [name.rstrip() for name in names]
