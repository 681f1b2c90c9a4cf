"""Baselines name labels of items for any task, with categories or with texts alone."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.understand.baselines import BASELINES, Baseline, common, labels
from tastemaker.understand.evidence import check_evidence, together
from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_results import score
from tastemaker.understand.simulated import SMALL
from tastemaker.understand.taxonomy import Taxonomy
from tests.understand.gist_tasks import OPTIONS, TASK, TRUTH, WORLD

NAMES = {item: (SMALL.names[topic - 1],) for item, topic in WORLD.topics.items()}
KNOWN = replace(TASK, categories=NAMES)
USERS = list(TASK.users())


def test_counting_finds_and_proves_every_planted_interest(tmp_path: Path) -> None:
    results = score(run(KNOWN, Baseline("counting", KNOWN), TRUTH, tmp_path, OPTIONS))
    assert {results["scores"][name]["mean"] for name in ("ig_p", "ig_r", "is", "hm")} == {1}
    assert {cell["exact"]["mean"] for cell in results["counting"].values()} == {1}
    assert results["evidence"]["type_validity"]["mean"] == 1


def test_popularity_names_the_same_for_all_and_cites_what_each_likes_of_it() -> None:
    written = Baseline("popularity", KNOWN).write(USERS)
    named = {tuple(one.name for one in each.extracted.interests) for each in written}
    assert len(named) == 1
    for user, each in zip(USERS, written, strict=True):
        for one in each.extracted.interests:
            liked = [item for item in user.items if NAMES[item] == (one.name,)]
            assert set(one.cited) <= set(liked)
            assert all(any("positive" in kind for kind in user.items[item]) for item in one.cited)


def test_echo_cites_everything_for_everything() -> None:
    (written,) = Baseline("echo", KNOWN).write(USERS[:1])
    assert len(written.extracted.interests) == len(SMALL.names)
    assert {one.cited for one in written.extracted.interests} == {tuple(USERS[0].items)}


def test_without_categories_texts_have_those_of_the_taxonomy_by_words_of_their_own() -> None:
    names = ("Music & Guitar", "Music Theory", "Cats")
    texts = {"1": "#guitar and MUSIC", "2": "music theory for cats", "3": "bread"}
    found = labels(replace(TASK, texts=texts, taxonomy=Taxonomy(names)))
    assert found == {"1": names[:1], "2": names[1:], "3": ()}


def test_without_a_taxonomy_too_words_are_labels_and_fillers_are_none() -> None:
    bare = replace(TASK, taxonomy=None)
    known = labels(bare)
    held = Counter(word for words in known.values() for word in words)
    assert "rocket" in held
    assert "favourite" not in held
    assert common(bare, known)[0] in held
    counted = Baseline("counting", bare).write(USERS)
    pairs = zip(USERS, counted, strict=True)
    found = together([check_evidence(user, one.extracted.interests) for user, one in pairs])
    assert found.interests > 0
    assert (found.validity, found.overuse, found.compliance) == (1, 0, 1)


def test_an_item_of_many_categories_proves_two_at_most() -> None:
    many = {item: (name, f"{name} 2", f"{name} 3") for item, (name,) in NAMES.items()}
    task = replace(TASK, categories=many)
    written = Baseline("counting", task).write(USERS)
    pairs = zip(USERS, written, strict=True)
    found = together([check_evidence(user, one.extracted.interests) for user, one in pairs])
    assert found.interests == 2 * sum(map(len, WORLD.oracle.values()))
    assert found.overused == 0


def test_identities_tell_baselines_and_tasks_apart() -> None:
    made = [Baseline(name, task).identity for name in BASELINES for task in (TASK, KNOWN)]
    assert len(set(made)) == len(made)
    with pytest.raises(BadInput, match="counting"):
        Baseline("guess", TASK)
