"""Prompts of visual tool use, and how what a model writes back is read.

A model thinks, acts at most once, and answers:

    THOUGHT 0: …
    ACTION 0: a fenced block of Python that ends in `display(…)`, or `No action needed.`
    ANSWER: …
    FINAL ANSWER: 12||15. TERMINATE
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tastemaker.data.boxes import Axis, Boxes
from tastemaker.inert import inert
from tastemaker.reinforce.sandbox import Ran
from tastemaker.reinforce.tools import TOOLS, Effect, Tool
from tastemaker.reinforce.workbench import DISPLAY, FIRST, boxes_name

MARK, END = "FINAL ANSWER:", "TERMINATE"
TOOL = "run_visual_code"
"""What a model calls that calls tools by its template."""
NO_ACTION = "No action needed."
_LAST = 20_000
"""Characters of what was written, from the end, in which an answer is looked for."""
_NAMES = 64
"""Names of an axis that are told."""
_LONGEST = 80
_BLOCK = re.compile(
    r"```[ \t]{0,9}(?:python|py)?[ \t]{0,9}\r?\n(.*?)```", re.DOTALL | re.IGNORECASE
)
_DOES: Mapping[Effect, str] = {
    "mask": "paints white all that is not named",
    "draw": "draws a red outline around what is named",
    "highlight": "lays transparent red over what is named",
}
_RULES = f"""\
Rules:
1. Write THOUGHT 0: and say what the question needs and whether a closer look would help.
2. Write ACTION 0: with one block of Python between ```python and ```, or "{NO_ACTION}"
3. The block may call the functions above and nothing else, and ends in {DISPLAY}(…).
4. You may act once. You are then shown the edited image and answer by it.
5. Answer with ANSWER: and a sentence, then {MARK} and the answer alone, then {END}
6. Part several answers by ||, as in {MARK} Chile||Peru. {END}"""


@dataclass(frozen=True)
class Turn:
    """What a model wrote in one turn."""

    code: str | None
    """the first fenced block; None: it does not act"""
    answer: str | None
    """the final answer; None: there is none"""


def tool_prompt(question: str, boxes: Mapping[Axis, Boxes]) -> str:
    """What a model is asked, with the tools that apply and the names, but no coordinate.

    Args:
        question: As it was asked.
        boxes: By axis; without any there are no tools to speak of.
    """
    asked = f"Look at {FIRST} and answer the question.\n\nQuestion: {inert(question)}"
    if not any(boxes.values()):
        end = f"Answer with {MARK} and the answer alone, then {END}"
        return f"{asked}\n\n{end}\nPart several answers by ||."
    axes = [axis for axis, some in boxes.items() if some]
    told = "\n".join(_signature(tool) for tool in TOOLS.values() if tool.axis in axes)
    names = "\n".join(f"{boxes_name(axis)} has {_listed(boxes[axis])}" for axis in axes)
    return (
        f"{asked}\n\nYou may edit the image to see better what matters, by these functions:\n"
        f"{told}\n- {DISPLAY}(image): shows you an image.\n\nThe boxes are known to the code:\n"
        f"{names}\n\n{_RULES}\n\n{_example(axes[0], boxes[axes[0]])}"
    )


def native_prompt(question: str, boxes: Mapping[Axis, Boxes]) -> str:
    """The same for a model that calls tools by its own template, where the tool tells of itself."""
    told = "".join(
        f"\n{tool.name}(image, names, {boxes_name(tool.axis)}) {_DOES[tool.effect]}."
        for tool in TOOLS.values()
        if boxes.get(tool.axis)
    )
    names = "".join(
        f"\n{boxes_name(axis)}: {_listed(some)}" for axis, some in boxes.items() if some
    )
    more = f"\nFocus functions:{told}\nNames:{names}" if names else ""
    return f"Question: {inert(question)}{more}\nEnd with {MARK} and the answer, then {END}"


def observed(ran: Ran) -> str:
    """What a model is told of its action."""
    if ran.image is None:
        return f"OBSERVATION 0: The action failed: {ran.error}\nAnswer without an action."
    shown = "Here is the edited image." if ran.edited else "The image is unchanged."
    return f"OBSERVATION 0: {' '.join((shown, *ran.notes[:3]))}\nAnswer now."


def parsed(text: str) -> Turn:
    """The action and the answer of a turn; an action may be a call by the model's template."""
    block = _BLOCK.search(text)
    code = block[1].rstrip() if block else _called(text)
    return Turn(code, final_answer(text))


def tool_call(code: str) -> str:
    """How a model that calls tools by its template runs a snippet."""
    said = json.dumps({"name": TOOL, "arguments": {"code": code}})
    return f"<tool_call>\n{said}\n</tool_call>"


def _called(text: str) -> str | None:
    """The code of the first call of the tool, whole or cut off behind its object."""
    _, begun, rest = text.partition("<tool_call>")
    try:
        said, _ = json.JSONDecoder().raw_decode(rest.lstrip()) if begun else (None, 0)
    except (ValueError, RecursionError):
        return None
    given = said.get("arguments") if isinstance(said, dict) and said.get("name") == TOOL else None
    code = given.get("code") if isinstance(given, dict) else None
    return code if isinstance(code, str) else None


def final_answer(text: str) -> str | None:
    """What stands behind the last mark, up to the end that was asked for.

    Where that end is missing, the answer is the rest of the line; without a mark there is none.
    """
    _, mark, said = text[-_LAST:].rpartition(MARK)
    if not mark:
        return None
    whole, end, _ = said.partition(END)
    answer = whole if end else said.lstrip("* \t\r\n").partition("\n")[0]
    answer = " ".join(inert(answer).split())
    return answer.strip("* ").removesuffix(".").rstrip("* ") or None  # it may be set in bold


def _signature(tool: Tool) -> str:
    call = f"{tool.name}(image, names, {boxes_name(tool.axis)})"
    return f"- {call}: {_DOES[tool.effect]}. Returns the edited image."


def _listed(names: Iterable[str]) -> str:
    known = [repr(inert(name)[:_LONGEST]) for name in names]
    more = f", and {len(known) - _NAMES} more" if len(known) > _NAMES else ""
    return f"[{', '.join(known[:_NAMES])}{more}]"


def _example(axis: Axis, boxes: Boxes) -> str:
    name = repr(inert(list(boxes)[-1])[:_LONGEST])
    code = f"image_2 = focus_on_{axis}_with_draw({FIRST}, [{name}], {boxes_name(axis)})"
    return (
        f"Example with an action:\nTHOUGHT 0: I must look at {name}.\nACTION 0:\n```python\n"
        f"{code}\n{DISPLAY}(image_2)\n```\n\nExample without:\nTHOUGHT 0: I see it at once.\n"
        f"ACTION 0: {NO_ACTION}\nANSWER: It is 12.\n{MARK} 12. {END}"
    )
