"""Vectors of pictures, by random weights, and by the packaged ones where they are here."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.artifacts import staged
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import save_tensors, write_json
from tastemaker.models import pictures
from tastemaker.models.cached import Cached
from tastemaker.models.images import ImageEncoder
from tastemaker.models.packaged import KIND
from tests.models.conftest import installed

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """EfficientNet-Lite0 with random weights."""
    library = pytest.importorskip("efficientnet_lite_pytorch", reason="the package is missing")
    folder = tmp_path_factory.mktemp("lite") / "net"
    torch.manual_seed(0)
    model = library.EfficientNet.from_name("efficientnet-lite0")
    with staged(folder, KIND, {}) as partial:
        config = {"model_type": "efficientnet-lite0", "image_size": 224, "hidden_size": 1280}
        write_json(partial / "config.json", config)
        save_tensors(partial / "model.safetensors", model.state_dict())
    return folder


def noise(seed: int, size: tuple[int, int] = (300, 200)) -> Any:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(pixels)


def test_pictures(lite: Path, tmp_path: Path) -> None:
    encode = ImageEncoder(lite, batch=2)
    pictures = [noise(0), noise(1), noise(2, (40, 700)), noise(3, (1, 1)), noise(0).convert("P")]
    noise(0).save(tmp_path / "0.png")
    vectors = encode([*pictures, tmp_path / "0.png", str(tmp_path / "0.png")])
    assert vectors.shape == (7, 1280) == (7, encode.dim) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[5:], vectors[[0, 0]], atol=1e-5)
    np.testing.assert_allclose(encode([pictures[2]])[0], vectors[2], atol=1e-5)
    assert encode([]).shape == (0, 1280)


def test_pixels_reach_the_network_as_it_was_trained(
    lite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, seen = ImageEncoder(lite), []

    def features(pixels: torch.Tensor) -> torch.Tensor:
        seen.append(pixels)
        return torch.ones(len(pixels), 1280, 7, 7)

    monkeypatch.setattr(encode._model, "extract_features", features)
    wide = Image.new("RGB", (90, 30), "white")  # only its middle third is red
    wide.paste((255, 0, 0), (30, 0, 60, 30))
    encode([wide])
    assert seen[0].shape == (1, 3, 224, 224)
    np.testing.assert_allclose(seen[0].mean((0, 2, 3)), [1, -127 / 128, -127 / 128], atol=0.02)


def test_pictures_are_upright_and_on_white(lite: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    noise(0).transpose(Image.Transpose.ROTATE_180).save(tmp_path / "turned.png", exif=exif)
    clear, white = Image.new("RGBA", (30, 30)), Image.new("RGB", (30, 30), "white")
    vectors = ImageEncoder(lite)([noise(0), tmp_path / "turned.png", clear, white])
    np.testing.assert_allclose(vectors[1::2], vectors[::2], atol=1e-5)


def test_pictures_that_cannot_be_read_are_named(lite: Path, tmp_path: Path) -> None:
    encode = ImageEncoder(lite)
    noise(0).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:900])
    (tmp_path / "words.png").write_text("words")
    for name in ("cut.jpg", "words.png", "none.png", "", "a\0b"):
        for using in (encode, Cached(encode, tmp_path / "v")):
            with pytest.raises(BadInput) as caught:
                using([noise(0), tmp_path / name if "\0" not in name else name])
            assert name in caught.value.where
    for using in (encode, Cached(encode, tmp_path / "v")):
        with pytest.raises(BadInput, match="row 1"):
            using([noise(0), 7])
    with pytest.raises(BadInput, match="list"):
        encode(str(tmp_path / "cut.jpg"))


def test_a_picture_larger_than_the_memory_is_refused_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise(0).save(tmp_path / "vast.png")
    monkeypatch.setattr(pictures, "MOST_PIXELS", noise(0).width * noise(0).height - 1)
    for source in (tmp_path / "vast.png", noise(0), np.array(noise(0).convert("RGB"))):
        with pytest.raises(BadInput, match="pixels"):
            pictures.square(source, 8, 0)


def test_what_the_system_says_of_a_file_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        pictures.square(tmp_path / "gone.png", 8, 0)
    assert "no such file or directory" in caught.value.what and "Errno" not in caught.value.what


def test_a_picture_file_that_changes_is_encoded_again(lite: Path, tmp_path: Path) -> None:
    encode, file = ImageEncoder(lite), tmp_path / "p.png"
    keep = Cached(encode, tmp_path / "v")
    for seed in (0, 1):
        noise(seed).save(file)
        np.testing.assert_allclose(keep([str(file)]), encode([noise(seed)]), atol=1e-5)
    np.testing.assert_allclose(keep([noise(1)]), encode([noise(1)]), atol=1e-5)


def test_image_encoders_take_their_model_only(lite: Path, bert: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="bert"):
        ImageEncoder(bert)
    with pytest.raises(BadInput, match="batch"):
        ImageEncoder(lite, batch=0)
    shutil.copytree(lite, tmp_path / "net")
    (tmp_path / "net" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ArtefactError, match="wrong size"):
        ImageEncoder(tmp_path / "net")


def test_efficientnet_tells_shapes_apart() -> None:
    installed("efficientnet-lite0")
    from PIL import ImageDraw

    def disc(at: int) -> Any:
        picture = Image.new("RGB", (256, 256), "white")
        ImageDraw.Draw(picture).ellipse((at, at, at + 120, at + 120), fill="orange")
        return picture

    vectors = ImageEncoder()([disc(60), disc(75), noise(0)])
    assert vectors.shape == (3, 1280)
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
