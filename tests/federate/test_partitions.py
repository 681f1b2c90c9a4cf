import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.federate.partitions import auxiliary, by_value, dirichlet, held_out, mixes

LABELS = np.random.default_rng(0).integers(0, 5, 300)
LABEL_LISTS = st.lists(st.integers(0, 6), min_size=1, max_size=120).map(
    lambda values: np.array(values, np.int64)
)


@settings(max_examples=60, deadline=None)
@given(
    LABEL_LISTS, st.integers(1, 5), st.sampled_from((0.05, 0.5, 10.0)), st.integers(0, 9),
    st.integers(0, 3),
)  # fmt: skip
def test_every_example_has_one_owner_and_everybody_has_enough(
    labels: np.ndarray, clients: int, alpha: float, seed: int, least: int
) -> None:
    assume(len(labels) >= 4 * clients * least)
    try:
        parts = dirichlet(labels, clients, alpha, seed, least)
    except BadInput as error:
        assert "draws" in error.what
        return
    assert len(parts) == clients and all(len(rows) >= least for rows in parts)
    assert sorted(np.concatenate(parts)) == list(range(len(labels)))
    assert all((np.diff(rows) > 0).all() for rows in parts)


@settings(max_examples=60, deadline=None)
@given(LABEL_LISTS, st.integers(0, 8), st.integers(0, 9))
def test_the_servers_examples_are_nobody_elses(
    labels: np.ndarray, per_class: int, seed: int
) -> None:
    own, left = auxiliary(labels, per_class, seed)
    assert not set(own) & set(left) and sorted([*own, *left]) == list(range(len(labels)))
    taken, held = (np.bincount(labels[rows], minlength=7) for rows in (own, np.arange(len(labels))))
    assert (taken == np.minimum(per_class, held // 2)).all()


@given(st.integers(1, 200), st.integers(0, 9))
def test_a_test_is_held_out(examples: int, seed: int) -> None:
    size = examples // 3
    pool, test = held_out(examples, size, seed)
    assert len(test) == size and sorted([*pool, *test]) == list(range(examples))


def test_a_small_alpha_gives_clients_few_classes() -> None:
    def held(alpha: float) -> float:
        parts = dirichlet(LABELS, 6, alpha, 0, 5)
        return float((mixes(LABELS, parts, 5) > 0.05).sum(1).mean())

    assert held(0.05) < 3 < held(100.0)


def test_nobody_above_its_even_part_gets_another_class() -> None:
    for seed in range(20):
        parts = dirichlet(LABELS, 3, 0.05, seed, 1)
        for rows in parts:  # it was below an even part before it got its last class
            last = LABELS[rows].max()
            assert (LABELS[rows] != last).sum() < 100


def test_the_same_seed_gives_the_same_whatever_the_threads() -> None:
    first = dirichlet(LABELS, 4, 0.5, 3)
    threads = torch.get_num_threads()
    torch.set_num_threads(3 - min(2, threads))
    try:
        again = dirichlet(LABELS, 4, 0.5, 3)
    finally:
        torch.set_num_threads(threads)
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    other = dirichlet(LABELS, 4, 0.5, 4)
    assert any(len(a) != len(b) for a, b in zip(first, other, strict=True))


def test_shares_of_almost_nothing_are_still_shares() -> None:
    parts = dirichlet(LABELS, 3, 1e-4, 0, 1)
    assert sum(map(len, parts)) == 300


@pytest.mark.parametrize(
    ("clients", "alpha", "least"), [(0, 1.0, 1), (3, 0.0, 1), (3, float("nan"), 1), (31, 1.0, 10)]
)
def test_what_cannot_be_dealt_is_refused(clients: int, alpha: float, least: int) -> None:
    with pytest.raises(BadInput):
        dirichlet(LABELS, clients, alpha, 0, least)


def test_a_draw_that_never_comes_is_given_up() -> None:
    with pytest.raises(BadInput, match="draws"):
        dirichlet(np.zeros(40, np.int64), 4, 1e-3, 0, 10)


def test_a_column_names_the_clients() -> None:
    parts = by_value(np.array(["b", "a", "b", "c"]))
    assert {name: rows.tolist() for name, rows in parts.items()} == {
        "a": [1],
        "b": [0, 2],
        "c": [3],
    }


def test_mixes_are_shares() -> None:
    found = mixes(np.array([0, 1, 1, 2]), [np.array([0, 1]), np.array([2, 3])], 3)
    assert found.tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5]]
