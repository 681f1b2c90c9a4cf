"""The library is imported in one place, computes with one thread there, and its lack is said."""

import sys

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.index.library import faiss, one_thread, selector


def test_threads_are_one_inside_and_as_they_were_after() -> None:
    library = faiss()
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(2)
    try:
        with pytest.raises(KeyError), one_thread():
            assert library.omp_get_max_threads() == 1
            raise KeyError
        assert library.omp_get_max_threads() == 2
    finally:
        library.omp_set_num_threads(before)


def test_a_missing_library_is_said_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(BadInput) as caught:
        faiss()
    assert "tastemaker[index]" in caught.value.fix


def test_a_selector_has_the_rows_that_may_be_given() -> None:
    may = np.random.default_rng(0).random(77) < 0.5
    chosen = selector(may)
    assert [chosen.is_member(row) for row in range(77)] == may.tolist()
    assert selector(None) is None
