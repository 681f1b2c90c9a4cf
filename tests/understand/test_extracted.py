"""Replies: read whatever a model writes around its list, and bounded whatever it writes."""

import json
import time

import pytest

from tastemaker.understand.extracted import MAX_IDS, MAX_INTERESTS, extracted

ENTRY = {"interest": "Tea", "item_ids": ["1", "2"], "evidence_excerpt": "x", "brief_rationale": "y"}
LIST = json.dumps([ENTRY])


@pytest.mark.parametrize(
    "text",
    [
        LIST,
        f"Here you are:\n```json\n{LIST}\n```\nAnything else?",
        f"```\n{LIST}\n```",
        f"As [1] says, {{sure}}: {LIST} and [2]",
        json.dumps(ENTRY),
        json.dumps({"interests": [ENTRY]}),
        f"<think>maybe {json.dumps([{'interest': 'Wine'}])}</think>{LIST}",
        f'[{{"interest": "Wine"}}] no, wait </think> {LIST}',
        f"<Thinking>```[]```</Thinking>\n{LIST}",
        f"```python\nprint()\n```\n{LIST}",
        f"Voici les intérêts — 興味: {LIST}",
    ],
)
def test_what_stands_around_the_list_does_not_matter(text: str) -> None:
    (found,) = extracted(text).interests
    assert (found.name, found.cited, found.problem) == ("Tea", ("1", "2"), "")
    assert (found.excerpt, found.rationale) == ("x", "y")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I cannot do that.",
        "[1, 2, 3]",
        '[{"interest": "Tea',
        "{",
        "null",
        "<think>" + LIST,
    ],
)
def test_a_reply_without_interests_says_so(text: str) -> None:
    found = extracted(text)
    assert found.interests == ()
    assert found.problem


def test_an_empty_list_is_an_answer() -> None:
    for text in ("[]", "```json\n[ ]\n```", '{"interests": []}'):
        assert extracted(text).problem == ""
        assert extracted(text).interests == ()


def test_an_object_without_items_is_an_interest_and_no_empty_list() -> None:
    (found,) = extracted('{"interest": "Tea", "item_ids": []}').interests
    assert (found.name, found.cited, found.problem) == ("Tea", (), "")


def test_thinking_is_kept_apart() -> None:
    assert extracted(f"<think>hm</think>{LIST}").thinking == "hm"


def test_ids_are_texts() -> None:
    ids = [1, "2", " 2 ", 3.0, 1.5, True, None, {"id": 4}, "", [5]]
    (found,) = extracted(json.dumps([{"interest": "Tea", "item_ids": ids}])).interests
    assert (found.cited, found.unread) == (("1", "2", "3"), 6)
    (old,) = extracted(json.dumps([{"interest": "Tea", "item_ids": ids}]), "reference").interests
    assert (old.cited, old.unread) == (("2",), 8)


@pytest.mark.parametrize("ids", ["null", '"1"', "{}", "[null]", '[{"id": 1}]'])
def test_evidence_that_cannot_be_read_fails_its_interest_alone(ids: str) -> None:
    text = (
        f'[{{"interest": "Tea", "item_ids": {ids}}}, {json.dumps(ENTRY | {"interest": "Go"})}, 7]'
    )
    found = extracted(text)
    assert [bool(one.problem) for one in found.interests] == [True, False]
    assert (found.nameless, found.failed) == (1, 2)


def test_claims_are_whole_numbers_of_known_polarities() -> None:
    def read(**more: object) -> object:
        return extracted(json.dumps([ENTRY | more])).interests[0]

    told = read(counts={"explicit_positive": 2, "likes": 7})
    assert told == read(counts={"explicit_positive": 2, "implicit_positive": 0})
    for bad in ({"explicit_positive": "2"}, {"explicit_positive": -1}, [1], 10**30):
        assert read(counts=bad) == read()
    types = {"1": "explicit_positive", "2": "loved", "3": 4}
    assert read(item_types=types) == read(item_types={"1": "explicit_positive"})


def test_names_are_on_one_line_and_joined() -> None:
    text = json.dumps(
        [ENTRY, {"interest": "  tea\n", "item_ids": ["3"]}, {"interest": "x" * 10_000}]
    )
    found = extracted(text).interests
    assert found[0].cited == ("1", "2", "3")
    assert len(found[1].name) == 200
    (odd,) = extracted('[{"interest": "a\\u001b[2J\\nb", "item_ids": []}]').interests
    assert odd.name.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        "[" * 1_000_000,
        "{" * 1_000_000,
        '{"a":' * 200_000,
        "`" * 1_000_000,
        "```" + " " * 1_000_000,
        "<think>" * 200_000,
        "[" + " " * 1_000_000,
        "[ " * 500_000,
        '[{"interest": "Tea", "item_ids": [' + "9" * 1_000_000 + "]}]",
        '[{"interest": "' + "x" * 1_000_000,
        "\ud800\x00\udfff" * 100_000,
    ],
    ids=range(11),
)
def test_hostile_replies_take_no_time(text: str) -> None:
    start = time.process_time()
    assert extracted(text).interests == ()
    assert time.process_time() - start < 3


def test_huge_lists_are_cut() -> None:
    many = json.dumps([{"interest": f"x{n}", "item_ids": []} for n in range(2_000)])
    assert len(extracted(many).interests) == MAX_INTERESTS
    long = json.dumps([{"interest": "x", "item_ids": list(range(20_000))}])
    assert len(extracted(long).interests[0].cited) == MAX_IDS


def test_numbers_may_stand_in_the_interest_itself() -> None:
    flat = ENTRY | {"explicit_positive": 2, "implicit_negative": 1}
    (found,) = extracted(json.dumps([flat])).interests
    assert found.claimed is not None
    assert (found.claimed["explicit_positive"], found.claimed["implicit_negative"]) == (2, 1)
    assert found.claimed["implicit_positive"] == 0
    (plain,) = extracted(LIST).interests
    assert plain.claimed is None
    (wrong,) = extracted(json.dumps([flat | {"explicit_positive": "two"}])).interests
    assert wrong.claimed is None
