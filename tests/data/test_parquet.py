"""A Parquet file that cannot be written ends in the one error that says so."""

import ast
from pathlib import Path

import polars as pl
import pytest

import tastemaker
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.parquet import write_parquet
from tastemaker.errors import OutOfResources

FULL = Path("/dev/full")
FRAME = pl.DataFrame({"item_id": [f"i{n}" for n in range(1000)]})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_parquet(tmp_path / "a.parquet", FRAME)
    assert pl.read_parquet(tmp_path / "a.parquet").equals(FRAME)


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_named_with_its_path() -> None:
    with pytest.raises(OutOfResources) as caught:
        write_parquet(FULL, FRAME)
    assert caught.value.where == str(FULL)
    assert caught.value.exit_code == 5
    catalog = Catalog(FRAME.with_columns(pl.lit(None).alias(n) for n in SCHEMA if n != "item_id"))
    with pytest.raises(OutOfResources):
        catalog.save(FULL)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pl.exceptions.ComputeError("underlying IO error: quota (os error 122)"), OutOfResources),
        (PermissionError("Permission denied (os error 13): x"), OutOfResources),
        (OSError(30, "Read-only file system"), OutOfResources),
        (FileNotFoundError("No such file or directory (os error 2): x"), FileNotFoundError),
        (pl.exceptions.ComputeError("another fault"), pl.exceptions.ComputeError),
    ],
)
def test_the_engine_wraps_the_error_of_the_system_in_its_own(
    error: Exception, expected: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*given: object) -> None:
        raise error

    monkeypatch.setattr(pl.DataFrame, "write_parquet", failing)
    with pytest.raises(expected):
        write_parquet(tmp_path / "a.parquet", FRAME)


def test_tables_of_the_package_are_written_through_it() -> None:
    calls = {
        path.name
        for path in Path(tastemaker.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "write_parquet"
    }
    assert calls <= {"parquet.py"}
