"""The encoder learns what is where, and its features and cost are those it is said to have."""

import numpy as np
import pytest
import torch

from tastemaker.embed.frame_encoder import (
    EncoderConfig,
    FrameEncoder,
    frame_flops,
    kept_features,
    seen,
    trained,
)
from tastemaker.worlds.clips import ClipOptions, clips
from tastemaker.worlds.scenes import CELL
from tests.embed.tiny_films import ENCODER, TRAIN

CLIPS = clips(TRAIN, ClipOptions(12))


def test_labels_are_what_the_frames_show() -> None:
    rows, labels = seen(CLIPS)
    assert len(rows) == len(labels) == 12 * 8 and labels.shape[1:] == (3, 4)
    for (clip, frame), label in zip(rows, labels, strict=True):
        there = {t.place: t for t in CLIPS.things[clip] if t.comes <= frame < t.goes}
        for place in range(4):
            if place in there:
                assert label[0, place] == there[place].kind
                assert label[1:, place].min() >= 0 and label[1:, place].max() < CELL
            else:
                assert label[:, place].tolist() == [len(CLIPS.names), 0, 0]


def test_it_learns_and_is_frozen() -> None:
    torch.manual_seed(0)
    encoder, share = trained(CLIPS, EncoderConfig((8, 8, 16, 16), epochs=4, batch=8, lr=5e-3))
    assert 0 <= share <= 1 and not any(p.requires_grad for p in encoder.parameters())
    fresh = FrameEncoder(EncoderConfig((8, 8, 16, 16)), len(CLIPS.names))
    frames = torch.from_numpy(CLIPS.frames[0])
    empty = [one.places(frames)[0].softmax(1)[:, -1].mean() for one in (encoder, fresh)]
    assert empty[0] > 2 * empty[1]  # most places are


def test_kept_features_are_those_of_every_frame() -> None:
    encoder = FrameEncoder(ENCODER, len(CLIPS.names)).requires_grad_(False)
    kept = kept_features(encoder, CLIPS)
    assert kept.shape == (12, 16, 4, 4, 8) and kept.dtype == torch.float16
    whole = encoder.features(torch.from_numpy(CLIPS.frames[3, 5:6]))[0]
    cell = whole[:, 2:4, 6:8].mean((1, 2))
    assert kept[3, 5, 1, 3].float().numpy() == pytest.approx(cell.numpy(), abs=1e-2)


def test_flops_are_those_of_the_convolutions() -> None:
    one, two, three, four = ENCODER.channels
    wanted = 2 * (
        32**2 * 25 * one + 16**2 * 9 * one * two + 64 * 9 * two * three + 64 * 9 * three * four
    )
    assert frame_flops(FrameEncoder(ENCODER, 10)) == wanted
    assert np.isfinite(wanted)
