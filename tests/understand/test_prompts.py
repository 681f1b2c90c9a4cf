"""Prompts: what each says, that data stay data, and that no word changes unnoticed."""

import hashlib
import json
from pathlib import Path

import pytest

from tastemaker.data.declaration import POLARITIES
from tastemaker.data.replies import Conversation
from tastemaker.models.asking import asks_of
from tastemaker.models.generate import tokens_of
from tastemaker.understand import prompts
from tastemaker.understand.groundedness import Thresholds
from tastemaker.understand.prompts import Wanted
from tastemaker.understand.taxonomy import Taxonomy

LINES = ["[1] explicit_positive - a", "[2] implicit_negative - b"]
FIELDS = ("interest", "item_ids", "evidence_excerpt", "brief_rationale")


def system(conversation: Conversation) -> str:
    return conversation[0]["content"]


def everything() -> list[Conversation]:
    wanted = [
        Wanted(thresholds=thresholds, counts=counts, flat=flat)
        for thresholds in (None, Thresholds())
        for counts in (True, False)
        for flat in (True, False)
    ]
    return [
        *(prompts.extract(LINES, one) for one in wanted),
        prompts.relevant("Tea", ["a", "b"], "films"),
        prompts.overlapping(["Tea", "Chess"], ["a", "b"]),
        prompts.pick("Tea", ["a", "b"], 1),
        prompts.categories(["Tea", "Chess"], Taxonomy(("Games", "Drinks"))),
    ]


def test_changed_prompts_have_a_new_version() -> None:
    """Where this fails: raise `prompts.VERSION`, then write the new hash here."""
    found = hashlib.sha256(json.dumps(everything()).encode()).hexdigest()[:16]
    assert (prompts.VERSION, found) == (1, "2f96ea4f9ec098cd")


def test_each_is_a_conversation_whose_data_stand_between_tags() -> None:
    asks_of(everything(), 1, 0.0, 1, 0)
    for conversation in everything():
        assert [message["role"] for message in conversation] == ["system", "user"]
        data = conversation[1]["content"].splitlines()
        assert data[0].startswith("<") and any(line.startswith("</") for line in data)
        tag = data[0][1:-1]
        assert f"<{tag}>" in system(conversation) and f"</{tag}>" in system(conversation)
        assert "instruction" in system(conversation)


@pytest.mark.parametrize("kinds", [POLARITIES, POLARITIES[:3], ("explicit_positive",)])
def test_requirements_stand_there_word_for_word_or_not_at_all(kinds: tuple[str, ...]) -> None:
    known = tuple(kind for kind in POLARITIES if kind in kinds)
    told = system(prompts.extract(LINES, Wanted(known, thresholds=Thresholds())))
    untold = system(prompts.extract(LINES, Wanted(known)))
    for requirement in Thresholds().requirements(known):
        assert requirement in told
        assert requirement not in untold
    assert "at least" not in untold
    for kind in POLARITIES:
        assert (kind in untold) == (kind in kinds)


def test_the_fields_are_asked_for() -> None:
    whole = system(prompts.extract(LINES, Wanted()))
    plain = system(prompts.extract(LINES, Wanted(counts=False)))
    flat = system(prompts.extract(LINES, Wanted(flat=True)))
    for name in FIELDS:
        assert all(f'"{name}"' in text for text in (whole, plain, flat))
    for name in ("counts", "item_types"):
        assert f'"{name}"' in whole and f'"{name}"' not in plain + flat
    for kind in POLARITIES:
        assert f'"{kind}": 0' in flat and f'"{kind}": 0' not in plain
    assert "2 to 5 words" in plain and plain.count("at most 50") == 2
    assert "at most 2 interests" in plain


@pytest.mark.parametrize("counts", [True, False])
def test_the_shape_has_the_fields_that_are_asked_for(counts: bool) -> None:
    wanted = Wanted(POLARITIES[:3], counts=counts, flat=True)
    example = json.loads(system(prompts.extract(LINES, wanted)).splitlines()[-1])
    names = [name for name, _ in wanted.rows().fields]
    assert list(example[0]) == names
    assert set(POLARITIES[:3]) <= set(names) or not counts


def test_history_and_items_are_shown() -> None:
    assert "\n".join(LINES) in prompts.extract(LINES, Wanted())[1]["content"]
    shown = prompts.relevant("Tea </interest>", ["one", "t\nwo"], "films")
    assert "0: one\n1: t wo\n" in shown[1]["content"]
    assert "Tea ‹/interest›" in shown[1]["content"]
    assert "films" in system(shown)
    assert "3" in system(prompts.pick("Tea", ["a"] * 9, 3))


def test_every_category_of_a_taxonomy_fits() -> None:
    names = tuple(f"Category of things, number {number} & more" for number in range(325))
    text = system(prompts.categories(["Tea", "Chess", "Ski"], Taxonomy(names)))
    assert text.count("\n") > 325 and all(f"\n{name}\n" in text for name in names)
    assert tokens_of(text) < 8_000


def test_the_released_taxonomy_fits(shared_data: Path) -> None:
    path = shared_data / "gistbench" / "categories.csv"
    if not path.is_file():
        pytest.skip("the released taxonomy is not here")
    conversation = prompts.categories(["Tea", "Chess", "Ski"], Taxonomy.open(path))
    assert sum(tokens_of(message["content"]) for message in conversation) < 2_500
