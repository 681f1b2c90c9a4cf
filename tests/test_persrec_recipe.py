"""The recipe of PerSRec: its arms read what they say, and its gate keeps claims back."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.nn.view import View
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_layout import laid_out
from tastemaker.recommend.persrec_shape import PerSRecConfig

ITEMS, OLD, RECENT, TOKENS = 40, 9, 4, 3
BACKBONE = HSTUConfig(dim=16, head_dim=8, dropout=0.0, time="none", divisor=1, loss="sampled")
SHAPE = PerSRecConfig(BACKBONE, OLD, RECENT, TOKENS)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file of the recipe."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "recipes"))
    return importlib.import_module


def rows(*lengths: int) -> Contexts:
    """Histories of different items by user codes 10, 11, …"""
    rng = np.random.default_rng(0)
    items = np.concatenate([rng.permutation(ITEMS)[:n] + 1 for n in lengths]).astype(np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Contexts(10 + np.arange(len(lengths)), offsets, items)


def grown(model: Any) -> Any:
    """Weights so large that what is read matters."""
    torch.manual_seed(0)
    for weight in model.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.3)
    return model.eval()


def row(contexts: Contexts, number: int) -> list[int]:
    return contexts.items[contexts.offsets[number] : contexts.offsets[number + 1]].tolist()


@torch.no_grad()
def test_pool_has_means_where_tokens_stand(shared: Any) -> None:
    pool = grown(shared("persrec_variants").Pooled.build(SHAPE, Ground(ITEMS)))
    contexts = rows(13, 6, 3)
    batch = last(contexts, 13)
    placed = laid_out(batch, pool.layout, batch.valid.sum(1).clamp(max=RECENT))
    vectors = pool.backbone.embed(placed)
    made = pool.pooled(placed, vectors)
    for number in range(3):
        old = row(contexts, number)[:-RECENT]
        padded = [0] * (OLD - len(old)) + old  # three chunks of three columns
        for token in range(TOKENS):
            chunk = [item for item in padded[3 * token : 3 * token + 3] if item]
            want = pool.backbone.items.weight[chunk].mean(0) if chunk else torch.zeros(16)
            torch.testing.assert_close(made[number, OLD + token], want)
    assert not made[:, :OLD].any() and not made[:, OLD + TOKENS :].any()


@torch.no_grad()
def test_pool_reads_old_events_through_means_alone(shared: Any) -> None:
    pool = grown(shared("persrec_variants").Pooled.build(SHAPE, Ground(ITEMS)))
    contexts = rows(13, 13)
    items = contexts.items.copy()
    items[[0, 2]] = items[[2, 0]]  # within the first chunk
    torch.testing.assert_close(pool.score(contexts), pool.score(replace(contexts, items=items)))
    items[[0, 8]] = items[[8, 0]]  # between chunks
    other = pool.score(replace(contexts, items=items))
    assert (pool.score(contexts) - other)[0].abs().max() > 1e-2
    batch = last(contexts, 13)
    placed = laid_out(batch, pool.layout, torch.full((2,), RECENT))
    newest = View(newest=torch.full((2,), pool.layout.length - 1))
    torch.testing.assert_close(pool.encode(batch), pool.states(placed)[:, -1])
    torch.testing.assert_close(pool.encode(batch), pool.states(placed, newest)[:, 0])


def test_pool_learns(shared: Any) -> None:
    pool = shared("persrec_variants").Pooled.build(SHAPE, Ground(ITEMS))
    (batch,) = pool.batches(rows(14), 1).epoch(0)
    pool(batch).backward()
    assert pool.backbone.items.weight.grad is not None
    assert pool.tokens.grad is None or not pool.tokens.grad.any()


def test_old_events_are_those_of_another(shared: Any) -> None:
    contexts = rows(13, 9, 4, 2)
    made = shared("persrec_variants").grafted(contexts, RECENT)
    owner = {tuple(row(contexts, number)[:-RECENT]): number for number in range(4)}
    givers = []
    for number in range(4):
        own = row(contexts, number)[-RECENT:]
        assert row(made, number)[-len(own) :] == own
        givers.append(tuple(row(made, number)[: -len(own)]))
        assert owner[givers[-1]] != number or not givers[-1]
    assert sorted(givers) == sorted(tuple(row(contexts, number)[:-RECENT]) for number in range(4))


@torch.no_grad()
def test_a_swapped_reader_finds_users_by_code(shared: Any) -> None:
    variants = shared("persrec_variants")
    full = grown(HSTU(replace(BACKBONE, history=13), ITEMS))
    contexts = rows(13, 9, 7, 13)
    others = variants.grafted(contexts, RECENT)
    order = np.array([2, 0, 3])
    swapped = variants.Swapped(full, others).score(contexts.take(order))
    torch.testing.assert_close(swapped, full.score(others.take(order)))
    assert (swapped - full.score(contexts.take(order))).abs().max() > 1e-2


@torch.no_grad()
def test_kept_keys_and_values_answer_as_the_whole_history(shared: Any) -> None:
    full = grown(HSTU(replace(BACKBONE, history=13), ITEMS))
    contexts = rows(13, 20, 9, 4, 2)
    kept = shared("persrec_variants").KeptKeys(full, RECENT)
    torch.testing.assert_close(kept.score(contexts), full.score(contexts), rtol=1e-5, atol=1e-4)
    short = contexts.take(np.array([3, 4]))
    torch.testing.assert_close(kept.score(short), full.score(short), rtol=1e-5, atol=1e-4)


@torch.no_grad()
def test_an_old_memory_passes_events_over(shared: Any) -> None:
    compress = grown(PerSRec.build(SHAPE, Ground(ITEMS)))
    stale, contexts = shared("persrec_variants").Stale, rows(16, 13)
    torch.testing.assert_close(stale(compress, 0).score(contexts), compress.score(contexts))
    items = [row(contexts, number) for number in range(2)]
    without = [one[:-6] + one[-RECENT:] for one in items]  # the two before the newest four
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in without])])
    fewer = Contexts(contexts.users, offsets, np.array(sum(without, []), np.int32))
    torch.testing.assert_close(stale(compress, 2).score(contexts), compress.score(fewer))


@pytest.mark.parametrize("signal", [True, False])
def test_the_gate_keeps_claims_back(shared: Any, signal: bool) -> None:
    arms, rng = shared("persrec_arms"), np.random.default_rng(0)
    found = shared("evidence").Evidence("x", "paper", "data", "toy", (0, 1, 2), ("ndcg@10",))
    gain = {"FULL": 0.2, "COMPRESS": 0.19, "POOL": 0.1} if signal else {}
    names = ("FULL", "RECENT+k", "COMPRESS", "POOL", "FULL, RANDOM-OLD", "COMPRESS, RANDOM-OLD",
             arms.FLOOR)  # fmt: skip
    for _ in found.seeds:
        own = rng.random(400) / 2 + 0.25
        for name in names:
            noise = rng.normal(0, 0.01, 400)
            found.add(name, {"ndcg@10": own + gain.get(name, 0.0) + noise})
        found.add(arms.BAR, {"ndcg@10": arms.SHARE * found.values["FULL"]["ndcg@10"][-1]})
    arms.compared(found)
    said = {one["id"]: one["verdict"] for one in found.relations}
    assert said.keys() == {"G1", "G2", "P1", "P2", "P3"} if signal else {"G1", "G2", "P3"}
    assert ("no verdict on P1 and P2" in found.notes[0]) != signal
    if signal:
        assert set(said.values()) == {"holds"}
    low, high = arms.ratio(found, "COMPRESS", "FULL")[1:]
    assert 0.9 < low < high < 1.1


def test_a_backbone_below_the_floor_is_said_to_be(shared: Any) -> None:
    arms = shared("persrec_arms")
    found = shared("evidence").Evidence("x", "paper", "data", "toy", (0,), ("ndcg@10",))
    values = np.linspace(0.1, 0.2, 50)
    for name in ("FULL", "RECENT+k", "COMPRESS", "POOL", "FULL, RANDOM-OLD",
                 "COMPRESS, RANDOM-OLD", arms.BAR):  # fmt: skip
        found.add(name, {"ndcg@10": values})
    found.add(arms.FLOOR, {"ndcg@10": 1.2 * values})
    arms.compared(found)
    assert found.notes[0].startswith("backbone too weak")


def test_costs_are_those_of_the_formula(shared: Any) -> None:
    costs = shared("persrec_requests").multiply_adds(PerSRecConfig(BACKBONE, 150, 50, 4))
    linear, wide = 2 * 5 * 16 * 8, 2 * 2 * 8  # two layers, one head of eight
    assert costs["FULL"] == [linear * 200 + wide * 200 * 201 / 2]
    assert costs["FULL-KV"] == [linear * 50 + wide * (50 * 150 + 50 * 51 / 2)]
    assert costs["RECENT+k"] == [linear * 54 + wide * 54 * 55 / 2]
    assert costs["COMPRESS"][-1] == linear * 50 + wide * (50 * 4 + 50 * 51 / 2)
    assert costs["COMPRESS"][0] > costs["COMPRESS"][1] > costs["COMPRESS"][2]


def test_long_histories_are_the_newest_of_those_who_have_many(shared: Any) -> None:
    from tastemaker.worlds.logs import planted_groups

    log = planted_groups(users=20, length=30, items=60).interactions()
    log = log.select(np.arange(log.num_events) >= 8)  # the first user has 22
    made = shared("persrec_arms").long_histories(log, 25, 21)
    assert made.num_users == 19 and set(made.lengths) == {21}
    assert made.user_ids.to_list() == log.user_ids.to_list()[1:]
    assert made.history(0).tolist() == log.history(1)[-21:].tolist()


@pytest.mark.parametrize("repeats", [1, 3])
def test_answers_stand_in_the_old_part_alone(shared: Any, repeats: int) -> None:
    worlds = shared("old_answers")
    world = worlds.World(users=30, old=20, topics=2, values=4, fillers=10, repeats=repeats)
    task = world.task(0, shared("persrec").TRAINING)
    log, names = task.cuts.interactions, [""] + world.names
    for user in range(30):
        said = [names[item] for item in log.history(user)]
        keys = {one.split()[1]: one.split()[2] for one in said if one.startswith("key")}
        assert len(keys) == 2 and not any("key" in one for one in said[12:])
        assert sum("key" in one for one in said) == 2 * repeats
        for question, answer in zip(said[20::2], said[21::2], strict=True):
            topic = question.split()[1]
            assert question == f"question {topic}" and answer == f"answer {topic} {keys[topic]}"
    for part, count in (("valid", 5), ("test", 10)):
        queries = task.cuts.queries(part)  # type: ignore[arg-type]
        assert len(queries) == count
        assert all(names[item].startswith("answer") for item in queries.target_items)
    model = HSTU(replace(BACKBONE, history=23), log.num_items)
    steps = world.answers_of(model.batches(task.cuts.train(), 8))
    learnt = [
        names[int(item)]
        for batch in steps.epoch(0)
        for item in batch.targets[batch.targets > 0]  # type: ignore[attr-defined]
    ]
    assert len(learnt) == 30 * 2 - 15 and all(one.startswith("answer") for one in learnt)
