"""Models of several kinds say in parts what they say whole, and others are refused."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import load_tensors
from tastemaker.models.causal import read
from tastemaker.models.foreign_causal import blank_apart, opened_apart
from tastemaker.models.library import description_of, writing_model
from tastemaker.weights import Stored
from tests.models.conftest import save_tokenizer, transformers

SMALL = {"vocab_size": 12, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
         "intermediate_size": 32, "max_position_embeddings": 64}  # fmt: skip
KINDS = {
    "llama": transformers.LlamaConfig(**SMALL),
    "tied": transformers.LlamaConfig(**SMALL, tie_word_embeddings=True),
    "qwen3": transformers.Qwen3Config(
        **SMALL, head_dim=8, num_key_value_heads=1, max_window_layers=2
    ),
    "gemma": transformers.GemmaConfig(**SMALL, head_dim=8, num_key_value_heads=1),
    "gpt2": transformers.GPT2Config(
        vocab_size=12, n_embd=16, n_layer=2, n_head=2, n_positions=64, bos_token_id=0,
        eos_token_id=0,
    ),
    "phi": transformers.PhiConfig(**SMALL),  # its head has a bias
}  # fmt: skip


def saved(config: Any, folder: Path, marks: bool = False) -> Path:
    torch.manual_seed(0)
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    save_tokenizer(folder, marks)
    return folder


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_in_parts_it_says_what_it_says_whole(kind: str, tmp_path: Path) -> None:
    folder = saved(KINDS[kind], tmp_path)
    model: Any = writing_model(folder).model
    tokens = torch.tensor([[4, 5, 6, 7, 8]])
    want = model(input_ids=tokens).logits[0]
    apart, whole = opened_apart(folder)
    assert apart.dim == 16 and whole.most_tokens == 64
    assert (apart.head is None) == bool(model.config.tie_word_embeddings)
    x = apart.table(tokens)
    first, past = read(apart.body, x[:, :3], torch.ones(1, 3, dtype=torch.bool))
    second, _ = read(apart.body, x[:, 3:], torch.ones(1, 2, dtype=torch.bool), past)
    logits = apart.logits(torch.cat([first, second], 1))[0]
    torch.testing.assert_close(logits, want, rtol=1e-4, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("kind", KINDS)
def test_from_its_shape_alone_it_is_built_again(kind: str, tmp_path: Path) -> None:
    apart, _ = opened_apart(saved(KINDS[kind], tmp_path))
    held = {f"body.{name}": p for name, p in apart.body.state_dict().items()}
    if apart.head is not None:
        held |= {f"head.{name}": p for name, p in apart.head.state_dict().items()}
    stored = {name: Stored(tuple(p.shape), p.dtype) for name, p in held.items()}
    shape = json.loads(json.dumps(description_of(apart.body)))
    again = blank_apart(shape, tmp_path, stored, "head")
    again.body.load_state_dict(apart.body.state_dict())
    again.table.load_state_dict(apart.table.state_dict())
    if apart.head is not None:
        assert again.head is not None
        again.head.load_state_dict(apart.head.state_dict())
    tokens = torch.tensor([[4, 5, 6]])
    says = [
        one.logits(one.body(inputs_embeds=one.table(tokens)).last_hidden_state)
        for one in (apart, again)
    ]
    assert torch.equal(*says)
    with pytest.raises(ArtefactError, match="layer"):
        blank_apart({**shape, "num_hidden_layers": 10**6, "n_layer": 10**6}, tmp_path, stored, "")


UNREADABLE = {
    # It reads what comes later; it keeps a state instead of keys; it scales what its head says.
    "bert": transformers.BertConfig(**SMALL),
    "mamba": transformers.MambaConfig(
        vocab_size=12, hidden_size=16, num_hidden_layers=1, state_size=4
    ),
    "granite": transformers.GraniteConfig(**SMALL, logits_scaling=3.0),
}


def test_what_reads_and_does_not_write_is_refused(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="BertModel reads text and writes none"):
        opened_apart(bert)
    folder = saved(KINDS["llama"], tmp_path)
    tensors = load_tensors(folder / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ArtefactError, match="lm_head"):
        opened_apart(folder)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_would_say_otherwise_in_parts_is_refused(kind: str, tmp_path: Path) -> None:
    folder = saved(UNREADABLE[kind], tmp_path)
    with pytest.raises(BadInput, match=kind):
        opened_apart(folder)
