"""Oracle: read, united, hashed; users it does not know are counted."""

import json
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.understand.oracle import Oracle, union


def test_users_that_are_missing_are_left_out_and_named() -> None:
    oracle = Oracle({"u": frozenset({1}), "v": frozenset({2})})
    assert oracle.split(["v", "x", "u", "y"]) == (["v", "u"], ["x", "y"])


def test_a_union_of_three_models_without_what_has_no_category() -> None:
    models = {"a": {"u": [1, 0]}, "b": {"u": [2], "v": [0]}, "c": {"u": [1, 3]}}
    oracle = union(models)
    assert oracle.users == {"u": {1, 2, 3}, "v": set()}
    assert oracle.models == ("a", "b", "c")
    with pytest.raises(BadInput, match="2 models"):
        union({"a": {}, "b": {}})
    more = union(models | {"d": {"u": [9]}})
    assert more.sha256 != oracle.sha256


def test_a_file_is_what_was_saved(tmp_path: Path) -> None:
    oracle = Oracle({"v": frozenset({3, 1}), "u": frozenset({2})}, ("a", "b", "c"))
    oracle.save(tmp_path / "oracle.json")
    found = Oracle.open(tmp_path / "oracle.json")
    assert found == oracle
    assert found.sha256 == Oracle({"u": frozenset({2}), "v": frozenset({1, 3})}).sha256


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"oracle": []}', '{"oracle": {"u": 1}}', '{"oracle": {"u": ["1"]}}',
     '{"oracle": {"u": [0]}}', '{"oracle": {"u": [true]}}', "[" * 100_000],
)  # fmt: skip
def test_files_that_are_none_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "oracle.json").write_text(text)
    with pytest.raises(BadInput):
        Oracle.open(tmp_path / "oracle.json")
    with pytest.raises(BadInput):
        Oracle.open(tmp_path / "missing.json")


def test_the_commonest_and_the_sizes() -> None:
    oracle = Oracle({"u": frozenset({1, 5}), "v": frozenset({5, 2}), "w": frozenset({2, 5})})
    assert oracle.commonest(2) == [5, 2]
    assert oracle.statistics["share_of_commonest"] == 1
    assert oracle.statistics["mean"] == 2
    assert Oracle({}).statistics["mean"] == 0


def test_the_released_oracle_has_its_statistics(shared_data: Path) -> None:
    path = shared_data / "gistbench" / "oracle_synthetic.json"
    if not path.is_file():
        pytest.skip("the released oracle is not here")
    found = Oracle.open(path).statistics
    assert (found["users"], found["median"], found["categories"]) == (997, 97, 322)
    assert (found["least"], found["most"]) == (1, 163)
    assert found["mean"] == pytest.approx(91.3, abs=0.05)
    assert found["share_of_commonest"] == pytest.approx(0.96, abs=0.005)
    assert len(json.loads(path.read_text())["oracle"]) == 997
