"""What recommends stands at its seams, and no seam holds an implementation."""

import ast
from pathlib import Path

import torch

from tastemaker import seams
from tastemaker.data.batches import Batch, NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.counting import Popularity
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
    assert model.grown(ITEMS + 3).item_vectors().shape[0] == ITEMS + 3
