"""A video model reads the frames and cells that it is to read, in their order, and learns."""

import numpy as np
import pytest
import torch

from tastemaker.embed.video_vlm import (
    VideoModel,
    VideoModelConfig,
    Vocabulary,
    cost_of,
    right,
    steps_of,
    taken,
)
from tastemaker.errors import BadInput
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tastemaker.worlds.clips import ClipOptions, clips, questions
from tests.embed.tiny_films import TRAIN

CLIPS = clips(TRAIN, ClipOptions(4))
ASKED = questions(CLIPS)
WORDS = Vocabulary.of(ASKED, CLIPS.names)


def test_frames_are_spread_and_cells_averaged() -> None:
    features = torch.randn(2, 16, 4, 4, 3).half()
    all_cells = taken(features, 4, 16)
    assert all_cells.shape == (2, 4, 16, 3)
    assert torch.equal(all_cells[:, :, 6], features[:, [2, 6, 10, 14], 1, 2].float())
    four = taken(features, 1, 4)
    assert torch.allclose(four[0, 0, 1], features[0, 8, :2, 2:].float().mean((0, 1)))
    assert torch.allclose(taken(features, 2, 1)[1, 0, 0], features[1, 4].float().mean((0, 1)))


def test_questions_are_padded_in_front() -> None:
    rows = WORDS.questions(ASKED)
    assert rows.shape == (len(ASKED), WORDS.longest)
    for row, one in zip(rows.tolist(), ASKED, strict=True):
        assert " ".join(WORDS.words[k] for k in row if k) == one.text
        assert all(k == 0 for k in row[: WORDS.longest - len(one.text.split())])
    given = [WORDS.answers[k] for k in WORDS.labels(ASKED).tolist()]
    assert given == [one.answer for one in ASKED]


def test_the_order_of_frames_matters_and_every_word_counts() -> None:
    torch.manual_seed(0)
    model = VideoModel(VideoModelConfig(16, frames=2, tokens=4), 6, WORDS).eval()
    features, words = torch.randn(1, 2, 4, 6), WORDS.questions(ASKED)[:1]
    first = model.logits(features, words)
    assert first.shape == (1, len(WORDS.answers))
    assert not torch.allclose(first, model.logits(features.flip(1), words), atol=1e-5)
    assert not torch.allclose(first, model.logits(features.flip(2), words), atol=1e-5)
    assert not torch.allclose(first, model.logits(features, words.roll(1, 1)), atol=1e-5)
    assert model.parameters_read == sum(p.numel() for p in model.parameters())


def test_it_learns_its_questions_by_heart() -> None:
    torch.manual_seed(0)
    features = torch.randn(len(CLIPS), 2, 4, 6)
    model = VideoModel(VideoModelConfig(32, 1, 2, 4), 6, WORDS)
    steps = steps_of(ASKED, features, WORDS, 4, 0)
    training = FitConfig(epochs=40, lr=5e-3, warmup=5, batch=4, validate_every=40, metric="right")
    fit(model, steps, training, lambda: {"right": float(right(model, steps).float().mean())})
    assert right(model, steps).float().mean() > 0.8


@pytest.mark.parametrize(
    "bad", [{"tokens": 9}, {"tokens": 3}, {"width": 20}, {"frames": 0}, {"layers": 0}]
)
def test_sizes_that_cannot_be_built_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        VideoModelConfig(**bad)


def test_the_encoder_is_charged_for_every_frame() -> None:
    x = np.array([1e5, 8, 16])
    assert cost_of(7e6).vision(x) == pytest.approx(8 * 7e6)
