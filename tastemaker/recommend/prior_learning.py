"""What heads learn in one step: each lesson from its members, and gates from what comes next.

How a target is weighed and who competes are equations of `prior_losses.py`; here they meet heads.
"""

from __future__ import annotations

import torch
from torch import Tensor

from tastemaker.nn.next_item import Competitors
from tastemaker.recommend.prior_batches import Lesson, PriorBatch
from tastemaker.recommend.prior_heads import PriorHeads, turned
from tastemaker.recommend.prior_losses import Members, group_softmax, share_loss, switch_loss


def lesson_loss(
    heads: PriorHeads,
    lesson: Lesson,
    members: Members,
    states: Tensor,
    competing: Competitors,
    weights: Tensor,
) -> Tensor:
    """The loss of the heads of one lesson.

    Args:
        heads: All heads.
        lesson: Which of them learn.
        members: Targets and the groups of the lesson's priors that they belong to.
        states: (B·N, D) of every position.
        competing: Targets of shape (B, N, P), and negatives (C+1, K) of groups and of all.
        weights: (R,) what each member counts.
    """
    codes, sizes, config = members.codes, [*lesson.sizes(heads.axes)], heads.config
    several = config.offsets > 1
    if lesson.horizon:
        codes = torch.cat([codes, heads.segments[members.offsets][:, None]], 1)
        sizes.append(config.segments)
        several = config.offsets > config.segments
    firsts, places = members.asked(codes, sizes, several)
    rows, codes = members.rows[firsts], codes[firsts]
    own = states.index_select(0, rows)
    axis = (*lesson.axes, len(heads.axes.listed))[0] if heads.additive else 0
    outputs = turned(heads.blocks(own, codes, axis), own)
    targets = competing.targets.flatten(0, 1)[members.rows, members.offsets]
    assert competing.negatives is not None
    rivals = torch.full_like(rows, len(competing.negatives) - 1)
    if heads.axes.items is not None and 0 in lesson.axes:
        rivals = codes[:, 0]
    table, negatives = competing.table, competing.negatives
    targets = torch.stack([places, targets], 1)
    return group_softmax(outputs, table, targets, rivals, negatives, weights)


def gates_loss(
    heads: PriorHeads, states: Tensor, ahead: Tensor, judged: list[Tensor], batch: PriorBatch
) -> Tensor:
    """The loss of what says which group comes next, and of the switch.

    Args:
        heads: All heads.
        states: (B·N, D) of every position.
        ahead: (B, N, P) item codes at each offset, 0 where there is none.
        judged: For each prior (B, N, P) the member that a target is judged by.
        batch: The step, of which these positions may be a part.
    """
    assert batch.offset_counts is not None
    config, taught = heads.config, heads.config.shares
    weights = heads.horizon / batch.offset_counts.clamp(min=1)
    held = torch.split(heads.prevalence, [axis.size for axis in heads.axes.listed])
    total = states.new_zeros(())
    for number, axis in enumerate(heads.axes.listed):
        logits = heads.gates.shares(number, states if taught else states.detach())
        missed = share_loss(logits, axis, ahead, judged[number], weights)
        total = total + (taught or 1.0) * missed
        if config.switch:
            on = heads.gates.switched(number, states)
            missed = switch_loss(on, axis, ahead, judged[number], held[number])
            total = total + config.switch * missed / max(1, batch.target_count)
    return total
