"""What recommends stands at its seams, and no seam holds an implementation."""

import ast
from pathlib import Path

import pytest
import torch

from tastemaker import seams
from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.recommend.counting import Popularity
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tests.contracts import ITEMS, some_contexts


def top_item(model: seams.Recommender, contexts: Contexts) -> int:
    return int(model.score(contexts)[0].argmax())


def searched(model: seams.Encoder, batch: Batch) -> torch.Tensor:
    return model.encode(batch) @ model.item_vectors().T


def counted(kind: type[seams.Counting], contexts: Contexts) -> seams.Counting:
    return kind.fit(contexts, ITEMS)


def test_models_stand_at_their_seams() -> None:
    torch.manual_seed(0)
    contexts = some_contexts()
    model = SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8, history=6), ITEMS).eval()
    assert 0 <= top_item(model, contexts) < ITEMS
    step = next(NextItemBatches(contexts, history=6).epoch(0))
    assert searched(model, step).shape == (len(step.items), ITEMS)
    assert 0 <= top_item(counted(Popularity, contexts), contexts) < ITEMS


def test_seams_hold_no_implementation() -> None:
    for file in Path(seams.__file__).parent.glob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= 150, file.name
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert isinstance(node.body[-1], ast.Expr), node.name


def test_models_say_what_else_they_can_do() -> None:
    torch.manual_seed(0)
    model = SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8, history=6), ITEMS).eval()
    counting = Popularity.fit(some_contexts(), ITEMS)
    for seam in (seams.Placing, seams.Growing):
        assert isinstance(model, seam) and not isinstance(counting, seam)
    assert model.grown(Ground(ITEMS + 3)).item_vectors().shape[0] == ITEMS + 3


@pytest.mark.parametrize("more", [0, 1, 37])
@pytest.mark.parametrize("name", ["sasrec", "esasrec", "hstu"])
def test_what_a_model_said_of_items_it_knew_it_says_when_it_has_grown(name: str, more: int) -> None:
    torch.manual_seed(0)
    shape = {"dim": 8, "heads": 1, "layers": 1, "history": 6}
    old = {
        "sasrec": lambda: SASRec(SASRecConfig(inner=8, **shape), ITEMS),
        "esasrec": lambda: ESASRec(ESASRecConfig(**shape), ITEMS),
        "hstu": lambda: HSTU(HSTUConfig(head_dim=8, **shape), ITEMS),
    }[name]().eval()  # type: ignore[arg-type]
    contexts = some_contexts()
    before = {key: kept.clone() for key, kept in old.state_dict().items()}
    new = old.grown(Ground(ITEMS + more))
    said, known = new.score(contexts), old.score(contexts)
    assert said.shape == (len(contexts), ITEMS + more) and torch.isfinite(said).all()
    if not more:
        assert torch.equal(said, known)
    # A wider product may add in another order: states and vectors are those of before to the bit.
    torch.testing.assert_close(said[:, :ITEMS], known, rtol=1e-5, atol=1e-6)
    assert torch.equal(new.item_vectors()[:ITEMS], old.item_vectors())
    # The old one stays as it was, and whole: nothing is shared that learning would move.
    with torch.no_grad():
        for weight in new.parameters():
            weight.add_(1)
    assert all(torch.equal(kept, before[key]) for key, kept in old.state_dict().items())


def test_growing_twice_is_growing_once_for_what_was_known() -> None:
    torch.manual_seed(0)
    model = SASRec(SASRecConfig(dim=8, heads=1, layers=1, inner=8, history=6), ITEMS).eval()
    step = model.grown(Ground(ITEMS + 2))
    twice = step.grown(Ground(ITEMS + 5))
    assert torch.equal(twice.item_vectors()[: ITEMS + 2], step.item_vectors())
    assert twice.num_items == ITEMS + 5 and not twice.table()[0].any()
    batch = next(NextItemBatches(some_contexts(), history=6).epoch(0))
    assert torch.equal(twice.encode(batch), model.encode(batch))
