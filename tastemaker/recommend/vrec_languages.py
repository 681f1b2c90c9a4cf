"""Which language VRec speaks: made for a log, or opened as a run keeps it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tastemaker.data.ground import Ground
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import ArtefactError
from tastemaker.files import read_json
from tastemaker.models.foreign_causal import blank_apart, opened_apart
from tastemaker.models.identity import model_identity
from tastemaker.models.packaged import locate
from tastemaker.models.user_llm import USER_MODEL
from tastemaker.recommend.vrec_code_language import CodeLanguage
from tastemaker.recommend.vrec_groups import Known
from tastemaker.recommend.vrec_shape import CODES, IDS, LANGUAGE, TITLES, VRecConfig
from tastemaker.recommend.vrec_title_language import TitleLanguage
from tastemaker.recommend.vrec_titles import Titles
from tastemaker.weights import WEIGHTS, stored_tensors

Language = CodeLanguage | TitleLanguage


def language_of(config: VRecConfig, known: Known, ground: Ground) -> Language:
    """The language that the options name.

    Raises:
        BadInput: If the model that they name is not here, or cannot be used.
        ArtefactError: If weights are missing from its files.
    """
    if known.ids is not None:
        return CodeLanguage(config, known.ids)
    folder = locate(config.language)
    apart, whole = opened_apart(folder)
    titles = Titles.of(whole.tokenizer, whole.most_tokens, config.title_tokens, ground)
    return TitleLanguage(config, titles, apart, model_identity(folder))


def grown_language(config: VRecConfig, known: Known, ground: Ground, before: Language) -> Language:
    """The language as it was learned, of more items.

    Raises:
        BadInput: If the model that the options name is not here.
        ArtefactError: If it is not what adapters were trained beside.
    """
    grown = language_of(config, known, ground)
    if isinstance(grown, CodeLanguage) and isinstance(before, CodeLanguage):
        grown.take(before)
    else:
        if config.lora:
            _same(config.language, "the run", before.identity)
        grown.load_state_dict(before.state_dict())
    return grown


def kept_language(config: VRecConfig, num_items: int, run: Path) -> Callable[[], Language]:
    """How a run's language is made, whose weights are still to be loaded; no catalogue is needed.

    Raises:
        ArtefactError: If the files are of another model or catalogue, or damaged, or the model that
            adapters belong to has changed.
        BadInput: If that model is not here.
    """
    if config.language == CODES:
        ids = SemanticIds.open(run / IDS, num_items)
        return lambda: CodeLanguage(config, ids)
    titles = Titles.open(run / TITLES, num_items)
    if not config.lora:
        stored, shape = stored_tensors(run / WEIGHTS), read_json(run / USER_MODEL)
        parts = shape, run / USER_MODEL, stored, "language.head"
        return lambda: TitleLanguage(config, titles, blank_apart(*parts), "")
    identity = _unchanged(config.language, run / LANGUAGE)
    adapted = TitleLanguage(config, titles, opened_apart(locate(config.language))[0], identity)
    return lambda: adapted


def _unchanged(name: str, path: Path) -> str:
    """Identity of the model that adapters belong to, if it is what it was."""
    return _same(name, str(path), read_json(path).get("identity"))


def _same(name: str, where: str, had: object) -> str:
    """Identity of a model, if it is that."""
    identity = model_identity(locate(name))
    if had != identity:
        what = f"The language model {name} is not the one that the adapters were trained beside"
        fix = "Put its files there again, or train again."
        raise ArtefactError(where, what, f"identity {had!s:.12}", identity[:12], fix)
    return identity
