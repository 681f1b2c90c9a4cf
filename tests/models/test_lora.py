"""Adapters alone learn; what stands beside them stays bit for bit and is not saved."""

import builtins
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from tastemaker.errors import BadInput
from tastemaker.models.foreign_causal import opened_apart
from tastemaker.models.lora import adapt, adapted, freeze, worked_in
from tests.models.test_foreign_causal import KINDS, saved


def said(body: Any) -> torch.Tensor:
    torch.manual_seed(1)
    states: torch.Tensor = body(inputs_embeds=torch.randn(2, 5, 16)).last_hidden_state
    return states


def test_at_first_nothing_changes_and_then_adapters_alone_do(llama: Path) -> None:
    body: Any = opened_apart(llama)[0].body
    with torch.no_grad():
        before = said(body)
    adapt(body, 3)
    with torch.no_grad():
        assert torch.equal(said(body), before)
    held = {name: kept.clone() for name, kept in body.named_buffers()}
    names = [name for name, _ in body.named_parameters()]
    assert names and all("lora_" in name for name in names)
    assert {name.partition(".lora_")[0].rpartition(".")[2] for name in names} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    optimizer = torch.optim.AdamW(body.parameters(), 0.1)
    for _ in range(2):  # the first step moves B alone
        said(body).pow(2).sum().backward()
        optimizer.step()
    assert all(torch.equal(kept, held[name]) for name, kept in body.named_buffers())
    assert not torch.allclose(said(body), before)
    assert set(body.state_dict()) == set(names)


def test_maps_of_another_layout_are_adapted_too(tmp_path: Path) -> None:
    body: Any = opened_apart(saved(KINDS["gpt2"], tmp_path))[0].body
    before = said(body)
    adapt(body, 2)
    assert torch.equal(said(body), before)
    said(body).pow(2).sum().backward()
    assert all("lora_" in name for name, _ in body.named_parameters())


def test_matrices_have_the_rank(llama: Path) -> None:
    body = opened_apart(llama)[0].body
    adapt(body, 3)
    shapes = {name: tuple(p.shape) for name, p in body.named_parameters() if "q_proj" in name}
    assert set(shapes.values()) == {(3, 16), (16, 3)}


def test_one_matrix_in_two_places_is_frozen_in_both() -> None:
    table, head = nn.Embedding(4, 3), nn.Linear(3, 4, bias=False)
    head.weight = table.weight
    both = nn.ModuleList([table, head])
    freeze(both)
    assert not list(both.parameters()) and not both.state_dict()
    assert head(table(torch.tensor([1]))).shape == (1, 4)


def test_without_the_library_the_extra_is_named(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, usual = opened_apart(llama)[0].body, builtins.__import__

    def missing(name: str, *rest: Any, **named: Any) -> Any:
        if name == "peft":
            raise ImportError("No module named 'peft'")
        return usual(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInput, match=r"tastemaker\[llm\]"):
        adapt(body, 2)


def test_what_has_no_linear_maps_takes_no_adapters() -> None:
    with pytest.raises(BadInput, match="lora"):
        adapt(nn.Embedding(3, 4), 2)  # type: ignore[arg-type]


def test_what_adapters_learned_is_worked_into_the_weights_of_before(llama: Path) -> None:
    body: Any = opened_apart(llama)[0].body
    plain = {name: tensor.clone() for name, tensor in body.state_dict().items()}
    adapt(body, 3)
    assert adapted(body)
    assert all(torch.equal(one, plain[name]) for name, one in worked_in(body).items())
    with torch.no_grad():
        for parameter in body.parameters():
            parameter.normal_(std=0.1)
        wanted = said(body)
    whole: Any = opened_apart(llama)[0].body
    weights = worked_in(body)
    assert weights.keys() == plain.keys() and not adapted(whole)
    whole.load_state_dict(weights)
    with torch.no_grad():
        assert torch.allclose(said(whole), wanted, atol=1e-5)
