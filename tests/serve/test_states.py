"""States of users in the store: exact, of one model, erased with the user."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tastemaker.recommend.persrec_memory import Remembering, identity_of
from tastemaker.recommend.user_states import Precision, UserStates
from tastemaker.serve.erasure import Erased
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store
from tests.recommend.test_persrec import grown
from tests.recommend.test_persrec_memory import NAMES, SHAPE, scored, some
from tests.recommend.test_user_states import IDENTITY, same, state


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_put_is_what_is_got_bit_for_bit(store: Store, precision: Precision) -> None:
    kept = {"ann": state(0), "Zoë '); DROP TABLE user_states; --": state(1, times=False)}
    if precision == "bfloat16":
        kept = {user: replace(one, numbers=one.numbers.bfloat16()) for user, one in kept.items()}
    states = store.states(IDENTITY, precision)
    states.put(kept)
    assert len(states) == 2 and states.get("bob") is None
    assert all(same(states.get(user), one) for user, one in kept.items())
    newer = replace(kept["ann"], end=9, end_time=None)
    states.put({"ann": newer})
    states.put({})
    assert len(states) == 2 and same(states.get("ann"), newer)


def test_they_are_those_of_the_file_of_a_run(store: Store, tmp_path: Path) -> None:
    file = UserStates.open(tmp_path / "states", IDENTITY, "float32")
    for states in (file, store.states(IDENTITY, "float32")):
        states.put({"ann": state(3)})
        assert same(states.get("ann"), state(3))
    file.close()


def test_models_do_not_see_each_others_states(store: Store) -> None:
    mine = store.states(IDENTITY, "float32")
    others = [
        store.states({**IDENTITY, "model": "b" * 64}, "float32"),
        store.states(IDENTITY, "bfloat16"),
    ]
    mine.put({"ann": state(0)})
    for number, other in enumerate(others):
        assert other.get("ann") is None
        other.put({"ann": state(number), "bob": state(number)})
    assert (mine.drop_others(), mine.drop_others()) == (4, 0)
    assert same(mine.get("ann"), state(0)) and len(others[0]) == 0


def test_a_damaged_state_is_none(store: Store) -> None:
    states = store.states(IDENTITY, "float32")
    states.put({"ann": state(0)})
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE user_states SET numbers = prefix")
    assert states.get("ann") is None
    states.put({"ann": state(0)})
    assert torch.isfinite(states.get("ann").numbers).all()  # type: ignore[union-attr]


def test_states_are_erased_alone_and_with_their_user(store: Store) -> None:
    states = store.states(IDENTITY, "float32")
    states.put({f"u{n}": state(n) for n in range(4)})
    store.append([Event("e", "u0", "i", 5)])
    assert states.erase(["u1", "u2", "nobody"]) == 2
    assert store.erase("u0") == Erased(1, 1)
    assert len(states) == 1 and states.get("u3") is not None


@torch.no_grad()
def test_a_model_answers_from_the_store_as_from_its_file(store: Store) -> None:
    net, contexts = grown("sasrec", exact=torch.float32, **SHAPE), some()
    want = net.score(contexts)
    for made, read in ((4, 0), (0, 4)):
        states = store.states(identity_of(net), "float32")
        kept = Remembering(net, states, lambda code: NAMES[code])
        got = scored(kept, contexts)
        assert float((got - want).abs().max()) <= 1e-5 * float(want.abs().max())
        assert (kept.made, kept.read) == (made, read)
    store.erase("ann")
    assert kept.states.get("ann") is None and kept.states.get("bob") is not None


def test_a_state_is_kept_unless_its_user_was_erased_since(store: Store) -> None:
    states = store.states(IDENTITY, "float32")
    assert states.keep("ann", state(0), None) and same(states.get("ann"), state(0))
    store.append([Event("e", "ann", "i", 5)])
    store.erase("ann")
    assert not states.keep("ann", state(1), None) and states.get("ann") is None
    until = store.erased(["ann"])["ann"]
    assert states.keep("ann", state(2), until) and same(states.get("ann"), state(2))
    store.append([Event("later", "ann", "i", until + 100)])
    store.erase("ann")
    assert not states.keep("ann", state(3), until) and states.get("ann") is None
    assert states.keep("bob", state(4), None)  # of others nothing is said
