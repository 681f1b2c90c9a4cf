"""Which token a vector is read off, and that padding does not matter."""

import pytest
import torch

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
