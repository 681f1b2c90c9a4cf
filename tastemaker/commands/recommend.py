"""tastemaker recommend: what comes next for one user, or for many into a file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tastemaker.commands.lists import ItemLists, read_ids
from tastemaker.commands.terminal import beside, plain, screen
from tastemaker.commands.thoughts import show_thoughts
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import by_count, counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import Count, Positional, Repeatable
from tastemaker.run.wishes import Wishes, unreasoned, weights
from tastemaker.threads import recorded

EVERYBODY = "all"


@dataclass(frozen=True)
class RecommendOptions:
    """Recommend items to one user, or to many."""

    run: Positional
    """run directory"""
    user: str = ""
    """user id as in the data; an unknown one is answered with what is popular"""
    users: str = ""
    """file of user ids, one a line or in a column user_id, or `all`; needs --to"""
    to: str = ""
    """file that the lists of --users are written to: .parquet, .csv or .jsonl"""
    k: Count = 10
    """number of items, at least 1"""
    offset: int = 0
    """items to pass over, such as those of earlier pages"""
    boost: Repeatable = ()
    """category to favour, such as `Comedy=0.3`, added to scores from 0 to 1; or a group that the
    model has heads for, such as `short-term=0.3`"""
    only: Repeatable = ()
    """category to recommend from, of several: items of any of them; or a group that the model has
    heads for, such as `short-term`: what these say alone"""
    allow: str = ""
    """file of item ids, one a line or in a column item_id: only these are recommended"""
    deny: str = ""
    """file of item ids, likewise: these are not"""
    model: str = ""
    """model of the run; default: the one it recommends with"""
    diversify: float = 0.0
    """from 0, the ranking itself, to 1, items that are as unlike each other as can be"""
    because: bool = False
    """say of each item which items of the user's history speak most for it"""
    explain: bool = False
    """show what a model that thinks, such as vrec, thought before it answered one user"""

    def __post_init__(self) -> None:
        """Refuse options that contradict each other or would be idle.

        Raises:
            BadInput: If not exactly one of --user and --users is given, or --to or --explain
                without what it needs.
        """
        if bool(self.user) == bool(self.users):
            fix = "Give --user ID, or --users FILE --to FILE."
            both = "Both --user and --users are" if self.users else "Neither --user nor --users is"
            raise BadInput(f"{both} given.", "--user", fix)
        if bool(self.users) != bool(self.to):
            what = "--users is given without --to." if self.users else "--to is given for one user."
            raise BadInput(what, "--to", "Give --users FILE and --to FILE together.")
        if self.explain and self.users:
            what, fix = "Thoughts are shown of one user.", "Give --user ID, or leave --explain out."
            raise BadInput(what, "--explain", fix)


def recommend(options: RecommendOptions) -> JsonObject:
    """Recommend items to one user, beside what that user chose, or to many users into a file."""
    boost = weights(options.boost)
    lists = ItemLists.read(options.allow, options.deny)
    wishes = Wishes(  # checked before a large run is opened
        options.k,
        options.offset,
        boost,
        options.only,
        diversify=options.diversify,
        because=options.because,
    )
    if options.users:
        unreasoned(wishes)
    users = read_ids(options.users, "user_id") if options.users not in ("", EVERYBODY) else None

    from tastemaker.run.export import refuse_place, write_all
    from tastemaker.run.saved import open_run

    if options.to:
        refuse_place(Path(options.to), Path(options.run))
    saved = open_run(options.run)
    allow, deny = lists.known(saved.shelf)
    wishes = replace(wishes, allow=allow, deny=deny)
    if options.user:
        return saved.answer(options.user, wishes, options.model, options.explain).to_json()
    ids = users.ids if users else None
    return write_all(saved, ids, Path(options.to), wishes, options.model)


def show_answer(answer: JsonObject) -> None:
    """What a user chose beside what is recommended; or what was written."""
    out = screen()
    if "to" in answer:
        out.print(plain(_written(answer)))
        for remark in answer["remarks"]:
            out.print(plain(remark))
        return
    history = [chosen["title"] for chosen in answer["history"]]
    beside(out, history, answer["items"], answer["user"])
    for item in answer["items"]:
        if item.get("because"):
            named = ", ".join(chosen["title"] for chosen in item["because"])
            out.print(plain(f"{item['title']} because of: {named}"))
    out.print(plain(answer["reason"]))
    if not answer["items"]:
        out.print(plain("No item is left that could be recommended."))
    elif not answer["complete"]:
        out.print(plain(f"Only {counted(len(answer['items']), 'item')} could be recommended."))
    if answer.get("thoughts"):
        show_thoughts(out, answer)


def _written(answer: JsonObject) -> str:
    """Users, rows and file, and whom the data does not have or nothing could be given to."""
    unknown, short, empty = (answer[name] for name in ("unknown", "short", "empty"))
    items, users = counted(answer["rows"], "item"), counted(answer["users"], "user")
    parts = [f"{items} for {users} by {answer['model']}: {answer['to']}"]
    if unknown:
        verbs = by_count(unknown, "is not in the data and gets", "are not in the data and get")
        parts.append(f"{counted(unknown, 'user')} {verbs} what is popular")
    if short:
        parts.append(f"{short:,} {by_count(short, 'gets', 'get')} fewer items than asked for")
    if empty:
        parts.append(f"{empty:,} {by_count(empty, 'gets', 'get')} none")
    return "; ".join(parts) + "."


VERBS: dict[str, Verb | Later] = {
    "recommend": Verb(recommend, RecommendOptions, show_answer, lambda asked: recorded(asked.run))
}
