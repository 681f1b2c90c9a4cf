"""The server learns from what it stored: new events → a better model, or none.

Reads what was told since the run was made, makes a run of it beside, compares both, and has the new
one take the place only if it is not worse. A server of that run notices, and answers with it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tastemaker import files
from tastemaker.counts import counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.opening import open_table
from tastemaker.files import JsonObject
from tastemaker.models.extras import extra
from tastemaker.options import UpdateOptions
from tastemaker.run.folder import version_of
from tastemaker.run.old_and_new import compared, worse
from tastemaker.run.publishing import discard_next, held, next_run, roll_back, take_place
from tastemaker.run.saved import SavedRun, open_run, open_version
from tastemaker.run.update import Lesson, News, learn, lesson_of, refuse_unjoinable
from tastemaker.train.journal import LOG
from tastemaker.train.stopping import Stopped, listening

_EXAMPLES = 3
"""Reasons for which events were left out that are named."""


def update(
    run: str | Path, database: str | Path = "", options: UpdateOptions | None = None
) -> JsonObject:
    """Learn what a store was told since a run was made, and publish it only if it is not worse.

    Args:
        run: A finished run.
        database: URL of the store; empty: the file beside the run, as for the server.
        options: How to learn, and when to publish.

    Returns:
        `run`, its `version` from now on and that of `before`, what was `new` and what was
        `dropped`, how the training began (`start`) and for how many `epochs` it went, the
        `comparison`, whether the new run was `published`, and `why`.

    Raises:
        ArtefactError: If the run is damaged or unfinished.
        BadInput: If another process writes it, its log cannot be joined, or there is no store.
        Unavailable: If the database does not answer.
        OutOfResources: If the disk is full; the old run stands.
        Stopped: After SIGTERM or Ctrl-C; the old run stands.
    """
    folder, options = Path(run).resolve(), options or UpdateOptions()
    with held(folder):
        saved, version = open_version(folder)
        refuse_unjoinable(saved)
        news, source, dropped = read_news(saved, _store_of(folder, database), options.items)
        lesson = lesson_of(saved, news)
        told: JsonObject = {"run": str(run), "before": version, "version": version}
        told |= {"new": lesson.counts, **dropped, "start": None, "comparison": None}
        if lesson.idle or options.dry_run:
            why = "nothing is new" if lesson.idle else "it was only asked what there is to learn"
            return told | {"published": False, "why": why}
        discard_next(folder)  # of an earlier update
        made = _made(lesson, next_run(folder), {"from": version, **source}, options.epochs)
        told |= {"start": made.results["updated"]["start"]}
        trained = made.results["training"]
        told |= {"epochs": trained["epochs"], "most_epochs": trained["config"]["epochs"]}
        told |= _verdict(lesson, made, options)
        if not told["published"]:
            return told | {"kept": str(next_run(folder))}
        with listening() as heard, heard.patient():  # a signal waits until one of both stands
            take_place(folder, next_run(folder))
        discard_next(folder)
        return told | {"version": version_of(folder)}


def rollback(run: str | Path) -> JsonObject:
    """Have the run that an update replaced take its place again; the two change places.

    Returns:
        `run`, its `version` from now on, and that of `before`.

    Raises:
        BadInput: If there is none, or another process writes the run.
        ArtefactError: If one of them is damaged.
    """
    folder = Path(run).resolve()
    with held(folder):
        before = version_of(folder)
        with listening() as heard, heard.patient():
            roll_back(folder)
        return {"run": str(run), "version": version_of(folder), "before": before}


def read_news(saved: SavedRun, url: str, items: str = "") -> tuple[News, JsonObject, JsonObject]:
    """What a store was told since a run was made.

    Args:
        saved: The run; it notes how far it has read which database.
        url: Of the store.
        items: File of a catalogue; empty: none.

    Returns:
        The news; what the new run is to note of the database; and what was left out.
    """
    with extra("serve"):
        from tastemaker.serve.store import Store
    catalog = None
    if items:
        files.refuse_unreadable(Path(items))
        folder = str(Path(items).absolute().parent)
        catalog = replace(Catalog.from_table(open_table(Path(items))), folder=folder)
    learnt = saved.config.get("updated") or {}
    with Store.open(url, create=False) as store:
        database = store.identity
        another = learnt.get("database") not in (None, database)
        since = learnt["last"] if learnt.get("database") == database else 0
        told = store.interactions(saved.data.declared, since)
        # Read after the events, so that whoever is erased meanwhile is forgotten too.
        users = [saved.data.interactions.user_ids]
        users += [told.interactions.user_ids] if told.interactions else []
        erased = store.erased(user for ids in users for user in ids.to_list())
    reasons = told.dropped["reason"].value_counts(sort=True).head(_EXAMPLES).rows()
    dropped = {"dropped": len(told.dropped), "dropped_because": [list(one) for one in reasons]}
    news = News(told.interactions, erased, catalog)
    return news, {"database": database, "last": told.last}, {**dropped, "another": another}


def _store_of(folder: Path, database: str | Path) -> str:
    return str(database) or str(folder.with_name(f"{folder.name}.store.sqlite"))


def _made(lesson: Lesson, folder: Path, source: JsonObject, epochs: int) -> SavedRun:
    """The new run, opened."""
    new, users = lesson.counts, lesson.counts["users"]
    LOG.info("%s, %s", counted(new["events"], "new event"), counted(users, "new user"))
    try:
        learn(lesson, folder, source, epochs)
    except Stopped as stop:
        raise Stopped(stop.number) from None  # an update begins anew
    return open_run(folder)


def _verdict(lesson: Lesson, made: SavedRun, options: UpdateOptions) -> JsonObject:
    """The comparison, whether the new run is to be published, and why."""
    pair = compared(lesson.saved, made, lesson.since, lesson.unlearnt)
    if pair is None:
        against = "nothing can be compared: no user has events that both runs can be asked for"
    else:
        against = worse(pair, options.margin)
    why = against or "it is not worse than the old one"
    if against and options.accept:
        why = f"it was to be published whatever is said: {against}"
    return {"comparison": pair, "published": options.accept or not against, "why": why}
