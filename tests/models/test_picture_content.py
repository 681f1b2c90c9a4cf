"""Pictures of a catalogue as vectors: whose they are, what is missing, and who makes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.models import picture_content
from tastemaker.models.picture_content import picture_encoder, picture_vectors
from tastemaker.models.pictures import square


class Mean:
    """An encoder whose vector of a picture is its mean colour."""

    dim = 3
    identity = "a" * 64

    def content(self, one: Any, row: int) -> bytes:
        try:
            return Path(one).read_bytes()
        except OSError as error:
            raise BadInput(f"No picture: {error}.", str(one), "Give one.") from error

    def __call__(self, inputs: Sequence[Any]) -> np.ndarray:
        means = np.stack([square(one, 8, 0).mean((0, 1)) for one in inputs])
        return (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def by_mean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pictures are encoded by their mean colour."""
    monkeypatch.setattr(picture_content, "picture_encoder", lambda name: Mean())
    monkeypatch.setattr(picture_content, "cache_folder", lambda: tmp_path / "cache")


def pictured(folder: Path, names: Sequence[str | None]) -> Catalog:
    """Items i0, i1, … with pictures of these names."""
    known = {"item_id": [f"i{n}" for n in range(len(names))], "image": list(names)}
    rows = {name: known.get(name) or [None] * len(names) for name in SCHEMA}
    return Catalog(pl.DataFrame(rows, SCHEMA), str(folder))


def draw(path: Path, colour: tuple[int, int, int]) -> None:
    """A picture of one colour."""
    Image.new("RGB", (12, 9), colour).save(path)


@pytest.mark.usefixtures("by_mean")
def test_rows_are_those_of_the_items(tmp_path: Path) -> None:
    draw(tmp_path / "red.png", (255, 0, 0))
    draw(tmp_path / "blue.png", (0, 0, 255))
    vectors, identity = picture_vectors("any", pictured(tmp_path, ["blue.png", None, "red.png"]))
    np.testing.assert_allclose(vectors, [[0, 0, 1], [0, 0, 0], [1, 0, 0]], atol=1e-6)
    assert identity == Mean.identity


@pytest.mark.usefixtures("by_mean")
def test_every_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    draw(tmp_path / "red.png", (255, 0, 0))
    (tmp_path / "cut.png").write_bytes((tmp_path / "red.png").read_bytes()[:40])
    (tmp_path / "empty.png").touch()
    names = ["red.png", "cut.png", "gone.png", None, "empty.png", "http://a.example/b.png"]
    with pytest.raises(BadData) as caught:
        picture_vectors("any", pictured(tmp_path, names))
    assert [p.column for p in caught.value.problems] == ["image"] * 4
    for problem, item in zip(caught.value.problems, ("i1", "i2", "i4", "i5"), strict=True):
        assert item in problem.what
    many = ["red.png"] + [f"gone{n}.png" for n in range(150)]
    with pytest.raises(BadData) as caught:
        picture_vectors("any", pictured(tmp_path, many))
    assert len(caught.value.problems) == 101 and "50 more" in caught.value.problems[-1].what


def test_without_pictures_nothing_is_opened(tmp_path: Path) -> None:
    bare = pictured(tmp_path, [None, " "])
    for name in ("none", "auto"):
        vectors, identity = picture_vectors(name, bare)
        assert vectors.shape == (2, 0) and identity == ""
    with pytest.raises(BadInput):
        picture_vectors("efficientnet-lite0", bare)
    with pytest.raises(BadInput):
        picture_encoder("no such encoder")


def test_the_packaged_encoder_is_one() -> None:
    try:
        encode = picture_encoder("auto")
    except BadInput:
        pytest.skip("efficientnet-lite0 is not installed")
    assert encode.identity == picture_encoder("efficientnet-lite0").identity


def test_a_run_that_learnt_to_see_is_an_encoder(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed")
    from tastemaker.files import write_json
    from tastemaker.models.packaged import within_run
    from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model

    shape = TinyVision(side=32, vision_dim=8, dim=16, layers=1, heads=2, vocabulary=300)
    run = tmp_path / "run"
    run.mkdir()
    write_json(run / "config.json", {"data": "shop"})
    tiny_vision_model(shape, ["a red one"]).save(run / "model")
    draw(tmp_path / "red.png", (255, 0, 0))
    encode = picture_encoder(run)
    assert encode.identity == picture_encoder(run / "model").identity
    made = encode([tmp_path / "red.png"])
    assert made.shape == (1, 16) and np.linalg.norm(made) == pytest.approx(1, abs=1e-5)
    assert within_run(str(run)) == str(run / "model")
    assert within_run(str(run / "model")) == str(run / "model")


@pytest.mark.usefixtures("by_mean")
def test_equal_pictures_have_equal_vectors_and_order_moves_rows_alone(tmp_path: Path) -> None:
    for name, colour in (("a", (255, 0, 0)), ("b", (0, 99, 0)), ("c", (255, 0, 0))):
        draw(tmp_path / f"{name}.png", colour)
    names = ["a.png", None, "b.png", "c.png", "", "a.png"]
    vectors, _ = picture_vectors("any", pictured(tmp_path, names))
    moved, _ = picture_vectors("any", pictured(tmp_path, names[::-1]))
    np.testing.assert_array_equal(moved[::-1], vectors)
    np.testing.assert_array_equal(vectors[[3, 5]], vectors[[0, 0]])
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [1, 0, 1, 1, 0, 1], atol=1e-6)


@pytest.mark.usefixtures("by_mean")
def test_pictures_that_changed_are_seen_anew(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", (255, 0, 0))
    before, _ = picture_vectors("any", pictured(tmp_path, ["a.png"]))
    draw(tmp_path / "a.png", (0, 0, 255))
    after, _ = picture_vectors("any", pictured(tmp_path, ["a.png"]))
    assert before.argmax() == 0 and after.argmax() == 2


@pytest.mark.parametrize("kind", [None, "bert", "efficientnet", 3])
def test_models_of_other_kinds_are_refused(tmp_path: Path, kind: object) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    with pytest.raises(BadInput):
        picture_encoder(tmp_path)
