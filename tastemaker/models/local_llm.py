"""Replies by a language model on this machine: in batches, with its keys and values kept.

A reply depends on its question alone, not on the batch it stands in: prompts are padded on the
left and masked, and what is drawn at a temperature comes from noise of the question's own seed
(the largest of logits / temperature + Gumbel noise is a draw of their softmax). Sums of another
order differ by rounding, so of two tokens that are as good as equal another may be taken, in
bfloat16 more often than in float32.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tastemaker.data.replies import Reply, without_thinking
from tastemaker.errors import BadInput
from tastemaker.models.asking import Answers, Ask
from tastemaker.models.encode import within
from tastemaker.models.extras import quiet, transformers
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.json_grammar import Grammar, JsonRows, TokenGrammar
from tastemaker.models.library import writing_model
from tastemaker.models.packaged import locate

Precision = Literal["float32", "bfloat16"]
_PRECISIONS: dict[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class LocalLLM(Answers):
    """A causal model of transformers with a chat template; the seam `Generate`.

    Args:
        name: What `packaged.locate` takes: a packaged name, a folder, or a name in the hub cache.
        batch: Replies that are written together.
        device: Where torch computes, such as `cpu` or `cuda`.
        precision: Of weights and states.

    Raises:
        BadInput: If the model is not there, cannot be read, has no chat template, or an option is
            out of range.
        ArtefactError: If weights are missing from its files.
    """

    def __init__(
        self,
        name: str | Path = "smollm2",
        batch: int = 16,
        device: str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        folder = locate(name)
        if precision not in _PRECISIONS:
            fix = f"Give {' or '.join(_PRECISIONS)}."
            raise BadInput(f"No precision is called {precision!r}.", "precision", fix)
        within("batch", batch, 1, 2**16)
        opened = writing_model(folder, _PRECISIONS[precision])
        if not opened.tokenizer.chat_template:
            fix = "Give a model that was tuned for conversations."
            raise BadInput("The model has no chat template.", str(folder), fix)
        self._folder, self._tokenizer, self._most = folder, opened.tokenizer, opened.most_tokens
        self._model: Any = _on(opened.model, device)
        self._ends = _ends(self._model, self._tokenizer)
        self._model.generation_config = transformers().GenerationConfig()  # else it would decide
        self._device, self._batch = torch.device(device), batch
        self._grammar: TokenGrammar | None = None
        self._files = model_identity(folder)
        self._options = {"local": 1, "precision": precision}
        self.identity = identity_of(self._files, self._options)

    def shaped(self, rows: JsonRows) -> LocalLLM:
        """The same model, every reply of which is JSON of a shape.

        Raises:
            BadInput: If its tokenizer cannot write it.
        """
        other = copy(self)
        other._grammar = TokenGrammar(rows, self._token_texts())
        other.identity = identity_of(self._files, self._options | {"rows": asdict(rows)})
        return other

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        """Replies, shortest prompts first; equal questions at temperature 0 are computed once.

        Raises:
            BadInput: If the chat template refuses a conversation, or JSON needs more tokens.
        """
        least = 0 if self._grammar is None else self._grammar.least + 1
        same: dict[bytes, list[int]] = {}
        for number, ask in enumerate(asks):
            if ask.max_tokens < least:
                fix = f"Give {least} or more."
                raise BadInput(f"max_tokens = {ask.max_tokens}.", "max_tokens", fix)
            drawn = ask if ask.temperature else replace(ask, repeat=0, seed=0)
            same.setdefault(drawn.digest(""), []).append(number)
        prompts = {numbers[0]: self._prompt(asks[numbers[0]]) for numbers in same.values()}
        twins = {numbers[0]: numbers for numbers in same.values()}
        fitting = []
        for number, prompt in prompts.items():
            if len(prompt) + asks[number].max_tokens <= self._most:
                fitting.append(number)
                continue
            error = f"The prompt has {len(prompt):,} tokens, and with max_tokens = "
            error += f"{asks[number].max_tokens:,} more than the {self._most:,} of the model."
            for twin in twins[number]:
                yield twin, Reply(prompt_tokens=len(prompt), error=error, too_long=True)
        fitting.sort(key=lambda number: (asks[number].max_tokens, len(prompts[number])))
        for first in range(0, len(fitting), self._batch):
            rows = fitting[first : first + self._batch]
            replies = self._write([asks[row] for row in rows], [prompts[row] for row in rows])
            for row, reply in zip(rows, replies, strict=True):
                for twin in twins[row]:
                    yield twin, reply

    def _prompt(self, ask: Ask) -> list[int]:
        """Tokens of a conversation; no text in it can stand for a mark of the template."""
        marks = sorted(self._tokenizer.all_special_tokens, key=len, reverse=True)
        messages = [
            {"role": message["role"], "content": _unmarked(message["content"], marks)}
            for message in ask.conversation
        ]
        try:
            text = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
        except Exception as error:
            what = f"The chat template refuses a conversation: {error!s:.200}"
            fix = "Give the roles that the model knows, a user's message last."
            raise BadInput(what, str(self._folder), fix) from error
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    @torch.inference_mode()
    def _write(self, asks: Sequence[Ask], prompts: Sequence[Sequence[int]]) -> list[Reply]:
        """Replies of one batch."""
        begun, width = time.perf_counter(), max(map(len, prompts))
        padding = self._ends[0]
        padded = [[padding] * (width - len(prompt)) + list(prompt) for prompt in prompts]
        kept = [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        guide = _Guide(asks, self._grammar, self._ends, width)
        library, longest = transformers(), max(ask.max_tokens for ask in asks)
        options = library.GenerationConfig(
            do_sample=False, use_cache=True, max_new_tokens=longest, eos_token_id=self._ends,
            pad_token_id=padding,
        )  # fmt: skip
        with quiet():
            written: Tensor = self._model.generate(
                input_ids=torch.tensor(padded, device=self._device),
                attention_mask=torch.tensor(kept, device=self._device),
                generation_config=options,
                logits_processor=library.LogitsProcessorList([guide]),
            )
        seconds = (time.perf_counter() - begun) / len(asks)
        rows = written[:, width:].tolist()
        return [
            replace(self._reply(row, ask), prompt_tokens=len(prompt), seconds=seconds)
            for row, ask, prompt in zip(rows, asks, prompts, strict=True)
        ]

    def _reply(self, row: Sequence[int], ask: Ask) -> Reply:
        ends = [place for place, token in enumerate(row) if token in self._ends]
        made = list(row[: min([*ends, ask.max_tokens])])
        finished = bool(ends) and ends[0] <= ask.max_tokens
        raw: Any = self._tokenizer.decode(
            made, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        if self._grammar is None:
            text, thinking = without_thinking(raw)
            return Reply(text, thinking, tokens=len(made), finished=finished)
        grammar = self._grammar.grammar
        if grammar.steps(Grammar.start, raw) != Grammar.end:  # a tokenizer that joins with spaces
            raw = "".join(self._grammar.texts[token] for token in made)
        return Reply(raw, tokens=len(made), finished=finished)

    def _token_texts(self) -> list[str]:
        """(V,) what each token adds to a reply; nothing for marks and rows without a token."""
        size = int(self._model.get_output_embeddings().weight.shape[0])
        known, marks = len(self._tokenizer), set(self._tokenizer.all_special_ids) | set(self._ends)
        anchor = self._tokenizer("a", add_special_tokens=False)["input_ids"]
        before = self._tokenizer.decode(anchor)
        pairs = [[*anchor, token] for token in range(min(known, size))]
        joined = self._tokenizer.batch_decode(pairs, clean_up_tokenization_spaces=False)
        texts = ["" if t in marks else text[len(before) :] for t, text in enumerate(joined)]
        return texts + [""] * (size - len(texts))


class _Guide:
    """What changes the logits of a batch, so that the largest is the token to take."""

    def __init__(
        self, asks: Sequence[Ask], grammar: TokenGrammar | None, ends: Sequence[int], width: int
    ) -> None:
        self._asks, self._tokens, self._ends, self._width = asks, grammar, list(ends), width
        self._states = [Grammar.start] * len(asks)
        self._noise = [_noise_of(ask) for ask in asks]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """(B, V) float32 of (B, T) tokens and (B, V) logits."""
        step = input_ids.shape[1] - self._width
        guided = scores.float()
        for row, (ask, noise) in enumerate(zip(self._asks, self._noise, strict=True)):
            if ask.temperature:
                uniform = torch.rand(scores.shape[1], generator=noise, dtype=torch.float64)
                gumbel = -torch.log(-torch.log(uniform.clamp(1e-300, 1 - 1e-16)))
                drawn = guided[row] / ask.temperature + gumbel.float().to(scores.device)
                guided[row] = drawn
            if self._tokens is not None:
                if step and self._states[row] != Grammar.end:
                    text = self._tokens.texts[int(input_ids[row, -1])]
                    self._states[row] = self._tokens.grammar.steps(self._states[row], text)
                allowed = self._allowed(self._tokens, row, ask.max_tokens - step)
                guided[row].masked_fill_(~allowed.to(scores.device), -torch.inf)
        return guided

    def _allowed(self, tokens: TokenGrammar, row: int, left: int) -> Tensor:
        """(V,) bool: what may follow with so many tokens left, the one that ends counted."""
        if self._states[row] == Grammar.end:
            allowed = torch.zeros(len(tokens.texts), dtype=torch.bool)
            allowed[self._ends] = True
            return allowed
        return torch.from_numpy(tokens.costs(self._states[row]) <= left - 2)


def _on(model: nn.Module, device: str) -> nn.Module:
    return model.to(device)  # by torch's type: transformers says that a device is a model


def _noise_of(ask: Ask) -> torch.Generator:
    seed = int.from_bytes(hashlib.sha256(ask.digest("noise")).digest()[:8], "big") >> 1
    return torch.Generator().manual_seed(seed)


def _unmarked(content: str, marks: Sequence[str]) -> str:
    content = content.encode(errors="replace").decode()  # no half surrogates
    for mark in marks:
        if len(mark) > 1:
            content = content.replace(mark, f"{mark[0]} {mark[1:]}")
    return content


def _ends(model: Any, tokenizer: Any) -> list[int]:
    """Tokens that end a reply."""
    named = model.generation_config.eos_token_id
    ends = [*(named if isinstance(named, list) else [named]), tokenizer.eos_token_id]
    return list(dict.fromkeys(int(end) for end in ends if end is not None)) or [0]
