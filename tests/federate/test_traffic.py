from dataclasses import replace

import torch

from tastemaker.federate.traffic import Traffic, sent, size
from tastemaker.seams import Broadcast, Reply

WEIGHTS = {"a": torch.zeros(3, 4), "b": torch.zeros(2, dtype=torch.int64)}


def test_what_a_client_is_sent() -> None:
    assert sent(Broadcast(1, WEIGHTS)) == 48 + 16
    assert sent(Broadcast(1, WEIGHTS, (0.5,) * 10, {"a": torch.zeros(3)})) == 64 + 40 + 12


def test_all_that_comes_is_counted_and_passed_on() -> None:
    reply = Reply(
        "a", 1, WEIGHTS, 2, {"a": torch.zeros(3, dtype=torch.int64)}, {"a": torch.ones(1)}
    )
    traffic = Traffic()
    wrong = replace(reply, weights={"a": "none"}, seen={}, control={})  # type: ignore[dict-item]
    assert list(traffic.counted([reply, wrong])) == [reply, wrong]
    assert traffic.bytes == 64 + 24 + 4


def test_what_is_no_tensor_has_no_size() -> None:
    assert size({"a": 3}) == size(None) == 0
