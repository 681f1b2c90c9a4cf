"""Federated training from labelled data to a run directory: a model, its rounds, a page.

The folder is an artefact once `manifest.json` stands in it: until then it holds `config.json`, the
lines of the rounds so far and checkpoints, from which `resume` goes on.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from tastemaker.data.labelled import Labelled
from tastemaker.errors import BadInput
from tastemaker.federate.bad_clients import BadClients
from tastemaker.federate.in_process import InProcess
from tastemaker.files import JsonObject
from tastemaker.run.federate_job import Job
from tastemaker.run.federate_parts import parted
from tastemaker.run.federate_results import FederateConfig, RoundsConfig
from tastemaker.seams import ClientData, Engine


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
    parts = parted(data, config.partition, config.federation.local.seed)
    job = Job(config, data, parts, out)
    caps = {name: some.examples for name, some in parts.clients.items()}
    federation = job.federation(engine_of(config, job.model, parts.clients), caps)
    return job.run(resume, lambda folder, watch: federation.run(folder, True, watch))


def engine_of(config: RoundsConfig, model: nn.Module, clients: Mapping[str, ClientData]) -> Engine:
    """This process, and clients that fail where that is wanted.

    Raises:
        BadInput: If more are to fail than there are, or one has no data.
    """
    local, names = config.federation.local, sorted(clients)
    engine = InProcess(model, clients, config.method, local)
    if not (config.faults or config.lost):
        return engine
    if len(config.faults) > len(names):
        what = f"{len(config.faults)} clients cannot fail where there are {len(names)}."
        raise BadInput(what, "--bad", "Name fewer faults.")
    faults = dict(zip(names, config.faults, strict=False))
    return BadClients(engine, faults, config.lost, local.seed)
