"""What a vision-language model reads of a turn: its chat template, its marks, its pictures.

No text of a user can stand for a mark: one that holds `<image>` reads `< image>`. A model without
a chat template reads plain text: the picture, a line's end, the text, a line's end, the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.models.picture_processor import PictureProcessor
from tastemaker.models.vlm_rows import Asked, Picture, Rows, Said, padded_rows

_ANSWER = "zqx"  # stands for an answer where the end of one is looked for


class Prompts:
    """Turns to tokens and pictures, by the processor of a model.

    Args:
        processor: Of the model.
        ends: Tokens that end an answer by the model's own settings.
        most_tokens: That the model can read.
        where: The model, for messages.

    Raises:
        BadInput: If its template takes no picture, or no token ends an answer.
    """

    def __init__(
        self, processor: PictureProcessor, ends: Sequence[int], most_tokens: int, where: str
    ) -> None:
        self._processor, self._where, self._most = processor, where, most_tokens
        self._tokenizer = processor.tokenizer
        self._template: str | None = processor.chat_template or self._tokenizer.chat_template
        self.mark: str = processor.image_token
        """what stands for a picture, as often as it has features"""
        named = {*self._tokenizer.get_added_vocab(), *self._tokenizer.all_special_tokens, self.mark}
        marks = [mark for mark in named if len(mark) > 1 and mark.strip()]
        self._marks = sorted(marks, key=len, reverse=True)
        special = {*self._tokenizer.all_special_tokens, self.mark}
        self._special = [mark for mark in self._marks if mark in special]
        self._structured = bool(self._template) and self._takes_parts()
        end = self._answer_end()
        known = [*end, *ends, self._tokenizer.eos_token_id]
        self.ends = list(dict.fromkeys(int(one) for one in known if one is not None))
        """tokens that end an answer; the first is the one that is learned"""
        if not self.ends:
            fix = "Give a model whose tokenizer names one."
            raise BadInput("No token of the model ends an answer.", where, fix)
        pad = self._tokenizer.pad_token_id
        self.padding: int = self.ends[0] if pad is None else pad

    def rows(
        self, asked: Sequence[Asked], prompt_ends: bool, numbers: Sequence[int] | None = None
    ) -> Rows:
        """Rows of turns, padded on the right.

        Args:
            asked: Turns.
            prompt_ends: Whether the mark stands there after which the model answers.
            numbers: Their numbers, for messages; None: from 0 on.

        Raises:
            BadInput: If one is longer than the model reads, or the template refuses it.
        """
        prompts, answers, pictures = self.read(asked, prompt_ends, numbers=numbers)
        held = [int(one.picture is not None) for one in asked]
        return padded_rows(prompts, answers, pictures, held, self.padding)

    def read(
        self,
        asked: Sequence[Asked],
        prompt_ends: bool = True,
        room: int = 0,
        numbers: Sequence[int] | None = None,
    ) -> tuple[list[list[int]], list[list[int]], dict[str, Tensor]]:
        """Tokens of prompts, tokens of answers with their end, and pictures.

        Args:
            asked: Turns.
            prompt_ends: Whether the mark stands there after which the model answers.
            room: Tokens that are to be written behind each.
            numbers: Their numbers, for messages; None: from 0 on.

        Raises:
            BadInput: If one is longer than the model reads, or the template refuses it.
        """
        rows = numbers or range(len(asked))
        pictures, spans = self._pictures(asked, rows)
        waiting = iter(spans)
        texts = []
        for one in asked:
            span = "" if one.picture is None else next(waiting)
            texts.append(self._prompt(one, span, prompt_ends or bool(one.answer)))
        prompts = self._tokens(texts, special=not self._template)
        said = self._tokens([self.unmarked(one.answer) for one in asked], special=False)
        answers = [
            [*tokens, self.ends[0]] if one.answer else []
            for one, tokens in zip(asked, said, strict=True)
        ]
        prompts = [prompt or [self.ends[0]] for prompt in prompts]
        lengths = [len(p) + len(a) for p, a in zip(prompts, answers, strict=True)]
        self._refuse_long(lengths, room, rows)
        return prompts, answers, pictures

    def read_talks(
        self,
        talks: Sequence[Sequence[Said]],
        tools: Sequence[JsonObject] = (),
        room: int = 0,
    ) -> tuple[list[list[int]], dict[str, Tensor]]:
        """Tokens of conversations up to where the model goes on, and their pictures in order.

        Args:
            talks: Conversations of several turns, each with any number of pictures.
            tools: That the template tells of, each as a JSON schema of a function.
            room: Tokens that are to be written behind each.

        Raises:
            BadInput: If one is longer than the model reads, or the template refuses it.
        """
        shown = [one for talk in talks for said in talk for one in said.pictures]
        numbers = [row for row, talk in enumerate(talks) for said in talk for _ in said.pictures]
        pictures, spans = self._prepared(shown, numbers)
        waiting = iter(spans)
        texts = []
        for talk in talks:
            made = self._talk(talk, tools)
            pieces = made.split(self.mark)
            if len(pieces) - 1 != sum(len(said.pictures) for said in talk):
                what = "The chat template of the model leaves pictures out, or repeats them."
                raise BadInput(what, self._where, "Give a model whose template takes pictures.")
            texts.append(pieces[0] + "".join(next(waiting) + piece for piece in pieces[1:]))
        prompts = [row or [self.ends[0]] for row in self._tokens(texts, special=not self._template)]
        self._refuse_long([len(row) for row in prompts], room, range(len(talks)))
        return prompts, pictures

    def answer_tokens(self, answers: Sequence[str]) -> list[list[int]]:
        """What a model writes, calls of tools among it, with the mark of its end."""
        texts = [self.unmarked(one, self._special) for one in answers]
        return [[*tokens, self.ends[0]] for tokens in self._tokens(texts, special=False)]

    def tells_of(self, tool: JsonObject) -> bool:
        """Whether the template tells of a tool, and shows the pictures that it gives back."""
        blank = np.zeros((2, 2, 3), np.uint8)
        name = str(tool["function"]["name"])
        talk = [Said("user", "a"), Said("assistant", "b"), Said("tool", _ANSWER, (blank,))]
        try:
            made = self._talk(talk, [tool])
        except BadInput:
            return False
        return self._template is not None and all(
            (name in made, made.count(self.mark) == 1, _ANSWER in made)
        )

    def _talk(self, talk: Sequence[Said], tools: Sequence[JsonObject]) -> str:
        """Text of a conversation, a mark for each picture."""
        turns: list[dict[str, Any]] = []
        for said in talk:
            own = said.role == "assistant"
            text = self.unmarked(said.text, self._special if own else self._marks)
            turns.append({"role": said.role, "content": self._content(text, len(said.pictures))})
        if self._template is not None:
            return self._rendered(turns, True, list(tools) or None)
        lines = [turn["content"] for turn in turns]
        return "\n".join(lines) + "\n"

    def _refuse_long(self, lengths: Sequence[int], room: int, numbers: Sequence[int]) -> None:
        for row, length in zip(numbers, lengths, strict=True):
            if length + room > self._most:
                written = f" and {room:,} to be written" if room else ""
                what = f"Row {row} has {length:,} tokens{written}; the model takes {self._most:,}."
                fix = "Shorten the text or the answer, or use a model that reads more."
                raise BadInput(what, f"row {row}", fix)

    def _tokens(self, texts: list[str], special: bool) -> list[list[int]]:
        ids: list[list[int]] = self._tokenizer(
            texts, add_special_tokens=special, return_attention_mask=False, verbose=False
        )["input_ids"] if texts else []  # fmt: skip
        return ids

    def _prompt(self, one: Asked, span: str, prompt_ends: bool) -> str:
        """Text of a turn, the marks of its picture written out."""
        text, pictured = self.unmarked(one.text), one.picture is not None
        if self._template is None:
            lines = [*([self.mark] if pictured else []), *([text] if text else [])]
            made = "\n".join(lines) + ("\n" if prompt_ends else "")
        else:
            made = self._rendered([{"role": "user", "content": self._content(text, pictured)}],
                                  prompt_ends)  # fmt: skip
        if made.count(self.mark) != pictured:
            what = "The chat template of the model leaves pictures out, or repeats them."
            raise BadInput(what, self._where, "Give a model whose template takes pictures.")
        return made.replace(self.mark, span)

    def _content(self, text: str, pictured: int) -> Any:
        if self._structured:
            parts: list[dict[str, str]] = [{"type": "image"}] * pictured
            return [*parts, {"type": "text", "text": text}]
        return f"{self.mark}\n" * pictured + text

    def _rendered(self, turns: list[dict[str, Any]], prompt_ends: bool, tools: Any = None) -> str:
        try:
            made: str = self._tokenizer.apply_chat_template(
                turns, chat_template=self._template, tokenize=False,
                add_generation_prompt=prompt_ends, **({"tools": tools} if tools else {}),
            )  # fmt: skip
        except Exception as error:
            what = f"The chat template refuses a turn: {error!s:.200}"
            raise BadInput(what, self._where, "Give a model whose template takes users.") from error
        return made

    def _takes_parts(self) -> bool:
        """Whether the template knows pictures as parts of a turn; else the mark is written."""
        parts = [{"type": "image"}, {"type": "text", "text": "a"}]
        try:
            return self._rendered([{"role": "user", "content": parts}], True).count(self.mark) == 1
        except BadInput:
            return False

    def _answer_end(self) -> list[int]:
        """The mark that the template sets behind an answer, if it sets one."""
        if self._template is None:
            return []
        answer: Any = [{"type": "text", "text": _ANSWER}] if self._structured else _ANSWER
        turns = [{"role": "user", "content": self._content("a", False)},
                 {"role": "assistant", "content": answer}]  # fmt: skip
        try:
            behind = self._rendered(turns, False).rpartition(_ANSWER)[2].strip()
        except BadInput:
            return []
        tokens = self._tokens([behind], special=False)[0]
        marks = {self._tokenizer.convert_tokens_to_ids(mark) for mark in self._marks}
        return tokens[:1] if tokens and tokens[0] in marks else []

    def _pictures(
        self, asked: Sequence[Asked], numbers: Sequence[int]
    ) -> tuple[dict[str, Tensor], list[str]]:
        """Arguments of the model, and what stands in the text for each picture."""
        shown = [(n, one.picture) for n, one in zip(numbers, asked, strict=True)
                 if one.picture is not None]  # fmt: skip
        return self._prepared([one for _, one in shown], [row for row, _ in shown])

    def _prepared(
        self, pictures: Sequence[Picture], numbers: Sequence[int]
    ) -> tuple[dict[str, Tensor], list[str]]:
        """The same of pictures, each in the row of that number."""
        shown = list(zip(numbers, pictures, strict=True))
        for row, one in shown:
            if one.dtype != np.uint8 or one.ndim != 3 or one.shape[2] != 3 or not one.size:
                what = f"An array of shape {one.shape} of {one.dtype} is no picture."
                raise BadInput(what, f"row {row}", "Give (H, W, 3) bytes of RGB.")
        if not shown:
            return {}, []
        try:
            return self._processor.prepared(pictures)
        except (ValueError, TypeError, ArithmeticError) as error:
            what = f"The processor of the model refuses a picture: {error!s:.200}"
            where = ", ".join(f"row {row}" for row, _ in shown[:9])
            fix = "Give pictures of other sides, such as their middle squares."
            raise BadInput(what, where, fix) from error

    def unmarked(self, text: str, marks: Sequence[str] | None = None) -> str:
        """A text as it is read: with a space in each of what would be a mark."""
        text = text.encode(errors="replace").decode()  # no half surrogates
        for mark in self._marks if marks is None else marks:
            text = text.replace(mark, f"{mark[0]} {mark[1:]}")
        return text
