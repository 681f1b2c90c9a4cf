"""What is written or judged carries the questions that led to it."""

from tastemaker.data.replies import Reply
from tastemaker.understand.asked import Call, Judged, Written
from tastemaker.understand.extracted import Extracted


def test_who_asks_nothing_has_no_calls() -> None:
    call = Call("extract", "0" * 64, (Reply("[]"),))
    assert not Written(Extracted(())).calls and Written(Extracted(()), (call,)).calls == (call,)
    assert not Judged((), ()).calls
