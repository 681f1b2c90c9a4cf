"""Arrow files come back as they were written, mapped rather than read."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from tastemaker.data.arrow import open_arrow, write_arrow


def test_round_trip_without_a_copy(tmp_path: Path) -> None:
    table = pa.table({"a": np.arange(10_000, dtype=np.int32)})
    write_arrow(tmp_path / "a.arrow", table)
    before = pa.total_allocated_bytes()
    again = open_arrow(tmp_path / "a.arrow")
    assert again.equals(table)
    assert pa.total_allocated_bytes() - before < 1000
