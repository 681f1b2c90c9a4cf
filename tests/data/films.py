"""Small videos that are made here: a number in each frame, in grey, and where its top left is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

av = pytest.importorskip("av", reason="PyAV is not installed")


def write_film(
    path: Path,
    frames: int = 30,
    size: tuple[int, int] = (48, 64),
    times: Sequence[int] | None = None,
    rotation: int = 0,
    gop: int = 12,
    codec: str = "libx264",
) -> Path:
    """Frame k is of grey 8 k; the top left quarter is white. Times are in tenths of a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 10)
        stream.codec_context.gop_size = gop
        if rotation:
            stream.set_display_rotation(rotation)
        for number, time in enumerate(times or range(frames)):
            picture = np.full((*size, 3), 8 * number, np.uint8)
            picture[: size[0] // 2, : size[1] // 2] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbers(frames: np.ndarray) -> list[int]:
    """Which frame each one is, by the grey of its last corner."""
    return [round(float(frame[-4:, -4:].mean()) / 8) for frame in frames]
