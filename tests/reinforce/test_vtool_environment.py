import json

import numpy as np
import pytest

from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.vtool_environment import (
    VisualCode,
    environments,
    last_text,
    outcome_reward,
    question_rows,
)
from tastemaker.reinforce.vtool_rollout import RolloutOptions
from tests.reinforce.bench import BOXES, GOOD, PICTURE

KNOWN = {"boxes": box_fields(BOXES), "names": ["2010", "2011"]}
ROW = {"images": [PICTURE], "metadata": json.dumps(KNOWN), "answer": "12", "prompt": []}
EDITED = TOOLS["focus_on_columns_with_mask"](PICTURE, ["Team"], BOXES["columns"])


@pytest.fixture()
def room() -> VisualCode:
    made = environments(GrammarSandbox())()
    made.reset(**ROW)
    return made


def test_code_gives_the_edited_image_and_a_note(room: VisualCode) -> None:
    image, note = room.run_visual_code(GOOD)
    assert image["type"] == "image" and np.array_equal(image["image"], EDITED)
    assert note["type"] == "text" and "edited image" in note["text"]
    assert room.ran is not None and room.ran.image is image["image"]


@pytest.mark.parametrize("code", ["import os", "", None, 7])
def test_code_that_fails_gives_a_note(room: VisualCode, code: str) -> None:
    (note,) = room.run_visual_code(code)
    assert "failed" in note["text"] and room.ran is not None and room.ran.image is None


def test_code_runs_once_until_the_next_row(room: VisualCode) -> None:
    room.run_visual_code(GOOD)
    assert "once" in room.run_visual_code(GOOD)[0]["text"]
    room.reset(**ROW)
    assert room.ran is None and len(room.run_visual_code(GOOD)) == 2


def test_without_boxes_there_is_no_tool_and_on_charts_those_of_tables_if_asked() -> None:
    charts = json.dumps({"boxes": {"x_values": KNOWN["boxes"]["columns"]}})
    code = GOOD.replace("columns_bbox", "x_values_bbox")
    for metadata, options, parts in (
        ("{}", RolloutOptions(), 1),
        (charts, RolloutOptions(), 1),
        (charts, RolloutOptions(as_tables=True), 2),
    ):
        made = environments(GrammarSandbox(), options)()
        made.reset(**ROW | {"metadata": metadata})
        assert len(made.run_visual_code(code)) == parts


def test_the_reward_is_the_outcome_of_the_last_message() -> None:
    right = {"role": "assistant", "content": "FINAL ANSWER: 12. TERMINATE"}
    parts = {"role": "assistant", "content": [{"type": "text", "text": right["content"]}]}
    tool = {"role": "tool", "content": right["content"]}
    talks = [
        [right],
        [right, tool, parts],
        [right, tool],
        [],
        [{"role": "assistant"}],
        [right, tool, {"role": "assistant", "content": "FINAL ANSWER: 13. TERMINATE"}],
    ]
    columns = {"answer": ["12"] * 6, "metadata": [ROW["metadata"]] * 6}
    assert outcome_reward()(completions=talks, **columns, prompts=[]) == [1, 1, 0, 0, 0, 0]


def test_the_reward_goes_by_either_rule() -> None:
    said = [[{"role": "assistant", "content": "FINAL ANSWER: 2011. TERMINATE"}]]
    columns = {"completions": said, "answer": ["2010"], "metadata": [ROW["metadata"]]}
    assert outcome_reward("relaxed_pix2struct")(**columns) == [1]
    assert outcome_reward("relaxed_strict")(**columns) == [0]


def test_rows_hold_what_an_environment_reads() -> None:
    pytest.importorskip("datasets", reason="needs tastemaker[rl]")
    (row,) = question_rows([PictureQuestion("How many?", (PICTURE,), "12", KNOWN)])
    assert row["answer"] == "12" and "How many?" in row["prompt"][0]["content"]
    made = environments(GrammarSandbox())()
    made.reset(**row)
    assert np.array_equal(made.run_visual_code(GOOD)[0]["image"], EDITED)


def test_the_last_text_is_the_models_own() -> None:
    assert last_text([]) == "" and last_text([{"role": "assistant", "content": None}]) == ""
