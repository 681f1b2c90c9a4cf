"""Arrow files come back as they were written, mapped rather than read."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from tastemaker.data.arrow import array_of, open_arrow, write_arrow


def test_round_trip_without_a_copy(tmp_path: Path) -> None:
    table = pa.table({"a": np.arange(10_000, dtype=np.int32)})
    write_arrow(tmp_path / "a.arrow", table)
    before = pa.total_allocated_bytes()
    again = open_arrow(tmp_path / "a.arrow")
    assert again.equals(table)
    assert pa.total_allocated_bytes() - before < 1000


def test_numbers_of_a_column_are_not_copied_where_it_is_one_chunk() -> None:
    whole = pa.array(np.arange(1000))
    assert array_of(whole).ctypes.data == whole.buffers()[1].address
    assert array_of(pa.chunked_array([whole])).ctypes.data == whole.buffers()[1].address
    parts = pa.chunked_array([whole[:3], whole[7:9]])
    assert array_of(parts).tolist() == [0, 1, 2, 7, 8]
    for kind in (pa.int8(), pa.uint8(), pa.int64(), pa.float32()):
        empty = array_of(pa.chunked_array([], kind))
        assert (len(empty), empty.dtype) == (0, kind.to_pandas_dtype())


def test_reading_a_column_loads_no_other_library(tmp_path: Path) -> None:
    write_arrow(tmp_path / "a.arrow", pa.table({"a": np.arange(5)}))
    code = (
        "import sys; from pathlib import Path; from tastemaker.data.arrow import *\n"
        f"column = open_arrow(Path({str(tmp_path / 'a.arrow')!r})).column('a')\n"
        "assert array_of(column).sum() == 10 and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
