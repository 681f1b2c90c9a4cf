"""What learns: asked alike in any company, and written so that any other opens it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("peft", reason="peft is not installed")

from tastemaker.errors import BadInput
from tastemaker.models.extras import quiet
from tastemaker.reinforce.policy import Policy, Unadapted, open_policy
from tests.models.conftest import save_chatty, save_llama

ASKED = [({"role": "user", "content": text},) for text in ("the boat", "one", "red<|end|>")]


def logits(model: Callable[..., Any]) -> torch.Tensor:
    with torch.no_grad():
        said: torch.Tensor = model(input_ids=torch.tensor([[4, 5, 6, 7]])).logits
    return said


def nudged(policy: Policy) -> Policy:
    """As if it had learned."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in policy.model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return policy


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_answers_to_one_prompt_depend_on_no_other(chatty: Path, temperature: float) -> None:
    policy = open_policy(chatty, 0, 0)
    together = list(policy.answers(ASKED, 3, temperature, 8, 1))
    alone = [answer for one in ASKED for answer in policy.answers([one], 3, temperature, 8, 1)]
    assert together == alone and all(len(several) == 3 for several in together)
    assert (len(set(together[0])) == 1) == (temperature == 0)
    other = list(policy.answers(ASKED, 3, temperature, 8, 2))
    assert (other == together) == (temperature == 0)
    assert not policy.model.training


def test_asking_draws_nothing_from_who_draws_beside_it(chatty: Path) -> None:
    policy = open_policy(chatty, 0, 0)
    torch.manual_seed(3)
    want = torch.rand(2)
    torch.manual_seed(3)
    next(policy.answers(ASKED, 2, 1.0, 4, 0))
    assert torch.equal(torch.rand(2), want)


def test_no_text_can_stand_for_a_mark(chatty: Path) -> None:
    policy = open_policy(chatty, 0, 0)
    end = policy.tokenizer.convert_tokens_to_ids("<|end|>")
    counts = [policy.tokens(one).count(end) for one in ASKED]
    assert counts[0] == counts[1] == counts[2] == 1  # that of the template


@pytest.mark.parametrize("lora", [0, 2])
def test_what_is_written_says_what_was_learned(tmp_path: Path, chatty: Path, lora: int) -> None:
    policy = nudged(open_policy(chatty, lora, 0))
    with quiet():
        policy.save(tmp_path / "model")
    again = open_policy(tmp_path / "model", 0, 0)
    torch.testing.assert_close(logits(again.model), logits(policy.model), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(logits(open_policy(chatty, 0, 0).model), logits(again.model))
    assert again.chats


def test_without_its_adapters_it_is_as_before(chatty: Path) -> None:
    policy = nudged(open_policy(chatty, 2, 0))
    before = logits(open_policy(chatty, 0, 0).model)
    assert torch.equal(logits(Unadapted(policy.model)), before)
    assert not torch.allclose(logits(policy.model), before)
    assert all(parameter.requires_grad for parameter in policy.model.parameters())


def test_without_a_template_a_prompt_is_text(tmp_path: Path) -> None:
    policy = open_policy(save_llama(tmp_path), 0, 0)
    assert not policy.chats
    talk = ({"role": "system", "content": "red"}, {"role": "user", "content": "shoe"})
    assert policy.turns(talk) == "red\n\nshoe\n"
    assert len(next(policy.answers([talk], 2, 1.0, 3, 0))) == 2


def test_a_template_that_refuses_is_named(tmp_path: Path) -> None:
    model = save_chatty(tmp_path)
    (model / "chat_template.jinja").write_text("{{ raise_exception('no users here') }}")
    with pytest.raises(BadInput) as fault:
        open_policy(model, 0, 0).tokens(ASKED[0])
    assert "no users here" in fault.value.what
