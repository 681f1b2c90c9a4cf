"""A client answers a round that is asked again as it did before, also after it was started anew."""

from pathlib import Path
from typing import Any

import pytest
import torch
from flwr.app import Context, Message, RecordDict
from flwr.supercore.task_identity import TaskIdentity

from tastemaker.errors import NumericFault
from tastemaker.federate import flower_client
from tastemaker.federate.baselines import Moon
from tastemaker.federate.client import Memory, shared
from tastemaker.federate.flower_client import Answering, Memories, client_app
from tastemaker.federate.flower_messages import decoded_reply, encoded_broadcast
from tastemaker.seams import Broadcast
from tests.federate.deployed import PLAN, Deployed
from tests.federate.digits import classifier


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    TaskIdentity.run_id, TaskIdentity.node_id, TaskIdentity.task_id = 1, 1, 1
    return Deployed.made(tmp_path, 2)


def message(number: int, seed: int = 0, last: bool = False, **weights: Any) -> Message:
    sent = Broadcast(number, {**shared(classifier(seed)), **weights}, (0.5,) * 10)
    return Message(encoded_broadcast(sent, PLAN, last), 5, "train")


def trained(answering: Answering, number: int, seed: int = 0) -> dict[str, torch.Tensor]:
    reply = decoded_reply(answering(message(number, seed)).content, "c0")
    assert reply.round == number
    return dict(reply.weights)


def same(left: Any, right: Any) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[n], right[n]) for n in left)


def test_a_round_that_is_asked_again_is_answered_the_same(deployed: Deployed) -> None:
    """MOON remembers its last weights: those of before the round, not those it just made."""
    answering = Answering(deployed.prepare("c0", Moon()))
    trained(answering, 1)
    second = trained(answering, 2, seed=1)
    assert same(trained(answering, 2, seed=1), second)
    third = trained(answering, 3, seed=2)
    assert same(trained(answering, 2, seed=1), second)
    assert same(trained(answering, 3, seed=2), third)
    unknowing = Answering(deployed.prepare("c0", Moon()))
    assert not same(trained(unknowing, 2, seed=1), second), "else it remembers nothing"


def test_a_client_that_is_started_anew_remembers(deployed: Deployed, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    answering = Answering(deployed.prepare("c0", Moon()), Memories(folder))
    trained(answering, 1)
    second = trained(answering, 2, seed=1)
    again = Answering(deployed.prepare("c0", Moon()), Memories(folder))
    assert same(trained(again, 2, seed=1), second)


def test_only_the_last_rounds_are_kept(tmp_path: Path) -> None:
    memories = Memories(tmp_path / "own")
    for number in range(1, 7):
        memories.keep(number, Memory(private={"a": torch.full((2,), float(number))}))
    names = sorted(path.name for path in (tmp_path / "own").iterdir())
    assert names == [f"after-{number}.safetensors" for number in (4, 5, 6)]
    back = Memories(tmp_path / "own")
    assert [back.before(n) is None for n in (4, 5)] == [True, False]
    assert float(back.before(6).private["a"][0]) == 5.0  # type: ignore[union-attr]
    back.keep(5, Memory(private={"a": torch.zeros(2)}))
    assert float(back.before(7).private["a"][0]) == 0.0  # type: ignore[union-attr]


def test_weights_of_its_own_stay_in_the_final_model(deployed: Deployed) -> None:
    prepare = deployed.prepare("c0")

    def own(plan: Any) -> Any:
        made = prepare(plan)
        made.model.private = frozenset({"head.bias"})
        return made

    answering = Answering(own)
    sent = {name: one for name, one in shared(classifier()).items() if name != "head.bias"}
    for number in (1, 2):
        content = encoded_broadcast(Broadcast(number, sent, (0.5,) * 10), PLAN)
        reply = decoded_reply(answering(Message(content, 5, "train")).content, "c0")
        assert "head.bias" not in reply.weights
    content = encoded_broadcast(Broadcast(3, sent), PLAN, last=True)
    answering(Message(content, 5, "train"))
    assert answering.done and answering.final is not None
    state = answering.final.state_dict()
    assert all(torch.equal(state[name], one) for name, one in sent.items())
    assert not torch.equal(state["head.bias"], classifier().state_dict()["head.bias"])


@pytest.mark.parametrize("last", [False, True])
def test_another_model_is_the_end_and_the_server_hears_no_more_than_that(
    deployed: Deployed, last: bool
) -> None:
    answering = Answering(deployed.prepare("c0"))
    told = answering(message(1, last=last, extra=torch.zeros(3)))
    assert told.has_error() and told.error.reason == "BadInput"
    assert answering.done and answering.fault is not None
    assert "extra" in str(answering.fault)


def test_a_loss_that_is_not_finite_costs_the_round_and_says_nothing_of_the_data(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def diverges(*_: Any) -> Any:
        raise NumericFault("The loss is NaN.", "training rows [3, 14, 15]", "…")

    answering = Answering(deployed.prepare("c0"))
    with monkeypatch.context() as patch:
        patch.setattr(flower_client, "train_client", diverges)
        told = answering(message(1))
    assert told.has_error() and told.error.reason == "NumericFault"
    assert not answering.done
    assert not answering(message(2)).has_error()


def test_a_deployment_that_flwr_runs_takes_it_as_an_app(deployed: Deployed) -> None:
    app = client_app(Answering(deployed.prepare("c0")))
    context = Context(1, 5, {}, RecordDict(), {})
    told = app(message(1), context)
    assert decoded_reply(told.content, "c0").round == 1
    assert app(message(1, extra=torch.zeros(3)), context).has_error()
