"""Whatever is drawn among what the grammar allows is JSON of the shape that was asked for."""

import json
import random
from dataclasses import replace

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.json_grammar import NEVER, Grammar, JsonRows, Kind, TokenGrammar

ROWS = JsonRows((("interest", "text"), ("item_ids", "texts"), ("count", "number")))
KINDS: dict[Kind, type] = {"text": str, "texts": list, "number": int}
TEXTS = [
    "",
    *map(chr, range(1, 127)),
    '":',
    '", "',
    '"interest"',
    "[]",
    "é",
    '\\"',
    "}]",
    "ab",
    "\n",
]


def accepted(text: str, rows: JsonRows = ROWS) -> bool:
    grammar = Grammar(rows)
    return grammar.steps(grammar.start, text) == grammar.end


def check(text: str, rows: JsonRows = ROWS) -> None:
    for row in json.loads(text):
        assert list(row) == [name for name, _ in rows.fields]
        for name, kind in rows.fields:
            assert type(row[name]) is KINDS[kind]
        assert all(isinstance(one, str) for one in row["item_ids"])


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '[{"interest":"jazz","item_ids":["1", "2"],"count":2}]',
        '[{"interest": "", "item_ids": [], "count": 0}, '
        '{"interest":"é\\n\\"","item_ids":["a"],"count":-71}]',
    ],
)
def test_json_of_the_shape_is_read(text: str) -> None:
    assert accepted(text)
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "{}", "[] ", "[{}]", '[{"interest":"a"}]', '[{"count":1}]',
        '[{"interest":"a","item_ids":[1],"count":2}]',
        '[{"interest":"a","item_ids":["1",],"count":2}]',
        '[{"interest":"a","item_ids":[],"count":02}]',
        '[{"interest":"a","item_ids":[],"count":1.5}]',
        '[{"interest":"a\n","item_ids":[],"count":1}]',
        '[{"interest":"\\x","item_ids":[],"count":1}]',
        '[{"interest":"\\ud800","item_ids":[],"count":1}]',
        '[{"interest":"a","item_ids":[],"count":-}]',
        '[{"interest":"a","item_ids":[],"count":1},]',
    ],
)  # fmt: skip
def test_anything_else_is_not(text: str) -> None:
    assert not accepted(text)


@pytest.mark.parametrize(
    ("most", "empty"), [(2, True), (3, True), (60, True), (200, True), (60, False), (200, False)]
)
def test_whatever_is_drawn_parses_within_its_tokens(most: int, empty: bool) -> None:
    tokens, lengths = TokenGrammar(replace(ROWS, empty=empty), TEXTS), set()
    draw = random.Random(most)
    for _ in range(60):
        state, text, left = Grammar.start, "", most
        while state != Grammar.end:
            costs = tokens.costs(state)
            token = draw.choice([t for t, cost in enumerate(costs) if cost <= left - 1])
            text, left = text + TEXTS[token], left - 1
            state = tokens.grammar.steps(state, TEXTS[token])
        check(text)
        lengths.add(len(json.loads(text)))
    assert (0 in lengths) == empty and (len(lengths) > 1) == (most > 20 and empty or most > 60)


def test_the_least_is_an_empty_array_and_no_token_is_allowed_that_leads_nowhere() -> None:
    tokens = TokenGrammar(ROWS, TEXTS)
    assert tokens.least == 2
    for state, closing in enumerate(tokens.grammar.closing):
        assert closing < NEVER
        costs = tokens.costs(state)
        for token, text in enumerate(TEXTS):
            following = tokens.grammar.steps(state, text) if text else -1
            assert costs[token] == (NEVER if following < 0 else tokens.grammar.closing[following])


@pytest.mark.parametrize("names", [(), ("a", "a"), ('a"b',), ("é",)])
def test_fields_that_cannot_be_written_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        Grammar(JsonRows(tuple((name, "text") for name in names)))


def test_a_vocabulary_without_a_needed_character_is_refused() -> None:
    with pytest.raises(BadInput, match="'{'"):
        TokenGrammar(ROWS, [text for text in TEXTS if text != "{"])


def test_the_same_shape_is_said_to_endpoints() -> None:
    schema = ROWS.schema()
    assert schema["items"]["required"] == ["interest", "item_ids", "count"]
    assert schema["items"]["properties"]["item_ids"]["items"] == {"type": "string"}
    assert replace(ROWS, empty=False).schema() == schema | {"minItems": 1}
