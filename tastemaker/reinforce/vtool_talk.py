"""A small vision-language model that talks in few tokens, for the lean loop.

What every call and answer begins and ends with is one token each, so a turn has three or four; the
text that they stand for is what a large model would write, and goes through the same parser,
sandbox and checker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tastemaker.models.vlm import VisionModel
from tastemaker.reinforce.vtool_lean import Spoken
from tastemaker.reinforce.vtool_rollout import Conversation

_SHUT = -1e9


@dataclass(frozen=True, eq=False)
class _Given:
    """B conversations as the model reads them."""

    tokens: Tensor
    """(B, L), padded on the left"""
    mask: Tensor
    """(B, L)"""
    pixels: Tensor
    """(P, 3, S, S) of their pictures, in order"""


class ShortTalk:
    """A policy of the lean loop: a model of this machine, which learns in place.

    Args:
        model: A tiny one, as `tiny_vision_model` makes them, whose pictures are as large as its
            tower takes them.
        phrases: Texts that become one token each.
        most_tokens: Of a turn; one that is longer stays without an end.
    """

    def __init__(self, model: VisionModel, phrases: Sequence[str], most_tokens: int = 5) -> None:
        self.model, self.most_tokens = model, most_tokens
        self.tokenizer: Any = model.processor.tokenizer
        if self.tokenizer.add_tokens(list(phrases)):
            model.model.resize_token_embeddings(len(self.tokenizer), mean_resizing=False)
        self._end, self._padding = model.prompts.ends[0], model.prompts.padding
        self._marks = model.processor.image_token * model.image_tokens
        shut = torch.zeros(len(self.tokenizer), dtype=torch.bool)
        shut[list(set(self.tokenizer.all_special_ids) - {self._end})] = True
        self._shut = shut  # marks are never written: one of a picture would want a picture

    def parameters(self) -> Iterator[nn.Parameter]:
        """What is learnt."""
        return self.model.parameters()

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Tokens of texts, without an end."""
        rows: list[list[int]] = self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
        return rows

    def speak(
        self,
        talks: Sequence[Conversation],
        draw: torch.Generator | None,
        first: Tensor | None = None,
    ) -> Spoken:
        """Write the next turn of each conversation.

        Args:
            talks: B conversations.
            draw: What tokens are drawn by, at temperature 1; None: the likeliest are taken.
            first: (B, V) bool, what a turn may begin with; None: with anything.
        """
        given = self._given(talks)
        written, going = [], torch.ones_like(given.mask[:, 0], dtype=torch.bool)
        with torch.inference_mode():
            logits, held, mask = *self._begin(given), given.mask
            for place in range(self.most_tokens):
                if first is not None and not place:
                    logits = logits.masked_fill(~first.to(logits.device), _SHUT)
                token = _drawn(logits, draw).masked_fill(~going, self._padding)
                written.append(token)
                going = going & (token != self._end)
                if not going.any():
                    break
                mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
                out = self.model.model.model(
                    input_ids=token[:, None], attention_mask=mask, past_key_values=held,
                    use_cache=True,
                )  # fmt: skip
                logits, held = self._logits(out.last_hidden_state[:, -1]), out.past_key_values
        tokens = torch.stack(written, 1).clone()
        wrote = torch.cat([tokens.new_zeros(len(tokens), 1), tokens == self._end], 1)[:, :-1]
        mine = wrote.cumsum(1) == 0
        texts = self.tokenizer.batch_decode(
            [row[keep & (row != self._end)] for row, keep in zip(tokens, mine, strict=True)],
            skip_special_tokens=True, clean_up_tokenization_spaces=False,
        )  # fmt: skip
        return Spoken(texts, tokens, mine.long(), given)

    def taught(self, talks: Sequence[Conversation], texts: Sequence[str]) -> Spoken:
        """Turns that it did not write itself, to learn from."""
        rows = [[*row, self._end] for row in self.tokens(texts)]
        width = max(map(len, rows))
        device = self.model.device
        padded = [row + [self._padding] * (width - len(row)) for row in rows]
        tokens = torch.tensor(padded, device=device)
        mask = (torch.arange(width) < torch.tensor([[len(row)] for row in rows])).long()
        return Spoken(texts, tokens, mask.to(device), self._given(talks))

    def read(self, said: Spoken) -> tuple[Tensor, Tensor]:
        """(B, T) log probabilities of the tokens and entropies where they stand."""
        given, width = said.given, said.tokens.shape[1]
        out = self.model.model.model(
            input_ids=torch.cat([given.tokens, said.tokens], 1),
            attention_mask=torch.cat([given.mask, said.mask], 1),
            pixel_values=given.pixels, use_cache=False,
        )  # fmt: skip
        chances = self._logits(out.last_hidden_state[:, -width - 1 : -1]).log_softmax(-1)
        entropy = -(chances.exp() * chances).sum(-1)
        return chances.gather(2, said.tokens[:, :, None])[:, :, 0], entropy

    def lesson(self, said: Spoken) -> Tensor:
        """Cross entropy of turns, a token."""
        log_probabilities, _ = self.read(said)
        loss: Tensor = -(log_probabilities * said.mask).sum() / said.mask.sum()
        return loss

    def _given(self, talks: Sequence[Conversation]) -> _Given:
        texts, pictures = [], []
        for talk in talks:
            parts = [
                f"<|{one.role}|>{self._marks * len(one.images)}{one.text}<|end|>" for one in talk
            ]
            texts.append("".join([*parts, "<|assistant|>"]))
            pictures += [np.asarray(image, np.uint8) for one in talk for image in one.images]
        rows = self.tokens(texts)
        width = max(map(len, rows))
        device = self.model.device
        padded = [[self._padding] * (width - len(row)) + row for row in rows]
        begins = torch.tensor([[width - len(row)] for row in rows])
        mask = (torch.arange(width) >= begins).long()
        pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).to(device)
        tokens = torch.tensor(padded, device=device)
        return _Given(tokens, mask.to(device), pixels.float() / 127.5 - 1)

    def _begin(self, given: _Given) -> tuple[Tensor, Any]:
        out = self.model.model.model(
            input_ids=given.tokens, attention_mask=given.mask, pixel_values=given.pixels,
            use_cache=True,
        )  # fmt: skip
        return self._logits(out.last_hidden_state[:, -1]), out.past_key_values

    def _logits(self, states: Tensor) -> Tensor:
        logits: Tensor = self.model.model.get_output_embeddings()(states)
        return logits.float().masked_fill(self._shut.to(logits.device), _SHUT)


def _drawn(logits: Tensor, draw: torch.Generator | None) -> Tensor:
    """(B,) tokens of (B, V) logits."""
    if draw is None:
        return logits.argmax(1)
    chances = functional.softmax(logits, 1).to(draw.device)
    return torch.multinomial(chances, 1, generator=draw)[:, 0].to(logits.device)
