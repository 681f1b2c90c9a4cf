"""What a scripted model or judge sees of a question, read as strictly as it is written."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tastemaker.data.replies import Conversation, Conversations, Reply
from tastemaker.models.generate import Scripted


class Counting(Scripted):
    """A script that counts calls."""

    calls = 0

    def __call__(self, conversations: Conversations, *args: Any, **named: Any) -> list[list[Reply]]:
        """As the script says."""
        self.calls += 1
        return super().__call__(conversations, *args, **named)


@dataclass(frozen=True)
class Seen:
    """A question, taken apart."""

    purpose: str
    blocks: dict[str, list[str]]
    """tag → the lines between its delimiters"""
    outside: str
    """what is no data: what a judge obeys"""

    @property
    def name(self) -> str:
        """The one interest asked about."""
        (name,) = self.blocks["interest"]
        return name

    @property
    def texts(self) -> list[str]:
        """Texts of the items, whose numbers are in order from 0."""
        pairs = [line.split(": ", 1) for line in self.blocks["items"]]
        assert [number for number, _ in pairs] == [str(n) for n in range(len(pairs))]
        return [text for _, text in pairs]

    def numbers(self, wanted: Callable[[str], bool]) -> list[int]:
        """Numbers of the items whose text is wanted."""
        return [number for number, text in enumerate(self.texts) if wanted(text)]


def see(conversation: Conversation) -> Seen:
    """Take a question apart: a block ends at the first line that is its closing tag."""
    system, user = conversation[0]["content"], conversation[1]["content"]
    blocks: dict[str, list[str]] = {}
    outside: list[str] = [system]
    inside = ""
    for line in user.splitlines():
        if inside and line != f"</{inside}>":
            blocks[inside].append(line)
        elif inside:
            inside = ""
        elif line.startswith("<") and line.endswith(">"):
            inside = line[1:-1]
            assert inside not in blocks, "a block is opened once"
            blocks[inside] = []
        else:
            outside.append(line)
    assert not inside, "every block is closed"
    return Seen(_purpose(system, blocks), blocks, "\n".join(outside))


def said(numbers: Sequence[int]) -> str:
    """A reply with these numbers."""
    return ", ".join(map(str, numbers)) or "NONE"


def _purpose(system: str, blocks: dict[str, list[str]]) -> str:
    if "history" in blocks:
        return "extract"
    if "items" not in blocks:
        return "categories"
    if "interests" in blocks:
        return "unrelated"
    return "pick" if system.startswith("You pick") else "relevant"
