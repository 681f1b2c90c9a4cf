"""Files are opened by name; each format says what its columns mean."""

from pathlib import Path

import pytest

from tastemaker.data.logs import RATINGS, VIEWS, open_log, open_split
from tastemaker.data.problems import BadData

RATED = "user_id:token\titem_id:token\ttimestamp:float\nu\ta\t1\n"


@pytest.mark.parametrize(
    ("name", "text", "ordered", "events"),
    [
        ("ratings.csv", "userId,movieId,rating,timestamp\n1,2,3,4\n", False, RATINGS.events),
        ("ratings.dat", "1::2::3::4\n", False, RATINGS.events),
        ("u.data", "1 2 3 4\n1 3 3 5\n", False, RATINGS.events),
        ("r.txt", "1 2 3\n1 3 3\n", True, RATINGS.events),
        ("s.txt", "1 2 3\n2 3\n", True, VIEWS.events),
        ("x.inter", RATED, False, VIEWS.events),
        ("purchases.csv", "user_id,item_id\n1,2\n", False, VIEWS.events),
    ],
)
def test_meaning_of_formats(
    tmp_path: Path, name: str, text: str, ordered: bool, events: dict[str, str]
) -> None:
    (tmp_path / name).write_text(text)
    log = open_log(tmp_path / name)
    assert log.ordered is ordered
    assert log.declared.events == events
    assert log.unordered is (name == "r.txt")


@pytest.mark.parametrize("name", ["s.txt", "u.data", "s.gz"])
def test_missing_and_empty_texts(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadData, match="no such file"):
        open_log(tmp_path / name)
    (tmp_path / name).touch()
    with pytest.raises(BadData, match="0 bytes"):
        open_log(tmp_path / name)


def test_a_split_means_what_its_files_mean(tmp_path: Path) -> None:
    files = {part: tmp_path / f"x.{part}.inter" for part in ("test", "train")}
    for path in files.values():
        path.write_text(RATED)
    log = open_split(files)
    assert log.declared == VIEWS
    assert [row for batch in log.table.batches() for row in batch["split"]] == ["train", "test"]
