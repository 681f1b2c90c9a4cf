from tastemaker.seams import Broadcast, Reply


def test_what_a_method_does_not_ask_for_is_not_sent() -> None:
    broadcast = Broadcast(1, {})
    assert broadcast.credibility == () and not broadcast.control


def test_a_reply_is_never_shared_with_another() -> None:
    first, second = Reply("a", 1, {}, 2), Reply("b", 1, {}, 2)
    assert first.seen is not second.seen and first != second
