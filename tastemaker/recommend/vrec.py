"""VRec: a language model that thinks, has its thoughts checked, and recommends.

Paper: Verifiable Reasoning for LLM-based Generative Recommendation, arXiv 2603.07725; its first
stage is LatentR3, arXiv 2505.19092.

A prompt is a history, as semantic ids in one column an item (`vrec_code_language`) or as titles
(`vrec_title_language`). After N thoughts (`vrec_loop`), each checked (`vrec_verifiers`), the model
says the codes or the title of the next item, and can say nothing but an item's: it goes along a
trie.

    L = L_ce + β (L_v + γ L_mono)

It is trained in three stages: by L_ce without verifiers; by L_v, where they alone learn; by L.

Left out: the language model of 1.5 billion parameters; any on the machine can be named.
Checked: tests/recommend/test_vrec.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.data.prefix_batches import PrefixBatches, Prefixes
from tastemaker.data.queries import Queries
from tastemaker.files import save_tensors
from tastemaker.models.beam_search import Named, beam_search
from tastemaker.models.causal import Prompt, parts_of
from tastemaker.models.certain import certain_search
from tastemaker.models.full_ranking import Block, blocks_of, full_ranking
from tastemaker.models.trie import Trie
from tastemaker.nn.next_item import not_fewer
from tastemaker.recommend.vrec_explained import considered, explained
from tastemaker.recommend.vrec_groups import Known, known_of
from tastemaker.recommend.vrec_growth import grown_parts
from tastemaker.recommend.vrec_languages import Language, kept_language, language_of
from tastemaker.recommend.vrec_loop import Check, Reasoned, Reasoner
from tastemaker.recommend.vrec_losses import monotonic_loss, proxy_loss
from tastemaker.recommend.vrec_measures import facts_of, rows_of
from tastemaker.recommend.vrec_shape import VERIFIERS, VRecConfig
from tastemaker.recommend.vrec_verifiers import Labels
from tastemaker.seams import ReasoningFacts, Stage, Thought
from tastemaker.weights import WEIGHTS, filled

_ROWS = 32
"""Users whose histories are read at a time."""
_PREFIXES = 4
"""Rows of a step for each full history that a step of other models would have: each is the past of
one event here, and 128 of them are the paper's batch."""


