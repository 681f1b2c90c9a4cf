"""VRec: a language model over semantic ids that thinks, has its thoughts checked, and recommends.

Paper: Verifiable Reasoning for LLM-based Generative Recommendation, arXiv 2603.07725; its first
stage is LatentR3, arXiv 2505.19092.

A prompt is a history, one column an item (`vrec_language`). After N thoughts (`vrec_loop`), each
checked (`vrec_verifiers`), the model says the codes of the next item, and can say nothing but an
item's: it goes along a trie.

    L = L_ce + β (L_v + γ L_mono)

It is trained in three stages: by L_ce without verifiers; by L_v, where they alone learn; by L.

Left out: the language model of 1.5 billion parameters; this one is fresh and reads codes.
Checked: tests/recommend/test_vrec.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import torch
from torch import Tensor, nn

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.prefix_batches import PrefixBatches, Prefixes
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.files import save_tensors
from tastemaker.models.beam_search import Named, beam_search
from tastemaker.models.full_ranking import Block, blocks_of, full_ranking
from tastemaker.models.trie import Trie
from tastemaker.recommend.vrec_explained import considered, explained
from tastemaker.recommend.vrec_groups import Known, known_of
from tastemaker.recommend.vrec_language import CodeLanguage
from tastemaker.recommend.vrec_loop import Check, Reasoned, Reasoner
from tastemaker.recommend.vrec_losses import monotonic_loss, proxy_loss
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.recommend.vrec_verifiers import Labels
from tastemaker.seams import Stage, Thought
from tastemaker.weights import WEIGHTS, filled

IDS = "semantic-ids.arrow"
"""File of a run that its semantic ids stand in."""
_ROWS = 32
"""Users that are answered at a time."""


class VRec(nn.Module):
    """The model; the seams `Learned`, `Staged` and `Reasoning`."""

    def __init__(self, config: VRecConfig, known: Known) -> None:
        """A model with fresh weights."""
        super().__init__()
        self.config, self.known = config, known
        self.num_items, dim = known.ids.num_items, config.dim
        self.language = CodeLanguage(config, known.ids)
        verifiers = config.verifiers if config.thoughts else ()
        self.labels = nn.ModuleList(Labels(name, known.groupings[name]) for name in verifiers)
        classes = [known.groupings[name].num_groups for name in verifiers]
        constant = config.thinking == "constant"
        self.reasoner = Reasoner(dim, config.thoughts, classes, constant, config.newest)
        self._now = self.stages()[-1]
        self._answers: tuple[Trie, list[Block]] | None = None

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights, and the ids and groups that it is made of.

        Raises:
            BadInput: If what they are made of is missing.
        """
        return cls(config, known_of(config, ground))

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it; neither texts nor training events are needed.

        Raises:
            ArtefactError: If the files are of another model or another catalogue, or damaged.
        """
        ids = SemanticIds.open(run / IDS, ground.num_items)
        groupings = {
            name: Grouping.open(_file_of(number, run), "items", ground.num_items)
            for number, name in enumerate(config.verifiers)
        }
        known = Known(ids, groupings)
        return filled(lambda: cls(config, known), run / WEIGHTS, config.layers)

    def save(self, run: Path) -> None:
        """Write the weights, the semantic ids and the groups."""
        save_tensors(run / WEIGHTS, self.state_dict())
        self.known.ids.save(run / IDS)
        for number, name in enumerate(self.config.verifiers):
            self.known.groupings[name].save(_file_of(number, run))

    def stages(self) -> Sequence[Stage]:
        """Reason, verify, both; without verifiers the last is as long, so that models compare."""
        config = self.config
        thinks = tuple(
            f"reasoner.{name}"
            for name, part in (("think", self.reasoner.think), ("pauses", self.reasoner.pauses))
            if part is not None
        )
        joint = {"epochs": config.joint_epochs, "lr": config.joint_lr}
        first = Stage("reason", ("language", *thinks), loss="answer")
        if self.reasoner.verifiers is None:
            return (first, Stage("joint", ("",), joint, "answer"))
        alone = {"epochs": config.verify_epochs, "lr": config.verify_lr}
        return (
            first,
            Stage("verify", ("reasoner.verifiers",), alone, "proxy", "last"),
            Stage("joint", ("",), joint, "joint"),
        )

    def enter(self, stage: Stage) -> None:
        """Go over to a stage: in the first no thought is checked."""
        self._now = stage

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PrefixBatches:
        """Steps of `rows` events with their past."""
        return PrefixBatches(train, self.config.history, rows, seed)

    def reason(self, batch: Batch) -> Reasoned:
        """Read B histories and think about them."""
        x, valid = self.language.prompt(batch)
        config = self.config
        check = Check(self._now.loss != "answer", config.feedback, config.prototypes)
        reasoned: Reasoned = self.reasoner(self.language.body, x, valid, self.language.slot, check)
        return reasoned

    def forward(self, step: Prefixes) -> Tensor:
        """`loss`, so that wrappers of `forward` (DDP, autocast) see it."""
        return self.loss(step)

    def loss(self, step: Prefixes) -> Tensor:
        """This part's share of the loss of the stage.

        What entropies may not do is judged over the rows of a part, and weighed by their share.
        """
        answers, reasoned = step.answers, self.reason(step)
        total = step.items.new_zeros((), dtype=torch.float32)
        if self._now.loss != "proxy":
            total = (
                total
                + self.language.answer_loss(reasoned.prompt, answers).sum() / step.target_count
            )
        if self._now.loss == "answer":
            return total
        proxy = proxy_loss(reasoned.verdicts, self._said, answers).sum() / step.target_count
        if self._now.loss == "proxy":
            return total + proxy
        share = (answers > 0).sum() / step.target_count
        rises = monotonic_loss([verdict.entropies for verdict in reasoned.verdicts])
        return total + self.config.beta * (proxy + self.config.gamma * share * rises)

    @torch.no_grad()
    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) log probability of every item; −inf for those that beams did not find."""
        scores = []
        trie, blocks = self._catalogue()
        for start in range(0, len(contexts), _ROWS):
            prompt = self.reason(self._read(contexts, start)).prompt
            if self.config.beams:
                beams = min(self.config.beams, self.num_items)
                named = beam_search(self.language.causal, trie, prompt, beams, beams, 0.0)
                scores.append(_spread(named, self.num_items))
            else:
                scores.append(full_ranking(self.language.causal, trie, prompt, blocks, 0.0))
        return torch.cat(scores) if scores else self.language.begin.new_zeros(0, self.num_items)

    @torch.no_grad()
    def recommend(self, contexts: Contexts, k: int, beams: int) -> Named:
        """The k items that each row would most likely be answered with, as beams find them.

        Raises:
            BadInput: If there are fewer beams than items wanted.
        """
        trie, _ = self._catalogue()
        found = [
            beam_search(
                self.language.causal,
                trie,
                self.reason(self._read(contexts, at)).prompt,
                beams,
                k,
                0.0,
            )
            for at in range(0, len(contexts), _ROWS)
        ]
        return Named(*(torch.cat(part) for part in zip(*found, strict=True)))

    @property
    def thinks(self) -> bool:
        """Whether there is a thought at all."""
        return self.config.thoughts > 0

    @torch.no_grad()
    def thoughts(self, contexts: Contexts) -> list[tuple[Thought, ...]]:
        """The thoughts about each row, in their order."""
        parts = (
            explained(self.reason(self._read(contexts, at)), self._said)
            for at in range(0, len(contexts), _ROWS)
        )
        return [of_row for part in parts for of_row in part]

    @torch.no_grad()
    def considered(self, contexts: Contexts, items: Tensor) -> list[list[Mapping[str, float]]]:
        """How likely the last thought makes the groups of some items, by name."""
        parts = (
            considered(self.reason(self._read(contexts, at)), self._said, items[at : at + _ROWS])
            for at in range(0, len(contexts), _ROWS)
        )
        return [of_row for part in parts for of_row in part]

    @property
    def _said(self) -> list[Labels]:
        """(M,) what each verifier says."""
        return [cast(Labels, label) for label in self.labels]

    def _read(self, contexts: Contexts, start: int) -> Batch:
        rows = contexts.slice(start, start + _ROWS)
        return last(rows, self.config.history).to(self.language.begin.device)

    def _catalogue(self) -> tuple[Trie, list[Block]]:
        """What may be said."""
        device = self.language.begin.device
        if self._answers is None or self._answers[0].tokens.device != device:
            trie = self.language.trie()
            self._answers = trie, blocks_of(trie)
        return self._answers


def _file_of(number: int, run: Path) -> Path:
    """File of the groups that a verifier says."""
    return run / f"verifier-{number}.arrow"


def _spread(named: Named, num_items: int) -> Tensor:
    """(B, I) scores of the items that were found, −inf for all others."""
    scores = named.scores.new_full((len(named.scores), num_items + 1), -torch.inf)
    return scores.scatter(1, named.items % (num_items + 1), named.scores)[:, :-1]
