"""Federated training from labelled data to a run directory: a model, its rounds, a page.

The folder is an artefact once `manifest.json` stands in it: until then it holds `config.json`, the
lines of the rounds so far and checkpoints, from which `resume` goes on.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from tastemaker import artifacts, files
from tastemaker.config import environment, to_json
from tastemaker.data.labelled import Labelled
from tastemaker.errors import BadInput
from tastemaker.federate.bad_clients import BadClients
from tastemaker.federate.classifiers import Classifier
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.rounds import AUDIT, METRICS, Federation, Parties
from tastemaker.files import JsonObject
from tastemaker.report.federation import write_page
from tastemaker.run.beginning import taken
from tastemaker.run.federate_opened import MODEL, save_classifier
from tastemaker.run.federate_parts import Parts, parted
from tastemaker.run.federate_results import KIND, FederateConfig, results_of, warnings_of
from tastemaker.run.folder import CONFIG, RESULTS, only_writer
from tastemaker.seams import Engine
from tastemaker.train.bar import Bar
from tastemaker.train.stopping import listening
from tastemaker.weights import WEIGHTS


def federate(
    config: FederateConfig, data: Labelled, out: str = "", resume: bool = False
) -> JsonObject:
    """Train a classifier whose examples stay with their clients, in this process.

    Args:
        config: How.
        data: What is dealt to clients, or lies in the silos that it names.
        out: Folder; empty: `runs/federate-METHOD-DATA`.
        resume: Go on with what was begun there.

    Returns:
        The contents of `results.json`, and `run`, the path of the folder.

    Raises:
        TastemakerError: With cause and remedy; checkpoints stay for another call with `resume`.
        Stopped: After SIGTERM or Ctrl-C.
    """
    method = type(config.method).__name__.lower()
    folder = Path(out or f"runs/federate-{method}-{Path(data.name).stem}")
    seed = config.federation.local.seed
    parts = parted(data, config.partition, seed)
    model = _model(config, data)
    clients = {name: some.examples for name, some in parts.clients.items()}
    evaluate = parts.evaluate(len(data.classes))
    parties = Parties(_engine(config, parts, model), clients, evaluate, parts.auxiliary)
    federation = Federation(model, config.method, parties, config.federation)
    settled = {**to_json(config), "data_sha256": data.sha256}
    with ExitStack() as stack:
        stack.enter_context(listening(str(folder)))
        fresh = taken(folder, settled, resume)
        stack.enter_context(only_writer(folder))
        if fresh:
            files.write_json(folder / CONFIG, settled | environment())
        elif (folder / artifacts.MANIFEST).exists():
            artifacts.verify(folder, KIND)
            return files.read_json(folder / RESULTS) | {"run": str(folder)}
        began = time.monotonic()
        with Bar("round", config.federation.rounds) as bar:
            done = federation.run(folder, True, lambda line: bar.at(line["round"], _said(line)))
        results = results_of(config, data, parts, model, done.history)
        results["warnings"] = warnings_of(results, config)
        results["seconds"] = round(time.monotonic() - began, 1)
        results["cpu_seconds"] = round(done.cpu_seconds, 1)
        save_classifier(folder, model, config.shape(data), data, parts.scaling)
        _keep(folder, results | environment(), method)
        return files.read_json(folder / RESULTS) | {"run": str(folder)}


def report(run: Path) -> JsonObject:
    """Write the page of a finished federation again, and return what it tells.

    Raises:
        ArtefactError: If no finished federation stands there.
    """
    artifacts.verify(run, KIND)
    results = files.read_json(run / RESULTS)
    _keep(run, results, str(results["method"]["kind"]).lower())
    return results | {"run": str(run)}


def _model(config: FederateConfig, data: Labelled) -> Classifier:
    with torch.random.fork_rng():
        torch.manual_seed(config.federation.local.seed)
        return Classifier(config.shape(data), data.inputs.shape[1:], len(data.classes))


def _engine(config: FederateConfig, parts: Parts, model: Classifier) -> Engine:
    """This process, and clients that fail where that is wanted."""
    local = config.federation.local
    engine = InProcess(model, parts.clients, config.method, local)
    if not (config.faults or config.lost):
        return engine
    names = sorted(parts.clients)
    if len(config.faults) > len(names):
        what = f"{len(config.faults)} clients cannot fail where there are {len(names)}."
        raise BadInput(what, "--bad", "Name fewer faults.")
    faults = dict(zip(names, config.faults, strict=False))
    return BadClients(engine, faults, config.lost, local.seed)


def _said(line: Mapping[str, Any]) -> str:
    """What a person wants to know of a round while it goes on."""
    told = [f"accuracy {line['accuracy']:.3f}", f"worst class {line['worst_class']:.3f}"]
    if line["rejected"]:
        told.append(f"{len(line['rejected'])} rejected")
    if line["status"] == "failed":
        told.append("no quorum")
    return ", ".join(told)


def _keep(folder: Path, results: JsonObject, method: str) -> None:
    """Write results and page; then seal."""
    files.write_json(folder / RESULTS, results)
    write_page(folder)
    inside: Sequence[str] = (CONFIG, METRICS, RESULTS, MODEL, WEIGHTS, "report.html")
    audit = [AUDIT] if (folder / AUDIT).exists() else []
    artifacts.seal(folder, KIND, {"method": method}, [*inside, *audit])
