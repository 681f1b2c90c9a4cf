"""Four scenes and what each arm of the recipe on CAFe says of them, as a figure of its page.

Reads what `cafe.py` has kept of its first seed: the first scenes of one, two and three things.
"""

from __future__ import annotations

import base64
import io
import sys
import textwrap
from html import escape

from cafe_arms import Budget, Kept
from cafe_scores import MAIN
from cafe_world import captions
from evidence import ROOT, runs_of
from PIL import Image

from tastemaker.report.charts import INK, MUTED
from tastemaker.worlds.scenes import Scenes

WIDTH, PICTURE, LETTERS, LINE = 480, 96, 54, 16
"""CSS pixels, letters of a line, and pixels of one."""


def chosen(world: Scenes, told: int) -> list[int]:
    """The first scenes of one and of two things, and the first two of three."""
    wanted, found = [1, 2, 3, 3], []
    for number in range(told):
        if wanted and len(world.things[number]) == wanted[0]:
            found.append(number)
            wanted.pop(0)
    return found


def drawn(world: Scenes, number: int) -> str:
    """A scene as the address of a picture."""
    held = io.BytesIO()
    Image.fromarray(world.images[number]).save(held, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"


def lines(said: dict[str, str]) -> list[tuple[str, str]]:
    """Colour and text of each line: who says it, then what."""
    found = []
    for who, text in said.items():
        cut = textwrap.shorten(text, 2 * LETTERS, placeholder=" …") or "(nothing)"
        cut = cut if " " in text or len(text) < LETTERS else f"{text[: LETTERS - 12]} …"
        found.append((MUTED, who))
        found += [(INK, line) for line in textwrap.wrap(cut, LETTERS)]
    return found


def svg(world: Scenes, said: dict[int, dict[str, str]]) -> str:
    """The scenes below each other, what is said of each beside it."""
    parts, top = [], 12
    for number, own in said.items():
        parts.append(
            f'<image x="12" y="{top}" width="{PICTURE}" height="{PICTURE}" '
            f'style="image-rendering:pixelated" href="{drawn(world, number)}"/>'
        )
        rows = lines(own)
        for place, (colour, text) in enumerate(rows):
            x, y = PICTURE + 28 + 10 * (colour == INK), top + 10 + LINE * place
            parts.append(f'<text x="{x}" y="{y}" fill="{colour}">{escape(text)}</text>')
        top += max(PICTURE, LINE * len(rows)) + 20
    size = f'width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}"'
    style = 'style="background:#fff" font-family="sans-serif" font-size="12"'
    title = "<title>Four scenes and what each arm says of them</title>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{title}{"".join(parts)}</svg>\n'


def main() -> None:
    """Draw `docs/figures/cafe-scenes.svg`."""
    budget = Budget()
    world, kept = budget.sizes.measured(), Kept(runs_of("cafe", "small") / "seed-0", 0, budget)
    right, told = captions(world), {arm: kept.said(arm)["captions"].tolist() for arm in MAIN[1:]}
    said = {
        number: {"truth": right[number]} | {arm: many[number] for arm, many in told.items()}
        for number in chosen(world, budget.sizes.told)
    }
    path = ROOT / "docs" / "figures" / "cafe-scenes.svg"
    path.write_text(svg(world, said))
    sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
