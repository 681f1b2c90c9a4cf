"""A trained model answers: vectors once and then from the cache, search both ways, captions."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from PIL import Image

from tastemaker.data.problems import BadData
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.picture_content import picture_encoder
from tastemaker.run import embed_opened
from tastemaker.run.embed import embed_train
from tastemaker.run.embed_opened import OpenedEmbedding, Side, open_embedding
from tests.run.embedded import of_model


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def model(embedded: tuple[Path, Path]) -> OpenedEmbedding:
    return open_embedding(embedded[1])


def test_words_and_pictures_find_pictures(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    shelf = model.catalogue(embedded[0])
    for query, colour in (("red square", "red"), (embedded[0] / "1.png", "green")):
        ranked = shelf.search(query, k=4)
        assert {item.title for item in ranked} == {f"{colour} square"}
        scores = [item.score for item in ranked]
        assert scores == sorted(scores, reverse=True) and 0.5 < scores[-1] <= scores[0] <= 1
    assert ranked[0].item_id == "i1" and Path(ranked[0].picture).name == "1.png"
    assert len(shelf.search("red square", k=99)) == 30
    with pytest.raises(BadInput):
        shelf.search("red square", k=0)
    with pytest.raises(BadInput):
        shelf.search(Path("nowhere.png"))
    with pytest.raises(BadInput) as caught:
        shelf.search("red square " * 500)
    assert caught.value.where == "the query" and "Row" not in caught.value.what


def test_sides_of_items_and_equal_texts(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    sides = {
        side: model.catalogue(embedded[0], side).vectors for side in ("picture", "text", "both")
    }
    for vectors in sides.values():
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(sides["text"][0], sides["text"][3])  # both are red
    between = sides["picture"] + sides["text"]
    cosines = (sides["both"] * between).sum(1) / np.linalg.norm(between, axis=1)
    np.testing.assert_allclose(cosines, 1, atol=1e-5)
    with pytest.raises(BadInput, match="side"):
        model.catalogue(embedded[0], "front")  # type: ignore[arg-type]


def test_a_picture_is_encoded_once_whatever_its_path(
    embedded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_embedding(embedded[1])
    first = model.catalogue(embedded[0]).vectors
    shutil.copytree(embedded[0], tmp_path / "copy")

    def never(*_: object) -> np.ndarray:
        raise AssertionError("encoded again")

    again = open_embedding(embedded[1])
    monkeypatch.setattr(type(again.encoder), "__call__", never)
    np.testing.assert_array_equal(again.catalogue(tmp_path / "copy").vectors, first)


def test_every_picture_that_cannot_be_decoded_is_named(
    embedded: tuple[Path, Path], model: OpenedEmbedding, tmp_path: Path
) -> None:
    shutil.copytree(embedded[0], tmp_path / "copy")
    for n in (2, 7):
        (tmp_path / "copy" / f"{n}.png").write_bytes(b"no picture")
    with pytest.raises(BadData) as fault:
        model.catalogue(tmp_path / "copy")
    assert [problem.row for problem in fault.value.problems] == [3, 8]
    (tmp_path / "copy" / "4.png").unlink()
    with pytest.raises(BadData) as fault:  # a file that is missing hides none that is damaged
        model.catalogue(tmp_path / "copy")
    assert sorted(problem.row or 0 for problem in fault.value.problems) == [3, 5, 8]
    shutil.copy(embedded[0] / "4.png", tmp_path / "copy")
    left = model.catalogue(tmp_path / "copy", bad_rows=tmp_path / "bad.csv")
    assert len(left.items) == 28 and left.items.dropped == 2
    assert len(model.catalogue(tmp_path / "copy", "text").items) == 30  # which needs no picture


def test_captions(embedded: tuple[Path, Path], model: OpenedEmbedding) -> None:
    paths = [embedded[0] / f"{n}.png" for n in range(3)]
    assert model.captions(paths) == ["red square", "green square", "blue square"]
    assert model.captions(paths[1:2]) == ["green square"] and model.captions([]) == []
    with pytest.raises(BadInput):
        model.captions(["nowhere.png"])


def test_what_is_no_finished_run_is_refused(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        open_embedding(tmp_path)
    shutil.copytree(embedded[1], tmp_path / "run")
    (tmp_path / "run" / "model" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ArtefactError):
        open_embedding(tmp_path / "run")
    (tmp_path / "run" / "manifest.json").unlink()
    with pytest.raises(ArtefactError):
        open_embedding(tmp_path / "run")


@pytest.mark.parametrize("broken", ["changed", "unfinished"])
def test_who_takes_the_model_of_a_run_looks_whether_it_is_whole(
    embedded: tuple[Path, Path], tmp_path: Path, broken: str
) -> None:
    """Training on from it, vectors of items for other models, and the server's search."""
    run = shutil.copytree(embedded[1], tmp_path / "run")
    weights = run / "model" / "model.safetensors"
    for path in (run, run / "model"):
        assert picture_encoder(path).dim == 32
    if broken == "changed":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    else:
        (run / "manifest.json").unlink()
    for path in (run, run / "model"):
        with pytest.raises(ArtefactError):
            picture_encoder(path)
    with pytest.raises(ArtefactError):
        embed_train(of_model(str(run), epochs=1), embedded[0], str(tmp_path / "more"))


