"""Pictures and texts in one space: vectors that stand alone, kept by content, faults by name."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from tastemaker.errors import ArtefactError, BadInput, TastemakerError
from tastemaker.files import read_json, write_json
from tastemaker.models.cached import Cached
from tastemaker.models.vlm_embedding import Embedding, Reader
from tastemaker.models.vlm_vectors import EMBEDDING, HEADS, PictureTextEncoder, save_reader
from tastemaker.seams import Encode
from tests.models.vision_models import TEXTS, picture, save_qwen, tiny


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vlm") / "model"
    tiny().save(folder)
    return folder


def changed(model: Path, to: Path, **values: Any) -> Path:
    """A copy whose vectors are read in another way."""
    shutil.copytree(model, to)
    torch.manual_seed(0)
    reader = Reader(Embedding(**values), 32)
    for head in reader.heads.values():
        torch.nn.init.normal_(head.weight)
    save_reader(to, reader)
    return to


def close(given: Any, wanted: Any) -> None:
    np.testing.assert_allclose(given, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("values", [{}, {"pooling": "mean", "heads": True, "separator": ""}])
def test_a_vector_depends_on_no_other(model: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    encode = PictureTextEncoder(changed(model, tmp_path / "other", **values), batch=3)
    Image.fromarray(picture(0)).save(tmp_path / "0.png")
    inputs = [*TEXTS, picture(0), "", tmp_path / "0.png", Image.fromarray(picture(0)), picture(1),
              "a longer text than all of the others that are here", "0.png"]  # fmt: skip
    vectors = encode(inputs)
    assert vectors.shape == (len(inputs), encode.dim) and vectors.dtype == np.float32
    close(np.linalg.norm(vectors, axis=1), 1)
    for row, one in enumerate(inputs):
        close(encode([one])[0], vectors[row])
    close(vectors[6:8], vectors[[4, 4]])
    close(encode.texts(TEXTS), vectors[:4])
    close(encode.pictures([picture(1)]), vectors[8:9])
    distances = 1 - vectors @ vectors.T
    assert distances[np.triu_indices(len(inputs), 1)].min() > -1e-6
    assert np.unique(np.round(vectors, 3), axis=0).shape[0] == len(inputs) - 2
    assert encode([]).shape == (0, encode.dim)


def test_a_large_model_of_others_encodes_too(tmp_path: Path) -> None:
    encode = PictureTextEncoder(save_qwen(tmp_path / "model"), batch=2)
    inputs = [picture(0), picture(1, 20, 64), picture(2), "red"]
    vectors = encode(inputs)
    close(np.concatenate([encode([one]) for one in inputs]), vectors)


def test_training_and_use_read_the_same_state(model: Path) -> None:
    encode = PictureTextEncoder(model)
    rows = encode.vision.rows([encode_turn := encode.turn("red shoe", 0)])
    assert encode_turn.text == "red shoe Compress this sentence in one word:"
    with torch.no_grad():
        wanted = torch.nn.functional.normalize(encode.vision.states(rows)[:, -1])
    close(encode(["red shoe"]), wanted)


def test_the_identity_changes_with_weights_and_with_how_vectors_are_read(
    model: Path, tmp_path: Path
) -> None:
    kinds = [{}, {"pooling": "mean"}, {"separator": ""}, {"heads": True}, {"text_prompt": "Word:"}]
    named = [
        PictureTextEncoder(changed(model, tmp_path / str(n), **one)).identity
        for n, one in enumerate(kinds)
    ]
    tiny(seed=1).save(tmp_path / "seed")
    named.append(PictureTextEncoder(tmp_path / "seed").identity)
    assert len(set(named)) == len(named)
    assert PictureTextEncoder(tmp_path / "1").identity == named[1]
    shutil.copytree(tmp_path / "1", tmp_path / "elsewhere")
    assert PictureTextEncoder(tmp_path / "elsewhere", batch=1).identity == named[1]


def test_a_run_is_opened_by_its_folder(model: Path, tmp_path: Path) -> None:
    changed(model, tmp_path / "run" / "model", pooling="mean")
    write_json(tmp_path / "run" / "config.json", {"alpha_con": 1.0})
    assert PictureTextEncoder(tmp_path / "run").embedding.pooling == "mean"


def test_vectors_are_kept_by_content(model: Path, tmp_path: Path) -> None:
    encode = PictureTextEncoder(model)
    calls: list[int] = []

    class Counted:
        identity, dim, content = encode.identity, encode.dim, staticmethod(encode.content)

        def __call__(self, inputs: Any) -> Any:
            calls.append(len(inputs))
            return encode(inputs)

    Image.fromarray(picture(0)).save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    cached = Cached(Counted(), tmp_path / "vectors")
    inputs = [tmp_path / "a.png", "red", tmp_path / "b.png", picture(3), "red", picture(3)]
    close(cached(inputs), encode(inputs))
    close(cached(inputs), encode(inputs))
    assert calls == [3]


def damaged(folder: Path) -> dict[str, Any]:
    """Pictures that cannot be read, by what is wrong with them."""
    Image.fromarray(picture(0)).save(folder / "whole.png")
    (folder / "cut.png").write_bytes((folder / "whole.png").read_bytes()[:900])
    (folder / "empty.png").write_bytes(b"")
    (folder / "text.png").write_text("no picture")
    return {
        "missing": folder / "missing.png", "cut": folder / "cut.png",
        "empty": folder / "empty.png", "text": folder / "text.png", "folder": folder,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["missing", "cut", "empty", "text", "folder"])
def test_pictures_that_cannot_be_read_are_named(model: Path, tmp_path: Path, kind: str) -> None:
    encode = PictureTextEncoder(model)
    bad = damaged(tmp_path)[kind]
    with pytest.raises(BadInput) as caught:
        encode([tmp_path / "whole.png", bad])
    assert caught.value.where == str(bad)


def test_other_inputs_that_are_wrong_are_named(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = PictureTextEncoder(model, batch=2)
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3))):
        with pytest.raises(BadInput) as caught:
            encode(["a", "b", bad])
        assert caught.value.where == "row 2"
    with pytest.raises(BadInput) as caught:
        encode(["a", "many words " * 300, "b"])
    assert caught.value.where == "row 1"
    with pytest.raises(BadInput) as caught:
        encode(["a", 3])
    assert caught.value.where == "row 1"
    for alone in ("a", tmp_path):
        with pytest.raises(BadInput):
            encode(alone)
    Image.new("RGB", (400, 400)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BadInput) as caught:
        encode([tmp_path / "large.png"])
    assert caught.value.where == str(tmp_path / "large.png")


def test_every_mode_of_a_picture_is_read(model: Path, tmp_path: Path) -> None:
    encode = PictureTextEncoder(model)
    grey = Image.fromarray(np.full((50, 50), 128, np.uint8))
    deep = Image.fromarray(np.full((50, 50), 128 * 257, np.uint16))
    many = {"L": grey, "P": grey.convert("P"), "CMYK": grey.convert("CMYK"), "16": deep}
    many |= {"RGBA": grey.convert("RGBA"), "1": grey.convert("1")}
    for name, one in many.items():
        one.save(tmp_path / f"{name}.{'tiff' if name == 'CMYK' else 'png'}")
    grey.save(tmp_path / "many.gif", save_all=True, append_images=[Image.new("L", (50, 50))])
    names = ["L.png", "P.png", "RGBA.png", "16.png", "many.gif"]
    vectors = encode([tmp_path / name for name in names])
    np.testing.assert_allclose(vectors, vectors[[0] * len(names)], atol=1e-3)
    assert len(encode([tmp_path / "CMYK.tiff", tmp_path / "1.png"])) == 2


@pytest.mark.parametrize(
    "values", [{"pooling": "first"}, {"pooling": 3}, {"heads": "yes"}, {"other": 1}], ids=str
)
def test_a_damaged_file_of_an_embedding_is_named(
    model: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    folder = changed(model, tmp_path / "other")
    write_json(folder / EMBEDDING, read_json(folder / EMBEDDING) | values)
    with pytest.raises(ArtefactError) as caught:
        PictureTextEncoder(folder)
    assert caught.value.where == str(folder / EMBEDDING)


def test_heads_that_are_missing_are_named(model: Path, tmp_path: Path) -> None:
    folder = changed(model, tmp_path / "other", heads=True)
    (folder / HEADS).unlink()
    with pytest.raises(ArtefactError) as caught:
        PictureTextEncoder(folder)
    assert HEADS in caught.value.where


def test_options_out_of_range_are_refused(model: Path) -> None:
    with pytest.raises(BadInput):
        PictureTextEncoder(model, batch=0)


@pytest.fixture(scope="module")
def encode(model: Path) -> PictureTextEncoder:
    return PictureTextEncoder(model, batch=4)


def test_it_encodes_behind_the_cache(encode: PictureTextEncoder, tmp_path: Path) -> None:
    """Texts, paths and pictures in one call, in any order; what one call kept another finds."""
    Image.fromarray(picture(5)).save(tmp_path / "a.png")
    seam: Encode = encode
    inputs = ["red", tmp_path / "a.png", picture(6), "", "a.png", Image.fromarray(picture(6))]
    first = Cached(seam, tmp_path / "vectors")(inputs)
    close(first, encode(inputs))
    order = np.random.default_rng(0).permutation(len(inputs))
    again = Cached(seam, tmp_path / "vectors")
    np.testing.assert_array_equal(again([inputs[n] for n in order]), first[order])
    assert again([]).shape == (0, encode.dim)
    close(first[2], first[5])
    assert not np.allclose(first[1], first[4], atol=1e-3)  # a path that is a str is a text


def test_the_content_of_a_picture_is_its_pixels_and_of_a_file_its_bytes(
    encode: PictureTextEncoder, tmp_path: Path
) -> None:
    kept = picture(0)
    Image.fromarray(kept).save(tmp_path / "a.png")
    shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
    same = [encode.content(one, 0) for one in (tmp_path / "a.png", tmp_path / "b.png")]
    assert same[0] == same[1]
    assert encode.content(kept, 0) == encode.content(Image.fromarray(kept), 3)
    others = [same[0], *(encode.content(one, 0) for one in (kept, kept[::-1], "a", "", "\ud800"))]
    assert len(set(others)) == len(others)
    with pytest.raises(BadInput) as caught:
        encode.content(tmp_path / "gone.png", 0)
    assert caught.value.where == str(tmp_path / "gone.png")


@pytest.mark.parametrize("batch", [1, 2, 5, 100])
def test_batches_change_no_vector(model: Path, encode: PictureTextEncoder, batch: int) -> None:
    inputs = [
        *TEXTS,
        picture(0),
        "a longer text than the others",
        picture(1, 5, 90),
        "",
        picture(2),
    ]
    close(PictureTextEncoder(model, batch=batch)(inputs), encode(inputs))
    close(encode(inputs[::-1])[::-1], encode(inputs))


@pytest.mark.parametrize(
    "text",
    ["<image>", "<|end|>", "\0\x01\x7f", "é" * 40, "\ud800", "{{ 7 * 7 }}", "\u202egnp.exe", " "],
)
def test_any_text_has_a_vector_of_its_own(encode: PictureTextEncoder, text: str) -> None:
    vectors = encode([text, "red"])
    close(np.linalg.norm(vectors, axis=1), 1)
    assert not np.allclose(vectors[0], vectors[1], atol=1e-4)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"\xff\xfe"])
def test_a_cut_file_of_an_embedding_is_a_typed_error(
    model: Path, tmp_path: Path, content: bytes
) -> None:
    shutil.copytree(model, tmp_path / "other")
    (tmp_path / "other" / EMBEDDING).write_bytes(content)
    with pytest.raises(TastemakerError):
        PictureTextEncoder(tmp_path / "other")


def test_every_file_of_a_model_that_is_gone_or_cut_is_a_typed_error_or_not_needed(
    model: Path, tmp_path: Path
) -> None:
    folder = changed(model, tmp_path / "other", heads=True)
    needed = set()
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for content in (None, b"", whole[: len(whole) // 2]):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
            try:
                PictureTextEncoder(folder)
            except TastemakerError as error:
                assert error.fix and str(folder) in error.where
                needed.add(path.name)
        path.write_bytes(whole)
    assert needed >= {"config.json", "model.safetensors", "tokenizer.json", EMBEDDING, HEADS}
    PictureTextEncoder(folder)


def test_heads_of_another_width_are_refused(model: Path, tmp_path: Path) -> None:
    folder = changed(model, tmp_path / "other", heads=True)
    save_reader(folder, Reader(Embedding(heads=True), 16))
    with pytest.raises(ArtefactError) as caught:
        PictureTextEncoder(folder)
    assert HEADS in caught.value.where
