"""A federated classifier opens and answers for new rows, by names of classes."""

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.problems import BadData
from tastemaker.errors import ArtefactError
from tastemaker.federate.classifiers import Cnn
from tastemaker.models.labelled_pictures import read_pictures
from tastemaker.run import federate_job as job
from tastemaker.run import federate_opened
from tastemaker.run.federate import federate
from tastemaker.run.federate_opened import open_federated
from tests.models.test_labelled_pictures import save
from tests.run.federated import config, frame, labelled

PAGE = Path(__file__).parents[2] / "docs" / "federate.md"


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))


def test_new_rows_get_a_probability_of_each_class(tmp_path: Path) -> None:
    run = tmp_path / "run"
    federate(config(6), labelled(), str(run))
    opened = open_federated(run)
    assert opened.classes == ("k0", "k1", "k2")
    rows = frame().drop("kind", "town")
    shares = opened.probabilities(rows)
    assert shares.shape == (120, 3)
    np.testing.assert_allclose(shares.sum(1), 1)
    assert (shares.argmax(1) == np.arange(120) % 3).mean() > 0.9
    rows.write_csv(tmp_path / "new.csv")
    np.testing.assert_array_equal(opened.probabilities(tmp_path / "new.csv"), shares)
    shuffled = rows.select("colour", "z", "x").head(1)
    np.testing.assert_allclose(opened.probabilities(shuffled), shares[:1], rtol=1e-5)
    with pytest.raises(BadData) as fault:
        opened.probabilities(rows.with_columns(pl.lit("violet").alias("colour")))
    assert [(p.column, p.count) for p in fault.value.problems] == [("colour", 120)]


def test_rows_come_back_in_their_order_and_other_columns_do_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also over several batches, the last of which is not full; and one row is as among many."""
    run = tmp_path / "run"
    federate(config(1), labelled(), str(run))
    opened, rows = open_federated(run), frame().drop("kind", "town")
    whole = opened.probabilities(rows)
    assert (whole >= 0).all() and whole.dtype == np.float64
    np.testing.assert_allclose(whole.sum(1), 1, atol=1e-12)
    monkeypatch.setattr(federate_opened, "_ROWS", 50)
    np.testing.assert_allclose(opened.probabilities(rows), whole, rtol=1e-5)
    np.testing.assert_allclose(opened.probabilities(rows.reverse()), whole[::-1], rtol=1e-5)
    np.testing.assert_allclose(opened.probabilities(frame()), whole, rtol=1e-5)


def test_columns_that_are_missing_are_all_named(tmp_path: Path) -> None:
    run = tmp_path / "run"
    federate(config(1), labelled(), str(run))
    with pytest.raises(BadData) as fault:
        open_federated(run).probabilities(frame().drop("x", "colour").with_columns(y=1.0))
    assert {problem.column for problem in fault.value.problems} == {"x", "colour"}


def test_pictures_are_told_apart_as_well(tmp_path: Path) -> None:
    pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
    run, folder = tmp_path / "run", save(tmp_path / "set", each=30)
    given = config(1, model=Cnn((2, 2), 2, 4))
    federate(given, read_pictures(folder, 8), str(run))
    opened = open_federated(run)
    paths = [folder / "a" / "0.png", str(folder / "b" / "1.png")]
    shares = opened.probabilities(paths)
    assert shares.shape == (2, 2)
    np.testing.assert_allclose(opened.probabilities(paths[1]), shares[1:], rtol=1e-5)


def test_what_is_damaged_or_unfinished_does_not_open(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with pytest.raises(ArtefactError):
        open_federated(run)
    federate(config(1), labelled(), str(run))
    with (run / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ArtefactError):
        open_federated(run)


def test_the_code_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    table = frame().rename({"kind": "outcome", "town": "hospital"})
    table.write_csv("patients.csv")
    table.head(2).write_csv("new.csv")
    exec(compile(code.replace("rounds=20", "rounds=1"), "federate.md", "exec"), {})
    assert "('k0', 'k1', 'k2')" in capsys.readouterr().out
