"""What is kept on disk, by whom, and what happens when it is damaged."""

import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tastemaker.artifacts import staged
from tastemaker.errors import BadInput, NumericFault
from tastemaker.files import save_tensors
from tastemaker.models import cached
from tastemaker.models.cached import Cached


class Letters:
    """Counts of a, b and c; remembers what it was asked."""

    dim = 3

    def __init__(self, identity: str = "letters") -> None:
        self.identity = identity
        self.asked: list[Any] = []

    def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        self.asked += inputs
        return np.array([[str(one).count(c) for c in "abc"] for one in inputs], np.float32)


class Files(Letters):
    """The same for the text of a file."""

    def content(self, one: Any, row: int) -> bytes:
        return Path(one).read_bytes()

    def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        return super().__call__([Path(one).read_text() for one in inputs])


def shards(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*/vectors.safetensors"))


def test_only_what_is_missing_is_encoded_and_twins_once(tmp_path: Path) -> None:
    texts = ["abc", "", "aa", "abc", "aa"]
    encode = Letters()
    keep = Cached(encode, tmp_path / "v")
    np.testing.assert_array_equal(keep(texts), Letters()(texts))
    assert encode.asked == ["abc", "", "aa"]
    np.testing.assert_array_equal(keep(["c", "aa"]), [[0, 0, 1], [2, 0, 0]])
    assert encode.asked[3:] == ["c"]
    later = Letters()
    again = Cached(later, tmp_path / "v")
    np.testing.assert_array_equal(again([*texts, "c"]), Letters()([*texts, "c"]))
    assert not later.asked and (again.dim, again.identity) == (3, "letters")


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    vectors = Cached(Letters(), tmp_path / "v")([])
    assert vectors.shape == (0, 3) and vectors.dtype == np.float32
    assert not (tmp_path / "v").exists()


def test_encoders_do_not_mix(tmp_path: Path) -> None:
    Cached(Letters("one"), tmp_path)(["a"])
    other = Letters("two")
    Cached(other, tmp_path)(["a"])
    assert other.asked == ["a"] and len(shards(tmp_path)) == 2


def test_text_and_bytes_do_not_mix(tmp_path: Path) -> None:
    encode = Letters()
    Cached(encode, tmp_path)(["a", b"a", "\ud800"])
    assert encode.asked == ["a", b"a", "\ud800"]


def test_files_are_known_by_content_even_behind_a_second_cache(tmp_path: Path) -> None:
    file, encode = tmp_path / "f", Files()
    keep = Cached(Cached(encode, tmp_path / "v"), tmp_path / "w")
    for text, wanted in [("a", 1), ("aa", 2), ("a", 1)]:
        file.write_text(text)
        assert keep([file])[0, 0] == wanted
    assert encode.asked == ["a", "aa"]


def test_inputs_that_are_unknown_name_their_row(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="row 1"):
        Cached(Letters(), tmp_path)(["a", 3])
    with pytest.raises(BadInput, match="list"):
        Cached(Letters(), tmp_path)("abc")


def test_work_is_published_as_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "SHARD", 2)

    class Stops(Letters):
        def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
            if "stop" in inputs:
                raise KeyboardInterrupt
            return super().__call__(inputs)

    with pytest.raises(KeyboardInterrupt):
        Cached(Stops(), tmp_path)(["a", "b", "c", "stop"])
    later = Letters()
    Cached(later, tmp_path)(["a", "b", "c"])
    assert later.asked == ["c"]


def test_two_writers_lose_nothing(tmp_path: Path) -> None:
    texts = [[f"{'abc'[n % 3] * n} {k}" for n in range(20)] for k in range(4)]
    jobs = [*texts, texts[0], texts[1]]
    faults: list[BaseException] = []

    def write(mine: list[str]) -> None:
        try:
            np.testing.assert_array_equal(Cached(Letters(), tmp_path)(mine), Letters()(mine))
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(mine,)) for mine in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    later, whole = Letters(), [text for mine in texts for text in mine]
    np.testing.assert_array_equal(Cached(later, tmp_path)(whole), Letters()(whole))
    assert not later.asked


def test_writers_that_began_before_each_other_share(tmp_path: Path) -> None:
    one, two = Cached(Letters(), tmp_path), Cached(Letters(), tmp_path)
    one(["a"])
    two(["b"])
    third = Letters()
    Cached(third, tmp_path)(["a", "b"])
    one(["b"])
    assert not third.asked and one.encode.asked == ["a"]  # type: ignore[attr-defined]


def damage(file: Path, how: str) -> None:
    raw = bytearray(file.read_bytes())
    if how == "cut":
        file.write_bytes(raw[:-5])
    elif how == "bit":
        raw[-1] ^= 1
        file.write_bytes(raw)
    elif how == "gone":
        file.unlink()
    else:
        (file.parent / "manifest.json").write_text("{")


@pytest.mark.parametrize("how", ["cut", "bit", "gone", "manifest"])
def test_a_damaged_shard_is_made_again_with_a_warning(tmp_path: Path, how: str) -> None:
    Cached(Letters(), tmp_path)(["a", "b"])
    Cached(Letters(), tmp_path)(["c"])
    sound = {file: file.read_bytes() for file in shards(tmp_path)}
    damage(next(file for file, raw in sound.items() if len(raw) == max(map(len, sound.values()))),
           how)  # fmt: skip
    encode = Letters()
    with pytest.warns(UserWarning, match="made again"):
        vectors = Cached(encode, tmp_path)(["a", "b", "c"])
    np.testing.assert_array_equal(vectors, np.eye(3))
    assert encode.asked == ["a", "b"]
    assert {file: file.read_bytes() for file in shards(tmp_path)} == sound


def test_warnings_as_errors_stop_once(tmp_path: Path) -> None:
    Cached(Letters(), tmp_path)(["a"])
    damage(shards(tmp_path)[0], "cut")
    with warnings.catch_warnings(), pytest.raises(UserWarning):
        warnings.simplefilter("error")
        Cached(Letters(), tmp_path)(["a"])
    assert Cached(Letters(), tmp_path)(["a"])[0, 0] == 1


def test_a_shard_that_vanishes_while_in_use_is_made_again(tmp_path: Path) -> None:
    keep = Cached(Letters(), tmp_path)
    keep(["a"])
    shards(tmp_path)[0].unlink()
    with pytest.warns(UserWarning, match="made again"):
        assert keep(["a"])[0, 0] == 1


def test_a_shard_of_another_shape_is_made_again(tmp_path: Path) -> None:
    keep = Cached(Letters(), tmp_path)
    with staged(keep.folder / "x", "vectors", {}) as partial:
        tensors = {"keys": torch.zeros(2, 32, dtype=torch.uint8), "vectors": torch.zeros(2, 4)}
        save_tensors(partial / "vectors.safetensors", tensors)
    with pytest.warns(UserWarning, match="another shape"):
        keep(["a"])
    assert not (keep.folder / "x").exists()


@pytest.mark.parametrize("wrong", [np.full((1, 3), np.nan), np.zeros((1, 2)), np.zeros((2, 3))])
def test_what_is_not_finite_or_misshapen_is_not_kept(
    tmp_path: Path, wrong: npt.NDArray[np.float64]
) -> None:
    class Wrong(Letters):
        def __call__(self, inputs: Sequence[Any]) -> Any:
            return wrong

    with pytest.raises(NumericFault, match="encoder gave"):
        Cached(Wrong(), tmp_path)(["a"])
    assert not shards(tmp_path)
