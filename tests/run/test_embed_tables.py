"""Vectors and captions of a catalogue in files, whole or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.run.embed_opened import OpenedEmbedding, open_embedding
from tastemaker.run.embed_tables import check_place, write_captions, write_vectors


@pytest.fixture(scope="module")
def model(embedded: tuple[Path, Path]) -> OpenedEmbedding:
    return open_embedding(embedded[1])


def test_vectors(
    embedded: tuple[Path, Path],
    model: OpenedEmbedding,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    made = replace(model, warnings=("mind this",)).catalogue(embedded[0])
    told = write_vectors(made, "picture", tmp_path / "v.parquet")
    frame = pl.read_parquet(tmp_path / "v.parquet")
    assert frame["item_id"].to_list() == list(made.items.item_ids)
    np.testing.assert_array_equal(frame["vector"].to_numpy(), made.vectors)
    assert (told["items"], told["dim"], told["dropped"], told["cut"]) == (30, 32, 0, 0)
    assert told["warnings"] == ["mind this"]


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".jsonl"])
def test_captions(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path, ending: str
) -> None:
    to = tmp_path / f"c{ending}"
    doubtful = replace(model, warnings=("mind this",))
    told = write_captions(doubtful, embedded[0], to, 16)
    read = {".csv": pl.read_csv, ".parquet": pl.read_parquet, ".jsonl": pl.read_ndjson}[ending]
    assert read(to).row(1) == ("i1", "green square")
    assert told["items"] == 30 and told["warnings"] == ["mind this"]


@pytest.mark.parametrize(
    ("name", "vectors"), [("v.csv", True), ("c.txt", False), ("gone/c.csv", False)]
)
def test_files_that_cannot_be_written(tmp_path: Path, name: str, vectors: bool) -> None:
    with pytest.raises(BadInput):
        check_place(tmp_path / name, "model", vectors)
    (tmp_path / "run").mkdir()
    with pytest.raises(BadInput, match="run"):
        check_place(tmp_path / "run" / "v.parquet", str(tmp_path / "run"), vectors=True)


def test_what_a_model_wrote_runs_in_no_spreadsheet(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def formula(*_: object, **__: object) -> list[str]:
        return ["=cmd()"] * 30

    monkeypatch.setattr(OpenedEmbedding, "captions", formula)
    write_captions(model, embedded[0], tmp_path / "c.csv", 8)
    assert pl.read_csv(tmp_path / "c.csv")["caption"].to_list() == ["'=cmd()"] * 30
    write_captions(model, embedded[0], tmp_path / "c.parquet", 8)
    assert pl.read_parquet(tmp_path / "c.parquet")["caption"][0] == "=cmd()"


def test_a_file_stays_as_it_was_where_something_goes_wrong(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path
) -> None:
    to = tmp_path / "c.csv"
    to.write_text("old")
    with pytest.raises(BadInput):
        write_captions(model, tmp_path / "nowhere", to, 8)
    assert to.read_text() == "old" and sorted(path.name for path in tmp_path.iterdir()) == ["c.csv"]


def test_captions_of_a_catalogue_need_no_titles(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path
) -> None:
    frame = pl.DataFrame({
        "item_id": ["z", "a", "gone"],
        "image": [*(str(embedded[0] / f"{n}.png") for n in (2, 0)), "gone.png"],
    })  # fmt: skip
    told = write_captions(model, frame, tmp_path / "c.jsonl", 8, tmp_path / "bad.csv")
    assert pl.read_ndjson(tmp_path / "c.jsonl").rows() == [
        ("z", "blue square"),
        ("a", "red square"),
    ]
    assert (told["items"], told["dropped"], told["model"]) == (2, 1, model.name)
    assert pl.read_csv(tmp_path / "bad.csv")["value"].to_list() == ["'gone.png'"]


def test_nothing_is_written_where_something_is_wrong(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path
) -> None:
    (tmp_path / "c.csv").write_text("as it was")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG")
    paths = [str(embedded[0] / "0.png"), str(tmp_path / "cut.png"), str(tmp_path / "gone.png")]
    bad = pl.DataFrame({"item_id": ["a", "b", "c"], "image": paths})
    with pytest.raises(BadData) as caught:
        write_captions(model, bad, tmp_path / "c.csv", 16)
    assert [problem.row for problem in caught.value.problems] == [2, 3]
    assert (tmp_path / "c.csv").read_text() == "as it was"
    told = write_captions(model, bad, tmp_path / "c.csv", 16, tmp_path / "bad.csv")
    assert (told["items"], told["dropped"]) == (1, 2)
    assert pl.read_csv(tmp_path / "c.csv").rows() == [("a", "red square")]
    assert pl.read_csv(tmp_path / "bad.csv")["row"].to_list() == [2, 3]
    assert sorted(path.name for path in tmp_path.glob("c*")) == ["c.csv", "cut.png"]


def test_ids_that_a_spreadsheet_would_compute_are_written_as_text(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path
) -> None:
    ids = ["=1+1", "@SUM(A1)", 'a"b', "x,y", "10"]
    frame = pl.DataFrame({"item_id": ids, "image": [str(embedded[0] / "0.png")] * len(ids)})
    write_captions(model, frame, tmp_path / "c.csv", 16)
    written = pl.read_csv(tmp_path / "c.csv", infer_schema=False)["item_id"].to_list()
    assert not any(one.startswith(("=", "@")) for one in written) and written[2:] == ids[2:]
    write_captions(model, frame, tmp_path / "c.parquet", 16)
    assert pl.read_parquet(tmp_path / "c.parquet")["item_id"].to_list() == ids


@pytest.mark.parametrize("to", ["", "v", "v.PARQUET.txt", "v.npy"])
def test_vectors_go_into_parquet_alone(tmp_path: Path, to: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_place(tmp_path / to, "model", vectors=True)
    assert caught.value.where == "--to"
    check_place(tmp_path / "v.PARQUET", "model", vectors=True)
