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


def write_sizes(path: Path, sizes: Sequence[tuple[int, int]]) -> Path:
    """Frame k is of grey 8 k and of the k-th size, in rows and columns, each a picture of its own.

    As the film of a camera that was turned, or of two films that were put behind one another.
    """
    tenth = Fraction(1, 10)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mjpeg", rate=10)
        stream.height, stream.width, stream.pix_fmt = *sizes[0], "yuvj420p"
        for number, (height, width) in enumerate(sizes):
            coder = av.CodecContext.create("mjpeg", "w")
            coder.height, coder.width, coder.pix_fmt = height, width, "yuvj420p"
            coder.time_base = tenth
            grey = np.full((height, width, 3), 8 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = number, tenth
            for packet in coder.encode(frame):
                packet.stream, packet.time_base = stream, tenth
                packet.pts = packet.dts = number
                container.mux(packet)
    return path


def write_sound(path: Path, cover: bool = False) -> Path:
    """A second of silence, perhaps with the picture of an album."""
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", rate=8000, layout="mono")
        if cover:
            stream = container.add_stream("mjpeg", rate=1)
            stream.height, stream.width, stream.pix_fmt = 48, 64, "yuvj420p"
            stream.disposition = av.stream.Disposition.attached_pic
            picture = np.full((48, 64, 3), 80, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuvj420p")
            frame.pts, frame.time_base = 0, Fraction(1, 1)
            container.mux(stream.encode(frame))
            container.mux(stream.encode())
        for start in range(0, 8 * 1024, 1024):
            quiet = np.zeros((1, 1024), np.float32)
            frame = av.AudioFrame.from_ndarray(quiet, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 8000, start
            container.mux(sound.encode(frame))
        container.mux(sound.encode())
    return path


def numbers(frames: np.ndarray) -> list[int]:
    """Which frame each one is, by the grey of its last corner."""
    return [round(float(frame[-4:, -4:].mean()) / 8) for frame in frames]


def same_film(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether they are one film, coded twice: the coder does not always round in the same way."""
    return first.shape == second.shape and int(np.abs(first.astype(int) - second).max()) <= 1
