"""Which token a vector is read off, and that padding does not matter."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.models.vlm_embedding import Embedding, Reader, picture_asked, pooled, text_asked

STATES = torch.arange(24.0).view(2, 4, 3)
RIGHT = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 1]]).bool()


def test_the_last_token_that_is_no_padding_is_read():
    assert pooled(STATES, RIGHT, "last").tolist() == [[3, 4, 5], [21, 22, 23]]


def test_the_mean_is_over_what_is_no_padding():
    assert pooled(STATES, RIGHT, "mean")[0].tolist() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_padding_on_either_side_gives_the_same(pooling):
    left = STATES.clone()
    left[0] = STATES[0].roll(2, 0)
    expected = pooled(STATES, RIGHT, pooling)
    assert torch.equal(pooled(left, RIGHT.flip(1) | RIGHT[1], pooling)[1], expected[1])
    mask = torch.stack([RIGHT[0].flip(0), RIGHT[1]])
    assert torch.equal(pooled(left, mask, pooling), expected)


def test_vectors_have_length_one_in_full_precision():
    reader = Reader(Embedding(), 3)
    vectors = reader(STATES.bfloat16(), RIGHT, "text")
    assert vectors.dtype == torch.float32
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2))


def test_heads_change_nothing_at_first_and_each_side_has_its_own():
    plain, mapped = Reader(Embedding(), 3), Reader(Embedding(heads=True), 3)
    assert not [*plain.parameters()]
    assert torch.allclose(plain(STATES, RIGHT, "text"), mapped(STATES, RIGHT, "text"))
    with torch.no_grad():
        mapped.heads["text"].weight.neg_()
    assert torch.allclose(-plain(STATES, RIGHT, "text"), mapped(STATES, RIGHT, "text"))
    assert torch.allclose(plain(STATES, RIGHT, "picture"), mapped(STATES, RIGHT, "picture"))


def test_prompts_stand_behind_what_is_compressed():
    assert text_asked("a red shoe", Embedding()).text == (
        "a red shoe Compress this sentence in one word:"
    )
    reference = Embedding(separator="")
    assert text_asked("a red shoe", reference).text.startswith("a red shoeCompress")
    picture = torch.zeros(2, 2, 3, dtype=torch.uint8).numpy()
    asked = picture_asked(picture, Embedding())
    assert asked.picture is picture and asked.text == "Compress this image in one word:"


def test_another_pooling_is_refused():
    with pytest.raises(BadInput, match="last or mean"):
        Embedding(pooling="first")


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 5), st.integers(0, 5), st.data())
@settings(max_examples=30, deadline=None)
def test_any_padding_gives_the_same_vectors(rows, width, before, after, data):
    lengths = data.draw(st.lists(st.integers(1, width), min_size=rows, max_size=rows))
    states = torch.randn(rows, width, 3, generator=torch.Generator().manual_seed(rows * width))
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    wide = torch.full((rows, before + width + after, 3), torch.nan)
    wide[:, before : before + width] = states.masked_fill(~mask[..., None], 7.0)
    more = torch.zeros(wide.shape[:2], dtype=torch.bool)
    more[:, before : before + width] = mask
    for pooling in ("last", "mean"):
        given_ = pooled(wide.nan_to_num(9.0), more, pooling)
        assert torch.allclose(given_, pooled(states, mask, pooling), atol=1e-6)
    last = torch.stack([states[row, length - 1] for row, length in enumerate(lengths)])
    mean = torch.stack([states[row, :length].mean(0) for row, length in enumerate(lengths)])
    assert torch.equal(pooled(states, mask, "last"), last)
    assert torch.allclose(pooled(states, mask, "mean"), mean, atol=1e-6)


def test_gradients_reach_what_is_pooled_and_nothing_else():
    states = STATES.clone().requires_grad_()
    Reader(Embedding(), 3)(states, RIGHT, "text")[:, 0].sum().backward()
    touched = states.grad.abs().sum(2) > 0
    assert touched.tolist() == [[False, True, False, False], [False, False, False, True]]


def test_a_state_of_nothing_is_no_number_that_is_none():
    vectors = Reader(Embedding(), 3)(torch.zeros(1, 2, 3), RIGHT[:1, :2], "picture")
    assert vectors.isfinite().all()


@pytest.mark.parametrize("text", ["", " ", "a\n", "é 日本 🙂", "Compress this image in one word:"])
def test_texts_stand_whole_before_their_prompt(text):
    embedding = Embedding(text_prompt="P", separator="|")
    assert text_asked(text, embedding).text == f"{text}|P"
    assert text_asked(text, embedding).picture is None and not text_asked(text, embedding).answer
