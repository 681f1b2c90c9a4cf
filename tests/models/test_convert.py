"""Weights from their packages, and a GGUF file made here."""

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.files import load_tensors, read_json
from tastemaker.models import convert, packaged
from tastemaker.models.extras import quiet


def weights_of(name: str) -> Path:
    found = packaged.weights_of(packaged.PACKAGED[name])
    if found is None:
        pytest.skip(f"the package of {name} is not installed")
    return found


def gguf_llama(path: Path) -> None:
    """Two layers of width 32 and a tokenizer of letters, as llama.cpp would write them."""
    gguf = pytest.importorskip("gguf", reason="gguf is not installed")
    words = ["<unk>", "<s>", "</s>", *"abcdefghijklmnopqrstuvwxyz", "Ġ", "ab", "Ġa"]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(len(words))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(words)
    writer.add_token_types([3, 3, 3] + [1] * (len(words) - 3))
    writer.add_token_merges(["a b", "Ġ a"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    rng = np.random.default_rng(0)
    shapes = {"token_embd": (len(words), 32), "output_norm": (32,)}
    for n in range(2):
        shapes |= {f"blk.{n}.{k}": (32, 32) for k in ("attn_q", "attn_output")}
        shapes |= {f"blk.{n}.{k}": (16, 32) for k in ("attn_k", "attn_v")}
        shapes |= {f"blk.{n}.{k}": (64, 32) for k in ("ffn_gate", "ffn_up")}
        shapes |= {f"blk.{n}.ffn_down": (32, 64)}
        shapes |= {f"blk.{n}.{k}": (32,) for k in ("attn_norm", "ffn_norm")}
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", rng.normal(0, 0.3, shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_gguf_becomes_a_plain_llama(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    transformers: Any = pytest.importorskip("transformers", reason="needs tastemaker[llm]")
    folder = tmp_path / "out"
    folder.mkdir()
    gguf_llama(tmp_path / "toy.gguf")
    convert.smollm2(tmp_path / "toy.gguf", folder)
    assert capfd.readouterr().err == ""
    local: Any = {"local_files_only": True}
    with quiet():
        before: Any = transformers.AutoModelForCausalLM.from_pretrained(
            tmp_path, gguf_file="toy.gguf", **local
        )
        after: Any = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, **local
        )
    tensors = load_tensors(folder / convert.WEIGHTS)
    assert {t.dtype for t in tensors.values()} == {torch.bfloat16}
    assert "lm_head.weight" not in tensors
    ids = torch.tensor([[1, 3, 4, 5]])
    with torch.no_grad():
        torch.testing.assert_close(after(ids).logits, before(ids).logits, atol=0.15, rtol=0.05)
    assert after.lm_head.weight is after.model.embed_tokens.weight
    assert after.generation_config.eos_token_id == after.generation_config.pad_token_id == 2
    assert "quantization_config" not in read_json(folder / "config.json")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
    assert tokenizer.model_max_length == 64 and tokenizer("ab")["input_ids"]


def test_efficientnet_keeps_its_weights(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite_pytorch", reason="the package is missing")
    convert.efficientnet_lite0(weights_of("efficientnet-lite0"), tmp_path)
    config = read_json(tmp_path / "config.json")
    assert (config["image_size"], config["hidden_size"]) == (224, 1280)
    tensors = load_tensors(tmp_path / convert.WEIGHTS)
    assert tensors["_conv_head.weight"].shape == (1280, 320, 1, 1)
    assert all(torch.isfinite(t.double()).all() for t in tensors.values())


@pytest.mark.parametrize(
    ("make", "library", "extra"),
    [
        (convert.smollm2, "gguf", "llm"),
        (convert.efficientnet_lite0, "efficientnet_lite_pytorch", "vision"),
    ],
)
def test_a_missing_library_names_its_extra(
    make: Any, library: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == library:
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadInput, match=rf"tastemaker\[{extra}\]"):
        make(tmp_path / "weights", tmp_path)
