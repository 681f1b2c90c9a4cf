"""A catalogue with pictures to a model that finds and tells: measured before and after.

The folder is an artefact once `manifest.json` stands in it: until then it holds `config.json`, what
was measured before, and checkpoints, from which `resume` goes on.
"""

from __future__ import annotations

import shutil
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from tastemaker import artifacts, files
from tastemaker.config import environment, seed_everything, to_json
from tastemaker.data.item_pictures import TEST, TRAIN, VALIDATION
from tastemaker.data.picture_rows import read_item_pictures
from tastemaker.embed.cafe import CAFe
from tastemaker.embed.pair_batches import PairBatches
from tastemaker.files import JsonObject
from tastemaker.models.packaged import within_run
from tastemaker.models.picture_files import looked_at, small_jpeg
from tastemaker.models.tiny_vlm import tiny_vision_model
from tastemaker.models.vlm import VisionModel, open_vision_model
from tastemaker.report.embedding import write_page
from tastemaker.run.beginning import begin, taken
from tastemaker.run.embed_config import EmbedConfig
from tastemaker.run.embed_folder import BEFORE, EXAMPLES, MODEL, finished, seal
from tastemaker.run.embed_measure import Measured, measured, validated
from tastemaker.run.embed_pairs import Cut, ItemPairs, fitted_captions, fitted_texts
from tastemaker.run.embed_results import (
    Learned,
    example_rows,
    examples_of,
    picture_name,
    results_of,
    warnings_of,
)
from tastemaker.run.embed_saving import save_model
from tastemaker.run.folder import RESULTS, only_writer
from tastemaker.train.journal import LOG
from tastemaker.train.loop import Fitted, fit
from tastemaker.train.processes import processes
from tastemaker.train.stopping import listening

LIBRARIES = ("transformers", "tokenizers", "peft", "pillow")
"""What decides beside every run's own libraries what a model learns."""
_SMALL = 128
"""Pixels of a side of a picture on the page."""


def embed_train(
    config: EmbedConfig, data: Any, out: str = "", resume: bool = False, drop: bool = False
) -> JsonObject:
    """Train a model on the pictures and texts of a catalogue, and write a run directory.

    Args:
        config: Which model, and how.
        data: What `read_item_pictures` takes.
        out: Folder; empty: `runs/embed-DATA`.
        resume: Go on with what was begun there.
        drop: Leave bad rows out, and write them beside the folder.

    Returns:
        The contents of `results.json`, and `run`, the path of the folder.

    Raises:
        TastemakerError: With cause and remedy; checkpoints stay for another call with `resume`.
        Stopped: After SIGTERM or Ctrl-C.
    """
    named = Path(data).resolve().stem if isinstance(data, str | Path) else "frame"
    folder = Path(out or f"runs/embed-{named}")
    bad_rows = folder.with_name(f"{folder.name}-bad-rows.csv") if drop else None
    with ExitStack() as stack:
        stack.enter_context(listening(str(folder)))
        if not resume:
            taken(folder, {}, resume)  # refused before a large catalogue is read
        items = read_item_pictures(data, config.wanted, looked_at, bad_rows)
        parts = items.parts(config.shares.validation, config.shares.test, config.seed)
        texts = items.rows((parts == TRAIN).nonzero()[0])
        vision = begun(config, [*texts.texts, *texts.captions])
        embedding = config.cafe.embedding
        items, cut_texts = fitted_texts(items, vision, embedding)
        items, cut = fitted_captions(items, vision, embedding, config.caption_prompt)
        learned = Learned(items, parts, Cut(cut_texts, cut))
        job = _Job(config, learned, vision, folder)
        if processes().is_main_process:
            stack.enter_context(only_writer(folder))
        job.begin(resume)
        return job.run()


