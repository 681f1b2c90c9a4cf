"""Whatever a table holds: it is read to finite numbers, or refused with a reason for a person."""

from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tastemaker.data.labelled import TableForm, read_alike, read_inputs, read_table
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput

CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "1", "2.5", "-3e4", "nan", "inf", "1e99", "red", "green", "a,b"]),
    st.text(max_size=3),
)
COLUMNS = st.lists(st.lists(CELLS, min_size=12, max_size=12), min_size=1, max_size=3)
LABELS = st.lists(st.sampled_from(["x", "y", "1", "01", "x "]), min_size=12, max_size=12)
NUMBERS = st.lists(
    st.one_of(st.none(), st.floats(), st.booleans(), st.integers(-(2**40), 2**40)),
    min_size=12,
    max_size=12,
)
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(COLUMNS, LABELS)
def test_texts_become_finite_numbers_or_problems(
    tmp_path: Path, columns: list[list[str | None]], labels: list[str]
) -> None:
    named = {f"c{n}": pl.Series(cells, dtype=pl.String) for n, cells in enumerate(columns)}
    frame = pl.DataFrame({**named, "label": labels})
    read_or_refused(frame)
    frame.write_csv(tmp_path / "a.csv")
    try:
        assert np.isfinite(read_table(tmp_path / "a.csv", "label").inputs).all()
    except BadInput as fault:
        assert str(fault)


@QUICK
@given(NUMBERS, LABELS)
def test_numbers_stay_finite_or_are_problems(
    numbers: list[float | None], labels: list[str]
) -> None:
    cells = [None if one is None else float(one) for one in numbers]
    read_or_refused(pl.DataFrame({"c": pl.Series(cells, dtype=pl.Float64), "label": labels}))


def read_or_refused(frame: pl.DataFrame) -> None:
    try:
        data = read_table(frame, "label")
    except BadData as fault:
        assert all(problem.what and problem.fix for problem in fault.problems)
        assert str(fault).isprintable() or "\n" in str(fault)
        return
    assert data.inputs.shape == (12, len(data.form.columns.features))  # type: ignore[union-attr]
    assert np.isfinite(data.inputs).all()
    assert data.labels.min() >= 0 and data.labels.max() < len(data.classes)
    assert np.bincount(data.labels).min() >= 3
    assert isinstance(data.form, TableForm)
    again = read_alike(frame, data.form)
    np.testing.assert_array_equal(again.inputs, data.inputs)
    np.testing.assert_array_equal(again.labels, data.labels)
    np.testing.assert_array_equal(read_inputs(frame.drop("label"), data.form), data.inputs)
