"""Contracts of the seams: a new model inherits these tests by three lines."""

from typing import Any

import numpy as np
import torch

from tastemaker.data.batches import NextItemBatches, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import leave_one_out
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit

ITEMS = 30


def some_contexts(rows: int = 12, seed: int = 0) -> Contexts:
    """Rows of 1 to 12 random events."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 13, rows)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = rng.integers(1, ITEMS + 1, offsets[-1]).astype(np.int32)
    return Contexts(np.arange(rows), offsets, items)


class RecommenderContract:
    """What every `Recommender` keeps; subclasses give `build`."""

    def build(self, num_items: int, seed: int = 0) -> Any:
        """A model that may score."""
        raise NotImplementedError

    def test_scores_are_finite_and_of_the_right_shape(self) -> None:
        scores = self.build(ITEMS).score(some_contexts())
        assert scores.shape == (12, ITEMS)
        assert scores.dtype == torch.float32
        assert torch.isfinite(scores).all()

    @torch.no_grad()
    def test_a_user_alone_scores_as_in_company(self) -> None:
        model, contexts = self.build(ITEMS), some_contexts()
        together = model.score(contexts)
        for row in range(len(contexts)):
            alone = model.score(contexts.slice(row, row + 1))
            torch.testing.assert_close(alone[0], together[row], rtol=1e-6, atol=1e-6)

    def test_scoring_changes_nothing(self) -> None:
        model, contexts = self.build(ITEMS), some_contexts()
        first = model.score(contexts)
        first.clone().zero_()
        assert torch.equal(first, model.score(contexts))

    def test_the_same_seed_builds_the_same_model(self) -> None:
        one, two = self.build(ITEMS, 3), self.build(ITEMS, 3)
        assert torch.equal(one.score(some_contexts()), two.score(some_contexts()))


class TrainableContract:
    """What every neural sequence model keeps; `build` gives it in evaluation mode."""

    def build(self, num_items: int, seed: int = 0) -> Any:
        """A model with `states`, `score` and `loss`."""
        raise NotImplementedError

    @torch.no_grad()
    def test_no_future_leak(self) -> None:
        model, batch = self.build(ITEMS), last(some_contexts(), 8)
        before = model.states(batch)
        for cut in range(batch.items.shape[1] - 1):
            items = batch.items.clone()
            items[:, cut + 1 :] = torch.randint(1, ITEMS + 1, items[:, cut + 1 :].shape)
            from dataclasses import replace

            after = model.states(replace(batch, items=items))
            assert torch.equal(before[:, : cut + 1], after[:, : cut + 1])

    @torch.no_grad()
    def test_contents_and_amount_of_padding_do_not_matter(self) -> None:
        from dataclasses import replace

        model, batch = self.build(ITEMS), last(some_contexts(), 8)
        items = torch.where(batch.valid, batch.items, 7)
        assert torch.equal(model.encode(batch), model.encode(replace(batch, items=items)))
        one = some_contexts().slice(0, 1)
        short = last(Contexts(one.users, np.array([0, 3]), one.items[:3]), 8)
        wide = replace(
            short,
            items=torch.nn.functional.pad(short.items, (0, 5)),
            valid=torch.nn.functional.pad(short.valid, (0, 5)),
            position_ids=torch.arange(8),
        )
        torch.testing.assert_close(model.encode(short), model.encode(wide), rtol=1e-6, atol=1e-6)

    @torch.no_grad()
    def test_what_is_encoded_is_the_newest_state(self) -> None:
        model, batch = self.build(ITEMS), last(some_contexts(), 8)
        newest = batch.valid.sum(1) - 1
        whole = model.states(batch)[torch.arange(len(newest)), newest]
        torch.testing.assert_close(model.encode(batch), whole, rtol=1e-6, atol=1e-6)

    @torch.no_grad()
    def test_a_head_can_build_its_loss_on_what_competes(self) -> None:
        from dataclasses import replace

        model = self.build(ITEMS)
        (batch, *_) = NextItemBatches(some_contexts(), 8, 400, negatives=6).epoch(0)
        assert batch.negatives is not None
        groups = replace(batch, negatives=batch.negatives.view(2, 3))
        rival = model.competitors(groups)
        for rows, codes in (
            (rival.items, groups.items),
            (rival.targets, groups.targets),
            (rival.negatives, groups.negatives),
        ):
            assert rows.shape == codes.shape
            met = codes > 0
            want = model.table()[codes][met]
            torch.testing.assert_close(rival.table[rows][met], want, rtol=1e-5, atol=1e-6)
        no_items = replace(batch, items=torch.zeros_like(batch.items))
        states = model.states(no_items, vectors=rival.inputs)
        torch.testing.assert_close(states, model.states(batch), rtol=1e-5, atol=1e-5)
        wanted = rival.targets > 0
        parts = states[wanted], rival.table, rival.targets[wanted], rival.negatives.flatten()
        total = model.competition(*parts) / batch.target_count
        torch.testing.assert_close(total, model.loss(batch), rtol=1e-5, atol=1e-5)

    def test_it_overfits_twenty_users(self) -> None:
        rng = np.random.default_rng(0)
        sequences = {f"u{n}": [f"i{i}" for i in rng.permutation(ITEMS)[:7]] for n in range(20)}
        log = Interactions.from_sequences(sequences)
        model = self.build(log.num_items).train()
        rows = leave_one_out(log).train("valid")
        batches = NextItemBatches(rows, 8, tokens=200, negatives=model.config.sampled)
        training = FitConfig(epochs=120, lr=0.01, warmup=1, patience=0, validate_every=120)
        fit(model, batches, training, lambda: {"ndcg@10": 0.0})
        model.eval()
        wanted = rows.items[rows.offsets[1:] - 1]
        ends = rows.offsets[1:] - 1
        context = Contexts.gather(rows.users, rows.offsets[:-1], ends, rows.columns)
        best = model.score(context).argmax(1) + 1
        assert (best.numpy() == wanted).mean() >= 0.9
