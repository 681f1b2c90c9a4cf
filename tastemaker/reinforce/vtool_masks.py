"""Which tokens of a rollout learn: what the model wrote, and of that perhaps not the tool turn.

In the published versions the turn that calls a tool gets no gradient once the tool is used. Here it
gets one unless it is asked not to.
"""

from __future__ import annotations

from torch import Tensor

from tastemaker.errors import BadInput


def learned_mask(tool_mask: Tensor, used: Tensor, train_tool_turn: bool = True) -> Tensor:
    """Tokens that learn.

    Args:
        tool_mask: (B, T) 1 on tokens of the model, 0 on those of a tool and on padding; each row
            begins with the first turn of the model.
        used: (B,) bool, whether the first turn called a tool.
        train_tool_turn: Whether that turn learns then.

    Returns:
        (B, T) of the type of `tool_mask`.

    Raises:
        BadInput: If the shapes do not match.
    """
    if tool_mask.ndim != 2 or used.shape != tool_mask.shape[:1]:
        what = f"A mask of shape {tuple(tool_mask.shape)} has no {tuple(used.shape)} rows."
        raise BadInput(what, "tool_mask", "Give a row for each rollout.")
    if train_tool_turn:
        return tool_mask
    first = tool_mask.long().cumprod(1).bool()
    return tool_mask.masked_fill(first & used.bool()[:, None], 0)