def begun(config: EmbedConfig, texts: list[str]) -> VisionModel:
    """The model that training begins with.

    Args:
        config: Which, and the prompts that it will read.
        texts: What the tokens of a fresh one are made of.
    """
    if isinstance(config.model, str):
        return open_vision_model(within_run(config.model))
    embedding = config.cafe.embedding
    prompts = [embedding.picture_prompt, embedding.text_prompt, config.caption_prompt]
    return tiny_vision_model(config.model, [*prompts, *texts], config.seed)


class _Job:
    """One run, from its folder to its manifest."""

    def __init__(
        self, config: EmbedConfig, data: Learned, vision: VisionModel, folder: Path
    ) -> None:
        self.config, self.data, self.folder = config, data, folder
        self.settled: JsonObject = {
            **to_json(config),
            "data_sha256": data.items.sha256,
            "model_sha256": vision.identity,
        }
        seed_everything(config.seed)
        self.cafe = CAFe(vision, config.cafe)
        self.cafe.to(processes().device)

    def begin(self, resume: bool) -> None:
        """Take the folder, or go on with it."""
        begin(
            self.folder, self.settled, resume,
            lambda: {"threads": torch.get_num_threads(), **environment(*LIBRARIES)},
        )  # fmt: skip

    def run(self) -> JsonObject:
        """Train and measure, or say what was measured already."""
        if (self.folder / artifacts.MANIFEST).exists():
            return finished(self.folder)
        begun = time.monotonic()
        before = self._before()
        done = self._train()
        if not processes().is_main_process:
            return {"run": str(self.folder)}
        test = self.data.part(TEST)
        after = self._measured("after")
        results = results_of(self.config, self.data, self.cafe, done)
        results |= {"before": before, "after": after.cells(test)}
        results |= {"examples": examples_of(test, after), **environment(*LIBRARIES)}
        results |= {"warnings": warnings_of(results), "cpu_seconds": round(done.cpu_seconds, 1)}
        results["seconds"] = round(time.monotonic() - begun, 1)
        self._keep(results, after)
        return results | {"run": str(self.folder)}

    def _measured(self, when: str) -> Measured:
        self.cafe.eval()
        LOG.info("measuring %s training", when)
        test, config = self.data.part(TEST), self.config
        return measured(self.cafe, test, config.caption_prompt, config.written)

    def _before(self) -> JsonObject:
        """What the untrained model can; kept, since a resumed run tells it too."""
        path = self.folder / BEFORE
        if not processes().is_main_process:
            return {}
        if not path.is_file():
            files.write_json(path, self._measured("before").cells(self.data.part(TEST)))
        return files.read_json(path)

    def _train(self) -> Fitted:
        config, cafe = self.config, self.config.cafe
        side = self.cafe.vision.picture_side
        pairs = ItemPairs(self.data.part(TRAIN), config.caption_prompt, side)
        batches = PairBatches(
            self.cafe.vision, cafe.embedding, pairs, config.fit.batch, seed=config.seed,
            vectors=bool(cafe.alpha_con), told=bool(cafe.alpha_lm),
        )  # fmt: skip
        held = self.data.part(VALIDATION)

        def validate() -> dict[str, float]:
            return validated(self.cafe, held, config.caption_prompt)

        return fit(self.cafe, batches, config.fit, validate, self.folder, resume=True)

    def _keep(self, results: JsonObject, after: Measured) -> None:
        """Write model, pictures of examples, results and page; then seal."""
        for name in (MODEL, EXAMPLES):
            shutil.rmtree(self.folder / name, ignore_errors=True)
        save_model(self.cafe, self.folder / MODEL)
        files.make_folder(self.folder / EXAMPLES)
        test = self.data.part(TEST)
        for row in example_rows(test, after):
            path = self.folder / EXAMPLES / picture_name(test, row)
            with files.replaced(path) as partial:
                partial.write_bytes(small_jpeg(test.paths[row], _SMALL))
        files.write_json(self.folder / RESULTS, results)
        write_page(self.folder)
        seal(self.folder, results)
