"""Rows: what is padded, what is learned, and which pictures go with a slice."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.models.vlm_rows import Rows, padded_rows

PROMPTS, ANSWERS = [[5, 6, 7], [8], [9, 9]], [[1, 2], [], [3, 4]]


def test_answers_alone_are_learned_and_padding_stands_on_the_right() -> None:
    rows = padded_rows(PROMPTS, ANSWERS, {}, [0, 0, 0], padding=0)
    assert rows.tokens.tolist() == [[5, 6, 7, 1, 2], [8, 0, 0, 0, 0], [9, 9, 3, 4, 0]]
    assert rows.mask.sum(1).tolist() == [5, 1, 4] and len(rows) == 3
    assert rows.learned.int().tolist() == [[0, 0, 0, 1, 1], [0] * 5, [0, 0, 1, 1, 0]]


def test_a_slice_takes_its_pictures_and_no_padding() -> None:
    pictures = {"pixel_values": torch.arange(2)[:, None]}
    rows = padded_rows(PROMPTS, ANSWERS, pictures, [1, 0, 1], padding=0)
    assert rows.take(0, 1).pictures["pixel_values"].tolist() == [[0]]
    assert rows.take(1, 2).pictures == {} and rows.take(1, 2).tokens.tolist() == [[8]]
    last = rows.take(1, 3)
    assert last.pictures["pixel_values"].tolist() == [[1]]
    assert last.tokens.shape == (2, 4) and last.held.tolist() == [0, 1]
    assert len(rows.take(3, 3)) == 0


def test_pixels_beside_a_grid_are_cut_by_its_cells() -> None:
    grid = torch.tensor([[1, 2, 2], [1, 1, 3], [1, 2, 1]])
    pictures = {"pixel_values": torch.arange(9)[:, None], "image_grid_thw": grid}
    rows = padded_rows(PROMPTS, ANSWERS, pictures, [1, 1, 1], padding=0)
    for row, cells in enumerate(([0, 1, 2, 3], [4, 5, 6], [7, 8])):
        taken = rows.take(row, row + 1).pictures
        assert taken["pixel_values"].flatten().tolist() == cells
        np.testing.assert_array_equal(taken["image_grid_thw"], grid[row : row + 1])


def test_rows_move_as_a_whole() -> None:
    pictures = {"pixel_values": torch.zeros(1, 2)}
    rows = padded_rows(PROMPTS, ANSWERS, pictures, [0, 1, 0], padding=0).to("meta")
    tensors = [rows.tokens, rows.mask, rows.learned, rows.held, *rows.pictures.values()]
    assert {tensor.device.type for tensor in tensors} == {"meta"}


tokens = st.lists(st.integers(1, 9), max_size=4)
shapes = st.lists(st.tuples(tokens.filter(bool), tokens, st.booleans()), min_size=1, max_size=6)


def rows_of(drawn: list[tuple[list[int], list[int], bool]]) -> Rows:
    """Rows some of which have a picture, each picture being its row's number."""
    prompts, answers, held = zip(*drawn, strict=True)
    numbers = [float(row) for row, one in enumerate(held) if one]
    pictures = {"pixel_values": torch.tensor(numbers)[:, None]} if numbers else {}
    return padded_rows(prompts, answers, pictures, [int(one) for one in held], padding=0)


@given(shapes, st.integers(1, 4))
@settings(max_examples=30, deadline=None)
def test_slices_hold_each_row_once_with_its_own_pictures(
    drawn: list[tuple[list[int], list[int], bool]], chunk: int
) -> None:
    rows, row = rows_of(drawn), 0
    for start in range(0, len(rows), chunk):
        part = rows.take(start, min(start + chunk, len(rows)))
        shown = iter(part.pictures.get("pixel_values", torch.zeros(0)).flatten().tolist())
        for tokens, mask, learned in zip(part.tokens, part.mask, part.learned, strict=True):
            prompt, answer, pictured = drawn[row]
            assert tokens[mask].tolist() == [*prompt, *answer]
            assert tokens[learned].tolist() == answer
            assert not learned[~mask].any() and not tokens[~mask].any()
            if pictured:
                assert next(shown) == row
            row += 1
        assert next(shown, None) is None and part.mask.any(0).all()
    assert row == len(drawn)


@given(shapes, st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
@settings(max_examples=30, deadline=None)
def test_a_slice_of_a_slice_is_a_slice(
    drawn: list[tuple[list[int], list[int], bool]], start: int, skip: int, many: int
) -> None:
    rows = rows_of(drawn)
    start = min(start, len(rows))
    twice = rows.take(start, len(rows)).take(skip, skip + many)
    once = rows.take(start + skip, min(start + skip + many, len(rows)))
    assert torch.equal(twice.tokens, once.tokens) and torch.equal(twice.learned, once.learned)
    assert twice.pictures.keys() == once.pictures.keys()
    for name, tensor in once.pictures.items():
        assert torch.equal(twice.pictures[name], tensor)


def test_no_rows_are_rows() -> None:
    rows = padded_rows([], [], {}, [], padding=0)
    assert len(rows) == 0 and rows.tokens.shape == rows.mask.shape == (0, 0)
    assert len(rows.to("cpu").take(0, 0)) == 0