def test_the_model_alone_opens_as_any_other(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    shutil.copytree(embedded[1] / "model", tmp_path / "model")
    model = open_embedding(tmp_path / "model")
    assert model.captions([embedded[0] / "0.png"]) == ["red square"] and not model.data


def catalogue_of(embedded: tuple[Path, Path], numbers: list[int]) -> pl.DataFrame:
    """Items of some of the squares, their ids being numbers."""
    images = [str(embedded[0] / f"{n}.png") for n in numbers]
    known = {"item_id": range(len(images)), "image": images}
    return pl.DataFrame(known | {"title": [f"number {n}" for n in numbers]})


@pytest.mark.parametrize("numbers", [[0], [0, 1], [2, 2, 2, 2]])
@pytest.mark.parametrize("side", ["picture", "text", "both"])
def test_small_catalogues_are_searched_too(
    embedded: tuple[Path, Path], model: OpenedEmbedding, numbers: list[int], side: Side
) -> None:
    shelf = model.catalogue(catalogue_of(embedded, numbers), side)
    ranked = shelf.search("red square", k=9)
    assert sorted(item.item_id for item in ranked) == [str(n) for n in range(len(numbers))]
    assert all(-1 <= item.score <= 1 for item in ranked)
    assert [bool(item.picture) for item in ranked] == [side != "text"] * len(ranked)


def test_rows_in_another_order_have_the_same_vectors(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    some = catalogue_of(embedded, list(range(12)))
    shelf = model.catalogue(some, "both")
    moved = model.catalogue(some.sample(fraction=1, shuffle=True, seed=3), "both")
    places = [moved.items.item_ids.index(item) for item in shelf.items.item_ids]
    np.testing.assert_allclose(moved.vectors[places], shelf.vectors, atol=1e-5)
    found = [[one.item_id for one in which.search("blue square", 4)] for which in (shelf, moved)]
    assert set(found[0]) == set(found[1])


def test_a_picture_may_be_given_in_any_form(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    shelf, path = model.catalogue(embedded[0]), embedded[0] / "2.png"
    with Image.open(path) as picture:
        forms = [path, picture.convert("RGB"), np.array(picture.convert("RGB"))]
    answers = [[(one.item_id, round(one.score, 4)) for one in shelf.search(f, 3)] for f in forms]
    assert answers[0] == answers[1] == answers[2] and len(answers[0]) == 3


@pytest.mark.parametrize("query", ["", "<image>", "\ud800", "日本 🙂", "=1+1", "a\0b"])
def test_any_words_find_something(
    embedded: tuple[Path, Path], model: OpenedEmbedding, query: str
) -> None:
    assert len(model.catalogue(embedded[0]).search(query, 2)) == 2


def test_a_question_that_is_too_long_is_refused_and_a_long_text_is_cut(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    shelf = model.catalogue(embedded[0])
    with pytest.raises(BadInput):
        shelf.search("red square " * 100)
    long = catalogue_of(embedded, [0, 1]).with_columns(title=pl.lit("red square " * 100))
    assert model.catalogue(long, "text").cut == 2
    assert model.catalogue(long, "picture").cut == 0


def test_captions_depend_on_no_other_picture(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    paths = [embedded[0] / f"{n % 30}.png" for n in range(40)]  # more than are written together
    said = model.captions(paths)
    assert said == [model.captions([path])[0] for path in paths[:3]] + said[3:]
    assert said[30:] == said[:10] and model.captions(paths[:2], most=1) != said[:2]
    asked = model.asking("Something else?")
    assert asked.prompt != model.prompt and asked.encoder is model.encoder


def test_a_caption_takes_the_room_there_is_and_no_more(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    paths, asked = [embedded[0] / "0.png"], model.asking("Which colour is it and what is it?")
    with pytest.raises(BadInput) as caught:
        asked.captions(paths, model.encoder.vision.most_tokens)
    assert caught.value.where == "--max-tokens"
    room = int(caught.value.fix.removeprefix("Give at most ").removesuffix("."))
    assert asked.captions(paths, room)
    with pytest.raises(BadInput):
        asked.captions(paths, room + 1)


def test_one_picture_is_no_list_of_them(
    embedded: tuple[Path, Path], model: OpenedEmbedding
) -> None:
    with pytest.raises(BadInput, match="for a list"):
        model.captions(str(embedded[0] / "0.png"))


@pytest.mark.parametrize("most", [0, -1, 10**6])
def test_captions_of_lengths_that_there_are_none_of(
    embedded: tuple[Path, Path], model: OpenedEmbedding, most: int
) -> None:
    with pytest.raises(BadInput):
        model.captions([embedded[0] / "0.png"], most)


def test_the_catalogue_is_the_one_that_was_learned_from_wherever_one_stands(
    embedded: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert open_embedding(embedded[1]).data == str(embedded[0] / "items.csv")
    other = tmp_path / "s" / "items.csv"
    other.parent.mkdir()
    other.touch()
    monkeypatch.chdir(tmp_path)
    told = {"name": "s/items.csv", "path": str(embedded[0] / "items.csv")}
    assert embed_opened._catalogue_of(told) == told["path"]
    assert embed_opened._catalogue_of(told | {"path": "/gone"}) == "s/items.csv"
    assert embed_opened._catalogue_of({"name": "s/items.csv"}) == "s/items.csv"
