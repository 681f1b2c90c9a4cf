"""Recall both ways: a hand case, ties, equal captions, and a slow count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed import retrieval
from tastemaker.embed.retrieval import ranks
from tastemaker.errors import BadInput


def test_four_pictures_and_six_captions_by_hand() -> None:
    """Pictures are unit vectors, so a caption's numbers are its scores."""
    texts = np.array(
        [
            [0.9, 0.1, 0.2, 0.3],  # of picture 0: found first
            [0.1, 0.2, 0.8, 0.7],  # of picture 0: its picture comes last
            [0.5, 0.6, 0.0, 0.0],  # of picture 1: first
            [0.0, 0.3, 0.1, 0.9],  # of picture 2: third
            [0.4, 0.7, 0.3, 0.0],  # of picture 2: third
            [0.0, 0.0, 0.6, 0.5],  # of picture 3: second
        ]
    )
    found = ranks(np.eye(4), texts, [0, 0, 1, 2, 2, 3], list("abcdef"))
    assert found.texts.tolist() == [1, 4, 1, 3, 3, 2]
    # 0 by its first caption; 1 after e; 2 by its second, after b and f; 3 after b and d.
    assert found.pictures.tolist() == [1, 2, 3, 3]
    hits = found.hits()
    assert hits["t2i_recall@1"].tolist() == [1, 0, 1, 0, 0, 0]
    assert found.recall()["i2t_recall@1"] == 0.25
    assert found.recall()["i2t_recall@5"] == found.recall()["t2i_recall@5"] == 1


@pytest.mark.parametrize("many", [2, 7, 300])
def test_equal_scores_are_no_finds(many: int) -> None:
    same = np.full((many, 5), 0.4472136, np.float32)
    found = ranks(same, same, range(many), [str(n) for n in range(many)])
    assert set(found.pictures) == set(found.texts) == {many}


def test_captions_of_equal_text_answer_for_each_other() -> None:
    swapped = np.eye(3)[[1, 0, 2]]
    assert ranks(np.eye(3), swapped, [0, 1, 2], ["a", "b", "c"]).pictures.tolist() == [3, 3, 1]
    found = ranks(np.eye(3), swapped, [0, 1, 2], ["a", "a", "c"])
    assert found.pictures.tolist() == found.texts.tolist() == [1, 1, 1]


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 5), st.integers(1, 9))
def test_ranks_are_those_of_a_slow_count(seed: int, many: int, more: int, cells: int) -> None:
    rng = np.random.default_rng(seed)
    owners = np.r_[rng.permutation(many), rng.integers(0, many, more)]
    said = [str(n) for n in rng.integers(0, 6, len(owners))]
    pictures, texts = (rng.integers(-2, 3, (n, 2)).astype(float) for n in (many, len(owners)))
    owned = [{s for s, o in zip(said, owners, strict=True) if o == p} for p in range(many)]

    def slow(scores: list[float], right: list[bool]) -> int:
        best = max(s for s, r in zip(scores, right, strict=True) if r)
        return 1 + sum(s >= best and not r for s, r in zip(scores, right, strict=True))

    whole = pictures @ texts.T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retrieval, "CELLS", cells)
        found = ranks(pictures, texts, owners, said)
    right = [[s in own for s in said] for own in owned]
    assert found.pictures.tolist() == list(map(slow, whole.tolist(), right))
    across = list(map(list, zip(*right, strict=True)))
    assert found.texts.tolist() == list(map(slow, whole.T.tolist(), across))


@pytest.mark.parametrize(
    ("owners", "said", "bad"),
    [
        ([0, 0], ["a", "b"], 0.0),
        ([0, 2], ["a", "b"], 0.0),
        ([0, -1], ["a", "b"], 0.0),
        ([0, 1], ["a"], 0.0),
        ([0, 1, 1], ["a", "b", "c"], 0.0),
        ([0, 1], ["a", "b"], np.nan),
    ],
)
def test_what_cannot_be_ranked_is_refused(owners: list[int], said: list[str], bad: float) -> None:
    texts = np.eye(2)
    texts[1, 1] += bad
    with pytest.raises(BadInput):
        ranks(np.eye(2), texts, owners, said)


def some_ranks(seed: int, many: int, more: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, captions and whose they are, no two scores of which are near each other."""
    rng = np.random.default_rng(seed)
    owners = np.r_[rng.permutation(many), rng.integers(0, many, more)]
    return rng.normal(size=(many, 8)), rng.normal(size=(many + more, 8)), owners


@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(0, 5))
@settings(max_examples=30, deadline=None)
def test_the_order_of_pictures_and_captions_does_not_matter(
    seed: int, many: int, more: int
) -> None:
    pictures, texts, owners = some_ranks(seed, many, more)
    said = [str(n % 4) for n in range(len(texts))]
    first = ranks(pictures, texts, owners, said)
    rng = np.random.default_rng(seed + 1)
    rows, columns = rng.permutation(many), rng.permutation(len(texts))
    places = np.argsort(rows)
    moved = ranks(
        pictures[rows], texts[columns], places[owners[columns]], [said[n] for n in columns]
    )
    assert (moved.pictures == first.pictures[rows]).all()
    assert (moved.texts == first.texts[columns]).all()


@given(st.integers(0, 10**6), st.integers(1, 7), st.floats(0.01, 100))
@settings(max_examples=30, deadline=None)
def test_longer_vectors_and_turned_ones_rank_alike(seed: int, many: int, scale: float) -> None:
    pictures, texts, owners = some_ranks(seed, many, 2)
    said = [str(n) for n in range(len(texts))]
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(8, 8)))
    first = ranks(pictures, texts, owners, said)
    moved = ranks(scale * pictures @ turn, texts @ turn, owners, said)
    assert (moved.pictures == first.pictures).all() and (moved.texts == first.texts).all()


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_recall_grows_with_k_up_to_one(seed: int, many: int, more: int) -> None:
    pictures, texts, owners = some_ranks(seed, many, more)
    found = ranks(pictures, texts, owners, ["same" if n % 3 else str(n) for n in range(len(texts))])
    for side, most in (("i2t", len(texts)), ("t2i", many)):
        hits = [found.hits([k])[f"{side}_recall@{k}"] for k in range(1, most + 1)]
        assert all((after >= before).all() for before, after in zip(hits, hits[1:], strict=False))
        assert hits[-1].all()


def test_more_captions_of_a_picture_never_hurt_it() -> None:
    """Its best caption counts; a copy of a wrong one of its own is no wrong answer."""
    pictures, texts, owners = some_ranks(3, 5, 0)
    said = [str(n) for n in range(5)]
    before = ranks(pictures, texts, owners, said).pictures
    more = ranks(pictures, np.r_[texts, -pictures[:1]], np.r_[owners, 0], [*said, "far"])
    assert more.pictures[0] == before[0] and (more.pictures >= before).all()


def test_a_single_picture_is_always_found() -> None:
    found = ranks(np.ones((1, 3)), np.zeros((2, 3)), [0, 0], ["a", "b"])
    assert found.recall([1]) == {"i2t_recall@1": 1.0, "t2i_recall@1": 1.0}


def test_half_and_single_precision_rank_alike() -> None:
    pictures, texts, owners = some_ranks(0, 40, 0)
    said = [str(n) for n in range(40)]
    wide = ranks(pictures, texts, owners, said)
    single = ranks(pictures.astype(np.float32), texts.astype(np.float32), owners, said)
    assert (wide.pictures == single.pictures).all() and (wide.texts == single.texts).all()
