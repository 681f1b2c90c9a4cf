"""A sample comes back from its file as it was, whatever a model wrote."""

from pathlib import Path

import pytest

from tastemaker.data.replies import Reply
from tastemaker.errors import ArtefactError
from tastemaker.understand import samples
from tastemaker.understand.asked import Call, Judged, Written
from tastemaker.understand.extracted import Extracted
from tastemaker.understand.interests import Interest
from tastemaker.understand.samples import sample
from tastemaker.understand.specificity import LineUp
from tests.understand.gist_tasks import TASK

USER = next(TASK.users())
OWN = tuple(USER.items)[:2]
INTEREST = Interest(
    "Tea \ud800", (*OWN, "none"), 1, {"implicit_positive": 2}, {OWN[0]: "explicit_negative"}, "x"
)
WRITTEN = Written(
    Extracted((INTEREST,), 2, "part 2: too long", "hm"),
    (Call("extract", "abc", (Reply("[", "hm", 10, 5, False, 0.5, 0.01), Reply(error="no"))),),
)
JUDGED = Judged(((OWN[0],),), (None,), (LineUp(OWN, frozenset(OWN[:1])),), 3)


def test_a_sample_comes_back_as_it_was(tmp_path: Path) -> None:
    made = sample(USER, WRITTEN, [19], JUDGED, {5, 3}, "not read")
    samples.add(tmp_path, made)
    samples.add(tmp_path, samples.Sample("u1", 0, USER.kinds, excluded=True))
    again, other = samples.read(tmp_path)
    assert again == made
    assert other.excluded
    (one,) = again.interests
    assert (one.interest, one.shown) == (INTEREST, JUDGED.line_ups[0])
    assert (one.category, one.relevant, one.picks) == (19, OWN[:1], None)
    assert (again.known, again.failed, again.judged) == ((3, 5), False, True)


def test_of_the_history_the_cited_items_are_kept_and_count_as_before() -> None:
    made = sample(USER, WRITTEN, ["tea"], None, None)
    assert list(made.signals.items) == list(OWN)
    assert made.signals.counts(OWN).tolist() == USER.counts(OWN).tolist()
    assert (made.events, made.known, made.judged) == (len(USER.events), None, False)


def test_damage_is_told_by_its_line(tmp_path: Path) -> None:
    for _ in range(2):
        samples.add(tmp_path, sample(USER, WRITTEN, [19], JUDGED, None))
    with pytest.raises(ArtefactError, match=r"Line 2.*again"):
        samples.read(tmp_path)
    (tmp_path / samples.NAME).write_text('{"user": 5}\n')
    with pytest.raises(ArtefactError, match="Line 1"):
        samples.read(tmp_path)
