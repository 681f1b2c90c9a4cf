"""tastemaker update: a served run learns what happened since it was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

import tyro

from tastemaker.commands.terminal import plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import by_count, counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import Positional, UpdateOptions
from tastemaker.threads import recorded


@dataclass(frozen=True)
class UpdateRun:
    """Learn what a store was told since a run was made, and publish it only if it is not worse."""

    run: Positional
    """run directory"""
    database: str = ""
    """store of events: a path, or postgresql+psycopg://user@host/name; default: RUN.store.sqlite"""
    rollback: bool = False
    """go back to the run that the last update replaced, and learn nothing"""
    how: Annotated[UpdateOptions, tyro.conf.arg(name="")] = field(default_factory=UpdateOptions)

    def __post_init__(self) -> None:
        """Refuse options without effect.

        Raises:
            BadInput: If something is said of learning, and nothing is to be learnt.
        """
        if self.rollback and (self.database or self.how != UpdateOptions()):
            what = "Going back reads no events and learns nothing."
            raise BadInput(what, "--rollback", "Leave the other options out.")


def update(options: UpdateRun) -> JsonObject:
    """Learn what a store was told since a run was made, and publish it only if it is not worse."""
    from tastemaker.serve.update import rollback, update

    if options.rollback:
        return rollback(options.run)
    return update(options.run, options.database, options.how)


def show_update(answer: JsonObject) -> None:
    """What was new, how old and new compare, and which of them stands."""
    if "new" not in answer:
        _say(f"{answer['run']} is {answer['version']} again, and was {answer['before']}.")
        _say(f"To undo that: tastemaker update {answer['run']} --rollback")
        return
    _news(answer)
    pair = answer["comparison"]
    if pair:
        _pair(pair)
    word = "Published" if answer["published"] else "Not published"
    _say(f"{word}: {answer['why']}.")
    if answer["published"]:
        _say(f"{answer['run']} is {answer['version']} now, and was {answer['before']}.")
        _say(f"To go back: tastemaker update {answer['run']} --rollback")
    elif "kept" in answer:
        _say(f"{answer['run']} is {answer['version']} as before; the new run: {answer['kept']}")


def _news(answer: JsonObject) -> None:
    new = answer["new"]
    users, items = counted(new["users"], "new user"), counted(new["items"], "new item")
    _say(f"{counted(new['events'], 'new event')}, {users}, {items} since {answer['before']}.")
    if answer["another"]:
        _say(
            "The run has learnt from another database before, so this one was read from the start."
        )
    for count, why in (
        (new["known"], "that the log has already"),
        (new["repeated"], "that choose an item again (the run was made without --repeats)"),
        (answer["dropped"], "that cannot be used"),
    ):
        if count:
            _say(f"{counted(count, 'event')} {why}: left out.")
    for reason, count in answer["dropped_because"]:
        _say(f"  {count:,}: {reason}")
    if new["removed"]:
        _say(f"{counted(new['removed'], 'old event')} of users who were erased: forgotten.")
    if answer["start"]:
        went = "was trained afresh" if answer["start"] == "afresh" else "went on from its weights"
        most = counted(answer["most_epochs"], "epoch", "epochs")
        _say(f"The neural model {went}: {answer['epochs']:,} of at most {most}.")


def _pair(pair: JsonObject) -> None:
    low, high = pair["ci95"]
    on = "newest" if pair["on"] == "newest" else "test"
    _say(
        f"{pair['metric']} on the {on} events of {counted(pair['users'], 'user')}: "
        f"{pair['old']:.4f} ({pair['old_model']}) → {pair['new']:.4f} ({pair['new_model']}), "
        f"{pair['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
    )
    if pair["unknown_to_old"]:
        are = by_count(pair["unknown_to_old"], "is of an item", "are of items")
        strange = f"{pair['unknown_to_old']:,} of these events {are}"
        _say(f"{strange} that the old run does not know, and so misses.")


def _say(line: str) -> None:
    screen().print(plain(line), soft_wrap=True)


VERBS: dict[str, Verb | Later] = {
    "update": Verb(update, UpdateRun, show_update, lambda asked: recorded(asked.run))
}
