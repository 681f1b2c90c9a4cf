"""One page of a long list."""

from tastemaker.serve.web.paging import Paging


def test_pages_go_from_the_first_to_the_last() -> None:
    first, last = Paging(1, 10, 25), Paging(3, 10, 25)
    assert (first.first, first.end, first.before, first.after) == (0, 10, None, 2)
    assert (last.first, last.end, last.before, last.after) == (20, 25, 2, None)
    assert first.last == 3


def test_a_page_beyond_the_end_leads_back() -> None:
    beyond = Paging(99, 10, 25)
    assert (beyond.before, beyond.after) == (3, None)


def test_nothing_has_one_page() -> None:
    nothing = Paging(1, 10, 0)
    assert (nothing.last, nothing.end, nothing.before, nothing.after) == (1, 0, None, None)
