import pytest
import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.reinforce.vtool_masks import learned_mask

#  first turn, what the tool said, second turn, padding; and a direct answer
MASK = torch.tensor([[1, 1, 1, 0, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1, 0, 0]])
USED = torch.tensor([True, False])


def gradients(train_tool_turn: bool) -> Tensor:
    """(B, T) size of the gradient at each token's logits, of the loss of policy gradients."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(7, 5), nn.Linear(5, 7))
    tokens = torch.randint(7, MASK.shape)
    logits = model(tokens)
    logits.retain_grad()
    chosen = logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0]
    mask = learned_mask(MASK, USED, train_tool_turn)
    advantage = torch.tensor([[1.0], [-0.5]])
    (-(advantage * chosen * mask).sum() / mask.sum()).backward()
    assert logits.grad is not None
    return logits.grad.abs().sum(-1)


def test_the_tool_turn_learns_unless_it_is_asked_not_to() -> None:
    learning, not_learning = gradients(True), gradients(False)
    assert (learning[0, :3] > 0).all() and (not_learning[0, :3] == 0).all()


@pytest.mark.parametrize("train_tool_turn", [True, False])
def test_observations_and_padding_never_learn_and_answers_always_do(train_tool_turn: bool) -> None:
    size = gradients(train_tool_turn)
    assert (size[MASK == 0] == 0).all()
    assert (size[0, 5:7] > 0).all() and (size[1, :6] > 0).all()


def test_the_mask_that_was_given_stays_and_keeps_its_type() -> None:
    for dtype in (torch.bool, torch.long, torch.float32):
        given = MASK.to(dtype)
        mask = learned_mask(given, USED, train_tool_turn=False)
        assert mask.dtype == dtype and torch.equal(given, MASK.to(dtype))
        assert mask.tolist() == [[0, 0, 0, 0, 0, 1, 1, 0], [1, 1, 1, 1, 1, 1, 0, 0]]


def test_rows_match() -> None:
    with pytest.raises(BadInput, match="no"):
        learned_mask(MASK, USED[:1])
