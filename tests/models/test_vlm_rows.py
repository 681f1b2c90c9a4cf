"""Rows: what is padded, what is learned, and which pictures go with a slice."""

import numpy as np
import torch

from tastemaker.models.vlm_rows import padded_rows

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
