"""Vectors of small random models, and of the packaged ones where they are installed."""

import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.errors import ArtefactError, BadInput, NumericFault
from tastemaker.files import load_tensors
from tastemaker.models.cached import Cached
from tastemaker.models.encode import TextEncoder
from tastemaker.seams import Encode
from tests.models.conftest import WORDS, installed

transformers = pytest.importorskip("transformers", reason="needs tastemaker[llm]")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


def sentences(count: int) -> list[str]:
    rng = random.Random(0)
    return [" ".join(rng.choices(WORDS[:7], k=rng.randrange(0, 30))) for _ in range(count)]


def changed(folder: Path, to: Path, name: str, value: Any) -> Path:
    """A copy whose tensor `name` is gone, or has another value."""
    shutil.copytree(folder, to)
    tensors = load_tensors(to / "model.safetensors")
    tensors.pop(name) if value is None else tensors[name].fill_(value)
    from safetensors.torch import save_file

    save_file(tensors, to / "model.safetensors", metadata={"format": "pt"})
    return to


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_batches_do_not_change_vectors(
    kind: str, pooling: Any, request: pytest.FixtureRequest
) -> None:
    folder, texts = request.getfixturevalue(kind), ["", *sentences(40), ""]
    whole = TextEncoder(folder, 32, pooling, batch=64)(texts)
    assert whole.shape == (42, 16) and whole.dtype == np.float32 and np.isfinite(whole).all()
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-5)
    few = TextEncoder(folder, 32, pooling, batch=3)
    np.testing.assert_allclose(few(texts), whole, atol=1e-5)
    alone = np.concatenate([few([text]) for text in texts])
    np.testing.assert_allclose(alone, whole, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_pooling_is_what_it_says(bert: Path, pooling: Any) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(bert)
    model = transformers.AutoModel.from_pretrained(bert).eval()
    text = "the red shoes of [UNK]"
    with torch.no_grad():
        states = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
    wanted = {"mean": states.mean(0), "cls": states[0], "last": states[-1]}[pooling]
    got = TextEncoder(bert, 32, pooling)([text, "blue " * 20])[0]
    np.testing.assert_allclose(got, torch.nn.functional.normalize(wanted, dim=0), atol=1e-5)


def test_long_texts_are_cut(bert: Path) -> None:
    encode = TextEncoder(bert, 5)
    long = encode(["red green blue shoe boat", "red green blue"])
    np.testing.assert_allclose(long[0], long[1], atol=1e-5)


def test_identity_holds_what_changes_vectors(bert: Path, llama: Path, tmp_path: Path) -> None:
    names = [TextEncoder(bert, 32).identity, TextEncoder(bert, 16).identity]
    names += [TextEncoder(bert, 32, "cls").identity, TextEncoder(llama, 32).identity]
    other = changed(bert, tmp_path / "other", "embeddings.word_embeddings.weight", 0.5)
    names.append(TextEncoder(other, 32).identity)
    assert len(set(names)) == 5
    assert TextEncoder(bert, 32, batch=2).identity == names[0]


def test_no_texts_and_odd_ones(bert: Path) -> None:
    encode: Encode = TextEncoder(bert, 32)
    assert encode([]).shape == (0, 16)
    assert np.isfinite(encode(["\ud800", "\0", "é" * 500, "   ", "\U0001f600"])).all()


@pytest.mark.parametrize("row", [None, 3, b"red", float("nan"), ["red"]])
def test_what_is_no_text_names_its_row(bert: Path, row: Any) -> None:
    with pytest.raises(BadInput, match="row 1"):
        TextEncoder(bert, 32)(["red", row])


def test_one_text_is_no_list(bert: Path) -> None:
    with pytest.raises(BadInput, match="list"):
        TextEncoder(bert, 32)("red")


@pytest.mark.parametrize(
    "options", [{"max_tokens": 2}, {"max_tokens": 65}, {"batch": 0}, {"pooling": "max"}]
)
def test_options_out_of_range(bert: Path, options: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        TextEncoder(bert, **{"max_tokens": 32} | options)


def test_folders_that_are_no_model_of_text(bert: Path, tmp_path: Path) -> None:
    for config in ({}, {"model_type": "no-such"}, {"model_type": "t5", "is_encoder_decoder": True}):
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(BadInput, match="encode no text"):
            TextEncoder(tmp_path)
    torn = changed(bert, tmp_path / "torn", "embeddings.LayerNorm.weight", 1)
    (torn / "model.safetensors").write_bytes((torn / "model.safetensors").read_bytes()[:-9])
    with pytest.raises(ArtefactError, match="cannot be read"):
        TextEncoder(torn, 32)


def test_missing_weights_are_not_made_up(bert: Path, tmp_path: Path) -> None:
    name = "encoder.layer.1.output.dense.weight"
    with pytest.raises(ArtefactError, match=name):
        TextEncoder(changed(bert, tmp_path / "less", name, None), 32)


def test_values_that_are_not_finite_are_refused(bert: Path, tmp_path: Path) -> None:
    name = "embeddings.word_embeddings.weight"
    with pytest.raises(NumericFault):
        TextEncoder(changed(bert, tmp_path / "nan", name, float("nan")), 32)(["red"])


def test_texts_through_a_cache(bert: Path, tmp_path: Path) -> None:
    encode, texts = TextEncoder(bert, 32), ["red", "green boats", "red"]
    for _ in range(2):
        vectors = Cached(encode, tmp_path / "v")(texts)
        np.testing.assert_allclose(vectors, encode(texts), atol=1e-5)
    with pytest.raises(BadInput, match="row 1"):
        Cached(encode, tmp_path / "v")(["red", None])


def test_minilm_knows_what_is_alike(tmp_path: Path) -> None:
    installed("minilm")
    encode = TextEncoder("minilm")
    vectors = encode(["a film about space travel", "a movie set on a starship", "garden hose"])
    assert vectors.shape == (3, 384)
    near, far = vectors[0] @ vectors[1], vectors[0] @ vectors[2]
    assert near > far + 0.2
