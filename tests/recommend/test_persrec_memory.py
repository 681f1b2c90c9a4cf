"""Memories of users: read where they are the same, made where they are not, and never mistaken."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.errors import ArtefactError
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_memory import Remembering, identity_of
from tastemaker.recommend.user_states import UserStates
from tests.contracts import ITEMS
from tests.recommend.test_persrec import KINDS, grown

SHAPE = {"old": 12, "recent": 4, "tokens": 2}
NAMES = ["ann", "bob", "cat", "dan"]


def some(lengths: tuple[int, ...] = (16, 9, 3, 0), seed: int = 0, times: bool = True) -> Contexts:
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = rng.integers(1, ITEMS + 1, offsets[-1]).astype(np.int32)
    seconds = rng.integers(0, 10**6, offsets[-1]).cumsum() if times else None
    return Contexts(np.arange(len(lengths)), offsets, items, seconds)


def remembering(path: Path, net: PerSRec, **set_to: Any) -> Remembering:
    precision = set_to.pop("precision", "float32")
    path.mkdir(exist_ok=True)
    states = UserStates.open(path / "states.sqlite", identity_of(net), precision)
    return Remembering(net, states, lambda code: NAMES[code] if code >= 0 else None, **set_to)


def scored(with_states: Remembering, contexts: Contexts) -> Tensor:
    """What the model says where memories are kept."""
    net = with_states.model
    net.memories = with_states.memory
    scores = net.score(contexts)
    net.memories = None
    return scores


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("parts", [1, 2])
@torch.no_grad()
def test_what_is_kept_answers_as_what_is_made(kind: str, parts: int, tmp_path: Path) -> None:
    net = grown(kind, exact=torch.float32, parts=parts, **SHAPE)
    for contexts in (some(), some(times=False)):
        with_states, want = remembering(tmp_path / str(contexts.times is None), net), None
        want = net.score(contexts)
        scale = float(want.abs().max())
        for read in (0, 4):
            got = scored(with_states, contexts)
            assert float((got - want).abs().max()) <= 1e-5 * scale
            assert (with_states.made, with_states.read) == (4, read)
        again = remembering(tmp_path / str(contexts.times is None), net)
        assert float((scored(again, contexts) - want).abs().max()) <= 1e-5 * scale
        assert again.made == 0


@torch.no_grad()
def test_another_users_memory_answers_otherwise(tmp_path: Path) -> None:
    net, contexts = grown("sasrec", exact=torch.float32, **SHAPE), some((16, 16))
    with_states = remembering(tmp_path, net)
    want = scored(with_states, contexts)
    first, second = (with_states.states.get(name) for name in NAMES[:2])
    assert first is not None and second is not None
    mixed = replace(second, prefix=first.prefix)
    with_states.states.put({"ann": mixed})
    got = scored(with_states, contexts)
    assert float((got[0] - want[0]).abs().max()) > 1e-2 * float(want.abs().max())
    assert torch.equal(got[1], want[1])


@torch.no_grad()
def test_a_memory_of_other_events_or_too_old_is_made_anew(tmp_path: Path) -> None:
    net, contexts = grown("hstu", exact=torch.float32, **SHAPE), some((14,))
    with_states = remembering(tmp_path, net)
    scored(with_states, contexts)
    later = some((16,))
    later.items[:14], later.times[:14] = contexts.items, contexts.times  # type: ignore[index]
    scored(with_states, later)  # two events have become old
    assert (with_states.made, with_states.read) == (2, 0)
    changed = replace(later, items=later.items.copy())
    changed.items[0] = changed.items[0] % ITEMS + 1
    scored(with_states, changed)
    assert (with_states.made, with_states.read) == (3, 0)
    torch.testing.assert_close(scored(with_states, changed), net.score(changed))
    patient = remembering(tmp_path / "patient", net, gap=2)
    scored(patient, contexts)
    scored(patient, later)
    assert (patient.made, patient.read) == (1, 1)


@torch.no_grad()
def test_nobody_is_kept_and_the_erased_are_gone(tmp_path: Path) -> None:
    net = grown("sasrec", exact=torch.float32, **SHAPE)
    with_states, contexts = remembering(tmp_path, net), some((16, 16))
    scored(with_states, replace(contexts, users=np.array([-1, 1])))
    assert len(with_states.states) == 1
    kept = with_states.states.get("bob")
    assert kept is not None
    raw = kept.numbers.numpy().tobytes()[-64:]
    assert with_states.states.erase(["bob", "eve"]) == 1
    assert len(with_states.states) == 0 and with_states.states.get("bob") is None
    with_states.states.close()
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or raw not in file.read_bytes()


@torch.no_grad()
def test_numbers_per_user_are_those_of_the_formula(tmp_path: Path) -> None:
    net = grown("sasrec", layers=3, exact=torch.float32, **SHAPE)
    with_states = remembering(tmp_path, net)
    scored(with_states, some((16,)))
    kept = with_states.states.get("ann")
    assert kept is not None
    assert len(kept.numbers) == (3 - 1) * 2 * 2 * 16 + 16  # (n_l − 1)·2·k·D, and D for R = 0


@pytest.mark.parametrize("other", ["weights", "layout", "precision"])
@torch.no_grad()
def test_states_of_another_model_layout_or_precision_are_refused(
    other: str, tmp_path: Path
) -> None:
    net = grown("sasrec", exact=torch.float32, **SHAPE)
    scored(remembering(tmp_path, net), some((16,)))
    if other == "weights":
        net.tokens[0, 0] += 1e-3
    if other == "layout":
        net.config = replace(net.config, recent=5)
    with pytest.raises(ArtefactError) as caught:
        remembering(tmp_path, net, precision="bfloat16" if other == "precision" else "float32")
    assert "another" in str(caught.value)


@torch.no_grad()
def test_a_memory_of_the_same_items_at_other_times_is_made_anew(tmp_path: Path) -> None:
    net, contexts = grown("hstu", exact=torch.float32, **SHAPE), some((16,))
    with_states = remembering(tmp_path, net)
    scored(with_states, contexts)
    assert contexts.times is not None
    later = replace(contexts, times=contexts.times + np.arange(16) * 86_400)
    got = scored(with_states, later)
    assert (with_states.made, with_states.read) == (2, 0)
    torch.testing.assert_close(got, net.score(later))
    scored(with_states, replace(later, times=None))
    assert (with_states.made, with_states.read) == (3, 0)
