"""A trie holds every item and nothing else, whatever titles are like."""

import numpy as np
import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.models.trie import Trie

END = 9


def padded(*sequences: list[int]) -> np.ndarray:
    width = max(map(len, sequences))
    return np.array([row + [-1] * (width - len(row)) for row in sequences])


def spoken(trie: Trie) -> dict[tuple[int, ...], list[int]]:
    """Every sequence that can be said by going from children to children, with its items."""
    found: dict[tuple[int, ...], list[int]] = {}
    waiting: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    while waiting:
        node, said = waiting.pop()
        items, there = trie.named(torch.tensor([node]))
        if there.any():
            found[said] = items[there].tolist()
        children, there = trie.children(torch.tensor([node]))
        for child in children[there].tolist():
            if child != node:
                assert int(trie.parents[child]) == node
                assert int(trie.depths[child]) == len(said) + 1
                waiting.append((child, (*said, int(trie.tokens[child]))))
    return found


def test_what_can_be_said_is_the_catalogue() -> None:
    rng = np.random.default_rng(0)
    sequences = np.unique(rng.integers(0, 4, (40, 3)), axis=0)
    shuffled = sequences[rng.permutation(len(sequences))]
    found = spoken(Trie.of(shuffled))
    assert found == {tuple(row): [n] for n, row in enumerate(shuffled.tolist())}


def test_titles_that_are_equal_empty_or_begin_others_are_all_said() -> None:
    titles = padded([1, 2], [1], [], [1, 2, 3], [1, 2], [], [2] * 50)
    trie = Trie.of(titles, end=END)
    assert spoken(trie) == {
        (1, 2, END): [0, 4], (1, END): [1], (END,): [2, 5], (1, 2, 3, END): [3],
        (*[2] * 50, END): [6],
    }  # fmt: skip
    assert trie.places().tolist() == [0, 0, 0, 0, 1, 1, 0]
    assert sorted(trie.items.tolist()) == list(range(7))
    for item, node in enumerate(trie.ends.tolist()):
        assert item in trie.named(torch.tensor(node))[0].tolist()


def test_of_equal_titles_the_more_wanted_is_named_first() -> None:
    titles = padded([1], [2], [1], [1])
    trie = Trie.of(titles, end=END, order=[3, 0, 1, 2])
    assert spoken(trie)[1, END] == [2, 3, 0]
    assert trie.places().tolist() == [2, 0, 0, 1]


def test_a_node_that_is_an_item_leads_to_itself() -> None:
    trie = Trie.of(padded([1], [2, 3], [2, 4]))
    nodes, there = trie.children(torch.stack([torch.zeros(3, dtype=torch.long), trie.ends]))
    assert nodes.shape == there.shape == (2, 3, 2)
    assert torch.equal(nodes[1, :, 0], trie.ends)
    assert there[1].tolist() == [[True, False]] * 3


def test_arrays_are_as_long_as_the_tree() -> None:
    trie = Trie.of(padded([1, 2], [1, 3], [4, 2]))
    assert len(trie) == 6 and trie.num_items == 3
    assert trie.starts.tolist() == [1, 3, 5, 6, 6, 6, 6]
    assert trie.tokens.tolist() == [0, 1, 4, 2, 3, 2]


@pytest.mark.parametrize("titles", [([1], [1, 2]), ([], [1]), ([1], [])])
def test_without_an_end_a_sequence_that_begins_another_is_refused(
    titles: tuple[list[int], ...],
) -> None:
    with pytest.raises(ValueError, match="token"):
        Trie.of(padded(*titles))


def test_nothing_and_gaps_are_refused() -> None:
    with pytest.raises(BadInput):
        Trie.of(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="after the last"):
        Trie.of([[1, -1, 2]])
