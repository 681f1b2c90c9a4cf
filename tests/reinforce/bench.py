"""A picture with three columns and two rows, at which snippets work."""

import numpy as np
import pytest

from tastemaker.data.boxes import Axis, Box, Boxes
from tastemaker.reinforce.workbench import SandboxLimits, Workbench

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
BOXES: dict[Axis, Boxes] = {
    "columns": {"Year": Box(0, 0, 20, 30), "Team": Box(20, 0, 40, 30), "Won": Box(40, 0, 60, 30)},
    "rows": {"Year": Box(0, 0, 60, 10), "1990": Box(0, 10, 60, 20), "1991": Box(0, 20, 60, 30)},
}
PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 200, (30, 60, 3), dtype=np.uint8))
GOOD = "image_2 = focus_on_columns_with_mask(image_1, ['Team'], columns_bbox)\ndisplay(image_2)"
PATIENT = SandboxLimits(seconds=20)
"""So that a snippet that is well is so on a busy machine too."""


def workbench(limits: SandboxLimits = PATIENT, fuzzy: bool = False) -> Workbench:
    return Workbench(PICTURE, BOXES, limits, fuzzy)
