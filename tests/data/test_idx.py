import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from tastemaker.data.idx import read_idx, read_pictures
from tastemaker.errors import BadInput


def idx(array: np.ndarray, kind: int = 8) -> bytes:
    lengths = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes((0, 0, kind, array.ndim)) + lengths + array.astype(np.uint8).tobytes()


def written(folder: Path, images: np.ndarray, labels: np.ndarray, packed: bool) -> Path:
    for name, array in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
        raw = idx(array)
        path = folder / f"train-{name}{'.gz' if packed else ''}"
        path.write_bytes(gzip.compress(raw) if packed else raw)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_pictures_come_with_their_classes(tmp_path: Path, packed: bool) -> None:
    images = np.arange(24).reshape(2, 3, 4)
    read = read_pictures(written(tmp_path, images, np.array([7, 0]), packed), "train")
    assert np.array_equal(read.images, images) and read.labels.tolist() == [7, 0]
    assert read.labels.dtype == np.int64


WHOLE = idx(np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "nothing"),
        (b"PK\x03\x04", "50 4b"),
        (idx(np.zeros(2), kind=13), "00 00 0d"),
        (WHOLE[:6], "first bytes"),
        (WHOLE[:-1], "holds 5"),
        (WHOLE + b"!", "more"),
        (gzip.compress(WHOLE, mtime=0)[:-9], "unpacked"),
        (bytes((0, 0, 8, 2)) + struct.pack(">2I", 2**31, 2**31), "says that it holds"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, raw: bytes, said: str) -> None:
    path = tmp_path / "x.gz"
    path.write_bytes(raw)
    with pytest.raises(BadInput, match=said):
        read_idx(path)


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="neither"):
        read_pictures(tmp_path, "train")
    images = np.zeros((3, 2, 2))
    with pytest.raises(BadInput, match="3 pictures and 2 labels"):
        read_pictures(written(tmp_path, images, np.zeros(2), False), "train")
    with pytest.raises(BadInput, match="2 dimensions"):
        read_pictures(written(tmp_path, images[0], np.zeros(2), False), "train")


@pytest.mark.skipif("TASTEMAKER_DATA" not in os.environ, reason="TASTEMAKER_DATA is not set")
def test_fashion_mnist_is_read() -> None:
    folder = Path(os.environ["TASTEMAKER_DATA"]) / "fashion-mnist"
    if not folder.is_dir():
        pytest.skip("fashion-mnist is not in TASTEMAKER_DATA")
    read = read_pictures(folder, "t10k")
    assert read.images.shape == (10_000, 28, 28)
    assert np.bincount(read.labels).tolist() == [1000] * 10
