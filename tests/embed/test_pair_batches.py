"""Which pairs meet in a step, what is asked of them, and what a process is given."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.embed.pair_batches import Pair, sharing
from tastemaker.errors import BadInput
from tests.embed.small import batches, some_model, some_pairs

MODEL = some_model()
BLANK = np.zeros((8, 8, 3), np.uint8)


def drawn(epoch: int, skip: int = 0, **options) -> list[list[int]]:
    return [step.rows.tolist() for step in batches(MODEL, **options).epoch(epoch, skip)]


def test_every_step_is_full_and_no_pair_is_drawn_twice_an_epoch():
    rows = drawn(0, batch=5)
    assert [len(row) for row in rows] == [5, 5] and len({*rows[0], *rows[1]}) == 10
    assert drawn(0, batch=99) == [sorted(drawn(0, batch=99)[0], key=drawn(0, batch=99)[0].index)]
    assert len(drawn(0, batch=99)[0]) == 12


def test_an_epoch_depends_on_seed_and_number_alone():
    assert drawn(3) == drawn(3) != drawn(4)
    assert drawn(3, seed=1) != drawn(3)
    assert drawn(3, skip=1) == drawn(3)[1:]


def test_the_first_turn_is_asked_every_time_and_others_by_chance():
    pairs = [
        dataclasses.replace(pair, turns=(("first", "a"), ("one", "yes"), ("two", "no")))
        for pair in some_pairs()
    ]
    steps = [*batches(MODEL, pairs, turns=2).epoch(0), *batches(MODEL, pairs, turns=2).epoch(1)]
    tokenizer = MODEL.vision.processor.tokenizer
    for step in steps:
        texts = tokenizer.batch_decode(step.told.tokens)
        assert len(texts) == 12 and sum("first" in text for text in texts) == 6
    again = batches(MODEL, pairs, turns=2)
    assert torch.equal(next(iter(again.epoch(0))).told.tokens, steps[0].told.tokens)


def test_what_no_loss_needs_is_not_made():
    (step, *_) = batches(MODEL, vectors=False).epoch(0)
    assert step.pictures is None and step.texts is None and step.told is not None
    (step, *_) = batches(MODEL, told=False).epoch(0)
    assert step.told is None and step.answer_tokens == 0 and not step.shared


@given(st.integers(1, 4))
def test_parts_hold_each_row_once(world):
    texts = [pair.text for pair in some_pairs()]
    pairs = [
        dataclasses.replace(pair, negatives=tuple(texts[: row % 3]))
        for row, pair in enumerate(some_pairs())
    ]
    (step, *_) = batches(MODEL, pairs, batch=7, turns=2).epoch(0)
    parts = [step.parts(rank, world)[0] for rank in range(world)]
    assert np.concatenate([part.rows for part in parts]).tolist() == step.rows.tolist()
    assert sum(len(part.told) for part in parts) == len(step.told)
    assert {part.target_count for part in parts} == {7}
    assert {part.answer_tokens for part in parts} == {step.answer_tokens}
    for part in parts:
        assert len(part.pictures) == len(part.texts) == len(part.rows) == part.counts[part.rank]
        assert (0 if part.hard is None else len(part.hard)) == int(part.hard_counts.sum())


def test_a_step_with_fewer_pairs_than_processes_is_refused():
    (step, *_) = batches(MODEL, batch=2).epoch(0)
    with pytest.raises(BadInput, match="every process"):
        step.parts(0, 3)


def test_pairs_share_a_text_or_a_named_picture():
    pairs = [
        Pair(BLANK, "a", content="x"),
        Pair(BLANK, "b", content="x"),
        Pair(BLANK, "a"),
        Pair(BLANK, "c"),
    ]
    expected = np.eye(4, dtype=bool)
    expected[[0, 1, 0, 2], [1, 0, 2, 0]] = True
    assert (sharing(pairs) == expected).all()


@pytest.mark.parametrize("options", [{"batch": 0}, {"turns": 0}, {"pairs": []}])
def test_what_makes_no_step_is_refused(options):
    with pytest.raises(BadInput):
        batches(MODEL, **options)


def test_nothing_told_is_refused_only_where_it_is_to_be_learnt():
    silent = [Pair(BLANK, "a"), Pair(BLANK, "b")]
    with pytest.raises(BadInput, match="Nothing is told"):
        batches(MODEL, silent)
    assert len(batches(MODEL, silent, told=False)) == 1


def test_a_step_moves_to_a_device_whole():
    (step, *_) = batches(MODEL).epoch(0)
    moved = step.to(torch.device("meta"))
    for rows in (moved.told, moved.pictures, moved.texts):
        assert rows.tokens.device.type == "meta"
    assert moved.same.device.type == "meta"
