"""Rows of other processes are constants; shares of a whole loss add up to it."""

import torch
import torch.distributed

from tastemaker.embed.gathering import counted_once, everyone, one_share


def test_alone_nothing_is_gathered():
    mine = torch.ones(3, 2, requires_grad=True)
    assert everyone(mine, (3,), 0) is mine


def test_rows_of_others_stand_in_their_places_without_a_gradient(monkeypatch):
    mine = torch.full((2, 2), 5.0, requires_grad=True)

    def gather(outs, padded):
        assert padded.shape == (3, 2) and not padded.requires_grad
        for number, out in enumerate(outs):
            out[:] = number

    monkeypatch.setattr(torch.distributed, "all_gather", gather)
    rows = everyone(mine, (3, 2, 1), 1)
    assert rows[:, 0].tolist() == [0, 0, 0, 5, 5, 2]
    rows.sum().backward()
    assert torch.equal(mine.grad, torch.ones(2, 2))


def test_a_share_has_a_part_of_the_value_and_all_of_the_gradient():
    weight = torch.tensor(3.0, requires_grad=True)
    share = one_share(weight**2, 4)
    share.backward()
    assert float(share.detach()) == 2.25 and float(weight.grad) == 6
    assert one_share(weight, 1) is weight


def test_a_parameter_that_all_read_is_counted_once():
    weight = torch.tensor(3.0, requires_grad=True)
    for _ in range(4):
        value = counted_once(weight, 4)
        assert float(value.detach()) == 3
        (2 * value).backward()
    assert float(weight.grad) == 2
