"""The item half of HLLM: cut where asked, exact whatever the cut, and only the top trains."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.models.item_llm import ItemLLM

TEXTS = ["red fast car", "blue", "a slow red boat and a fast blue car", "car", "boat boat"]
ALL = np.arange(len(TEXTS))


def vectors(model: ItemLLM, texts: list[str] = TEXTS) -> torch.Tensor:
    with torch.no_grad():
        return model.eval()(model.read(texts), np.arange(len(texts)))


@pytest.mark.parametrize("kind", ["bert", "llama"])
@pytest.mark.parametrize("layers", [0, 1, 2, -1])
def test_where_it_is_cut_changes_no_vector(
    kind: str, layers: int, request: pytest.FixtureRequest
) -> None:
    folder = str(request.getfixturevalue(kind))
    whole = vectors(ItemLLM(folder))
    cut = vectors(ItemLLM(folder, trained_layers=layers))
    # What stands below the cut is kept in half precision.
    scale = whole.abs().max()
    assert (cut - whole).abs().max() < (0.02 * scale if layers >= 0 else 1e-6 * scale)


@pytest.mark.parametrize("pooling", ["mean", "item"])
def test_a_text_alone_is_as_in_company(bert: Path, pooling: str) -> None:
    torch.manual_seed(0)
    model = ItemLLM(str(bert), pooling=pooling)  # type: ignore[arg-type]
    together = vectors(model)
    for at, text in enumerate(TEXTS):
        torch.testing.assert_close(vectors(model, [text])[0], together[at], rtol=1e-5, atol=1e-6)


def test_rows_come_back_in_the_order_asked_for(bert: Path) -> None:
    model = ItemLLM(str(bert)).eval()
    reading = model.read(TEXTS)
    with torch.no_grad():
        some = model(reading, np.array([3, 0, 3]))
    torch.testing.assert_close(some, vectors(model)[[3, 0, 3]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["bert", "llama"])
@pytest.mark.parametrize("pooling", ["mean", "item"])
def test_only_what_stands_above_the_cut_trains(
    kind: str, pooling: str, request: pytest.FixtureRequest
) -> None:
    folder = str(request.getfixturevalue(kind))
    model = ItemLLM(folder, trained_layers=1, pooling=pooling)  # type: ignore[arg-type]
    model(model.read(TEXTS), ALL).pow(2).sum().backward()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in trained.values())
    assert model.frozen is not None
    assert all(p.grad is None for p in model.frozen[0].parameters())
    whole = sum(p.numel() for p in ItemLLM(folder).parameters())
    assert sum(p.numel() for p in model.parameters()) < whole
    assert model.slot.requires_grad == (pooling == "item")


def test_checkpointing_changes_no_gradient(bert: Path) -> None:
    gradients = []
    for checkpointing in (False, True):
        model = ItemLLM(str(bert), checkpointing=checkpointing).eval()
        model.train(checkpointing)  # activations are recomputed in training alone
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        model(model.read(TEXTS), ALL).pow(2).sum().backward()
        gradients.append({n: p.grad for n, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradient, gradients[1][name])


def test_the_item_token_is_read_and_learned() -> None:
    torch.manual_seed(0)
    model = ItemLLM("random", pooling="item", dim=16)
    before = vectors(model)
    with torch.no_grad():
        model.slot.copy_(torch.linspace(-1, 1, 16))
    assert not torch.allclose(before, vectors(model))


def test_long_texts_are_cut_and_empty_ones_have_a_token(llama: Path) -> None:
    model = ItemLLM(str(llama), max_tokens=4)
    lengths = np.diff(model.read(["red " * 50, ""]).offsets)
    assert lengths.tolist() == [4, 1]
    assert torch.isfinite(vectors(ItemLLM("random", dim=8), ["", "?"])).all()


def test_a_model_cannot_be_cut_above_its_top(bert: Path) -> None:
    with pytest.raises(BadInput, match="It has 2 layers"):
        ItemLLM(str(bert), trained_layers=3)


def test_a_layout_that_is_not_known_is_refused(tmp_path: Path) -> None:
    import transformers

    config = transformers.GPT2Config(vocab_size=8, n_embd=8, n_layer=1, n_head=1, n_positions=8)
    transformers.GPT2Model(config).save_pretrained(tmp_path)
    (tmp_path / "vocab.json").write_text('{"a": 0, "<|endoftext|>": 1}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(BadInput, match="encoder.layer"):
        ItemLLM(str(tmp_path), max_tokens=8)


def test_a_model_that_is_not_here_says_where_it_was_looked_for() -> None:
    with pytest.raises(BadInput, match="tastemaker models install|folder"):
        ItemLLM("nobody/no-such-model")


def test_no_more_tokens_than_the_model_has_positions(bert: Path) -> None:
    assert torch.isfinite(vectors(ItemLLM(str(bert), max_tokens=63, pooling="item"))).all()
    for tokens, pooling in ((65, "mean"), (64, "item")):
        with pytest.raises(BadInput, match="max-tokens"):
            ItemLLM(str(bert), max_tokens=tokens, pooling=pooling)  # type: ignore[arg-type]
