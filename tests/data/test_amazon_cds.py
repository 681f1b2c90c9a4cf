"""An event that stands in many sliding histories is read once."""

from pathlib import Path

import pytest

from tastemaker.data.amazon_cds import read_amazon_cds
from tastemaker.data.problems import BadData

HEADER = "user_id,history_item_id,item_id,history_rating,rating,history_timestamp,timestamp"


def folder(path: Path, *rows: str) -> Path:
    (path / "valid.csv").write_text("\n".join([HEADER, *rows[:2]]) + "\n")
    (path / "test.csv").write_text("\n".join([HEADER, *rows[2:]]) + "\n")
    (path / "info.txt").write_text('One, "two"\t7\nThree\t8\n')
    return path


def test_sliding_histories_are_one_history(tmp_path: Path) -> None:
    read = read_amazon_cds(
        folder(
            tmp_path,
            'a,"[7, 8]",9,"[3.0, 5.0]",4.0,"[10, 20]",30',
            'b,"[]",7,"[]",1.0,"[]",5',
            'a,"[8, 9]",7,"[5.0, 4.0]",2.0,"[20, 30]",40',
        )
    )
    log = read.interactions
    assert log.user_ids.to_list() == ["a", "b"]
    assert log.decode(log.items) == ["7", "8", "9", "7", "7"]
    assert log.values is not None and log.values.tolist() == [3, 5, 4, 2, 1]
    assert log.times is not None and log.times.tolist() == [10, 20, 30, 40, 5]
    assert read.titles == {"7": 'One, "two"', "8": "Three"}


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="valid"):
        read_amazon_cds(tmp_path)
    folder(tmp_path, 'a,"[7",9,"[3.0]",4.0,"[1]",3')
    with pytest.raises(BadData):
        read_amazon_cds(tmp_path)
    (tmp_path / "valid.csv").write_text("user_id,item_id\na,1\n")
    with pytest.raises(BadData) as caught:
        read_amazon_cds(tmp_path)
    assert "history_item_id" in {problem.column for problem in caught.value.problems}