class VRec(nn.Module):
    """The model; the seams `Learned`, `Staged`, `Paced` and `Reasoning`."""

    def __init__(self, config: VRecConfig, known: Known, language: Language) -> None:
        """A model with fresh weights."""
        super().__init__()
        self.config, self.known = config, known
        self.language, self.num_items = language, language.num_items
        self.labels = nn.ModuleList(Labels(*named) for named in known.groupings.items())
        classes = [grouping.num_groups for grouping in known.groupings.values()]
        constant = config.thinking == "constant"
        self.reasoner = Reasoner(language.dim, config.thoughts, classes, constant, config.newest)
        self._now = self.stages()[-1]
        self._answers: tuple[Trie, list[Block]] | None = None

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model with fresh weights, and the language and groups that it is made of.

        Raises:
            BadInput: If what they are made of is missing.
            ArtefactError: If weights are missing from the files of the language model.
        """
        known = known_of(config, ground)
        return cls(config, known, language_of(config, known, ground))

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it; neither texts nor training events are needed.

        Raises:
            ArtefactError: If the files are of another model or another catalogue, or damaged.
        """
        language = kept_language(config, ground.num_items, run)
        names = config.checks(texts=(run / VERIFIERS[1]).exists())
        groupings = {
            name: Grouping.open(run / file, "items", ground.num_items)
            for name, file in zip(names, VERIFIERS, strict=False)
        }
        known = Known(None, groupings)
        return filled(lambda: cls(config, known, language()), run / WEIGHTS, config.layers)

    def save(self, run: Path) -> None:
        """Write the weights, what else the language needs, and the groups."""
        save_tensors(run / WEIGHTS, self.state_dict())
        self.language.save(run)
        for grouping, file in zip(self.known.groupings.values(), VERIFIERS, strict=False):
            grouping.save(run / file)

    @torch.no_grad()
    def grown(self, ground: Ground) -> Self:
        """The same model for more items: their codes or titles, and the groups that they are in.

        Raises:
            ValueError: If there are fewer items than it knows.
            BadInput: If their codes or groups cannot be told.
            ArtefactError: If the language model that adapters belong to has changed.
        """
        not_fewer(self.num_items, ground)
        parts = grown_parts(self.config, self.known.groupings, self.language, ground)
        grown = type(self)(self.config, *parts)
        grown.reasoner.load_state_dict(self.reasoner.state_dict())
        grown.enter(self._now)
        return grown.to(self.language.begin.device).train(self.training)

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

    def parameter_groups(self) -> list[dict[str, Any]]:
        """What was trained before learns at `language_lr` of the rate of everything else."""
        slow = self.language.pretrained()
        known = {id(parameter) for parameter in slow}
        rest = [parameter for parameter in self.parameters() if id(parameter) not in known]
        paces = (rest, 1.0), (slow, self.config.language_lr)
        return [{"params": params, "share": share} for params, share in paces if params]

    def enter(self, stage: Stage) -> None:
        """Go over to a stage: in the first no thought is checked."""
        self._now = stage

    def batches(self, train: Contexts, rows: int, seed: int = 0) -> PrefixBatches:
        """Steps of `_PREFIXES` times as many events with their past as histories were asked for."""
        config, events = self.config, _PREFIXES * rows
        return PrefixBatches(train, config.history, events, seed, config.targets)

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
        """(B, I) log probability of every item; by beams of those that they find.

        All others then stand below, by the log probability of what each begins with, so that
        a user who has chosen what beams find is answered in full.
        """
        scores = []
        trie, blocks = self._catalogue()
        for prompt in self._prompts(contexts):
            if self.config.beams:
                beams = min(self.config.beams, self.num_items)
                certain = min(self.config.certain, beams)
                given = self.language.causal, trie, prompt, blocks
                named = certain_search(*given, beams, certain)
                said = self.language.causal.log_probs(prompt.state)
                scores.append(_spread(named, said[:, trie.first_tokens]))
            else:
                for part in parts_of(prompt, self.language.ranked):
                    scores.append(full_ranking(self.language.causal, trie, part, blocks, 0.0))
        return torch.cat(scores) if scores else self.language.begin.new_zeros(0, self.num_items)

    @torch.no_grad()
    def recommend(self, contexts: Contexts, k: int, beams: int) -> Named:
        """The k items that each row would most likely be answered with, as beams find them.

        Raises:
            BadInput: If there are fewer beams than items wanted.
        """
        trie, _ = self._catalogue()
        found = [
            beam_search(self.language.causal, trie, prompt, beams, k, 0.0)
            for prompt in self._prompts(contexts)
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

    @torch.no_grad()
    def reasoning_facts(self, queries: Queries, train: Contexts) -> ReasoningFacts:
        """How thoughts do where the next item is known, as the stage of training has them."""
        wanted = torch.from_numpy(queries.target_items[queries.target_offsets[:-1]]).long()
        rows = [
            rows_of(
                self.reason(self._read(queries.contexts, at)), self._said, wanted[at : at + _ROWS]
            )
            for at in range(0, len(queries), _ROWS)
        ]
        return facts_of(rows, self._said, train)

    @property
    def _said(self) -> list[Labels]:
        """(M,) what each verifier says."""
        return [cast(Labels, label) for label in self.labels]

    def _prompts(self, contexts: Contexts) -> Iterator[Prompt]:
        """Histories that were read and thought about, as many as are answered at a time."""
        for start in range(0, len(contexts), _ROWS):
            yield from parts_of(self.reason(self._read(contexts, start)).prompt, self.language.rows)

    def _read(self, contexts: Contexts, start: int) -> Batch:
        rows = contexts.slice(start, start + _ROWS)
        return last(rows, self.config.history).to(self.language.begin.device)

    def _catalogue(self) -> tuple[Trie, list[Block]]:
        """What may be said."""
        device = self.language.begin.device
        if self._answers is None or self._answers[0].tokens.device != device:
            trie = self.language.trie()
            self._answers = trie, blocks_of(trie, self.language.nodes)
        return self._answers


def _spread(named: Named, begun: Tensor) -> Tensor:
    """(B, I) scores of the items that were found, and below them all others by `begun`, (B, I)."""
    least = named.scores.masked_fill(named.items < 0, torch.inf).amin(1, keepdim=True)
    scores = F.pad(least - 1 + begun, (0, 1))
    return scores.scatter(1, named.items % scores.shape[1], named.scores)[:, :-1]
