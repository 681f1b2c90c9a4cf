"""The one place that imports faiss, and what is asked of it besides an index.

No file of faiss's own format is ever read: an index is kept as plain arrays, which are checked
before faiss sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput


def faiss() -> Any:
    """The library.

    Raises:
        BadInput: Where it is not installed, with the command that installs it.
    """
    try:
        import faiss as library
    except ImportError as error:
        what = f"An approximate index needs a library that is missing: {error}."
        fix = "Run `pip install 'tastemaker[index]'`, or choose kind='exact', which is slower."
        raise BadInput(what, "the extra 'index'", fix) from error
    return library


@contextmanager
def one_thread() -> Iterator[Any]:
    """The library, with one thread inside: with several, a graph is another one each time."""
    library = faiss()
    before = library.omp_get_max_threads()
    library.omp_set_num_threads(1)
    try:
        yield library
    finally:
        library.omp_set_num_threads(before)


def selector(may: npt.NDArray[np.bool_] | None) -> Any:
    """Rows that may be given, as faiss takes them; it must live as long as the search."""
    if may is None:
        return None
    return faiss().IDSelectorBitmap(np.packbits(may, bitorder="little"))
