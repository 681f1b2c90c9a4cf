"""A video file → some of its frames, upright, each with its time.

By time where frames are to be spread evenly, so a video whose rate varies is sampled as it is seen;
by key frames, which cost least; or every so many frames. For frames spread in time what is decoded
is from the key frame before each one that is wanted, no more; only those wanted are held in memory.
A file is told by its first bytes and read by the one demuxer for them: a playlist that is called a
video opens nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.files import refuse_unreadable

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

Pixels = npt.NDArray[np.uint8]
MOST_PIXELS = 2**26
"""Of one frame: more is no video but a way to fill memory."""
_EBML, _SEGMENT, _HEAD = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", 256
"""How mkv and webm files begin, what comes next, and within how many bytes."""
_REORDERED = 0.5
"""Seconds by which frames may be stored before they are shown."""
_AGAIN = "Export the video again, or download it again."


SamplingKind = Literal["uniform", "keyframes", "stride"]
KINDS: tuple[SamplingKind, ...] = get_args(SamplingKind)
_ENDS = {"frames": (1, 10_000), "stride": (1, 10**9), "longest": (0, 16_384)}
"""Between which numbers an option lies: frames are held in memory, all at once."""


@dataclass(frozen=True)
class Sampling:
    """Which frames are taken."""

    kind: SamplingKind = "uniform"
    """uniform: the middles of equal parts of its time; keyframes: spread over those that stand
    alone in the file; stride: every so many"""
    frames: int = 8
    """most of them; uniform gives exactly so many, the same one twice where there are fewer"""
    stride: int = 1
    """frames from one to the next, for `stride`"""
    longest: int = 0
    """pixels of the longer side that frames are scaled to; 0: as they are"""

    def __post_init__(self) -> None:
        """Refuse what takes no frame.

        Raises:
            BadInput: Naming the option.
        """
        if self.kind not in KINDS:
            fix = f"Give {', '.join(KINDS[:-1])} or {KINDS[-1]}."
            raise BadInput(f"kind = {self.kind!r} is not known.", "sampling option kind", fix)
        for name, (least, most) in _ENDS.items():
            if not least <= vars(self)[name] <= most:
                what = f"{name} = {vars(self)[name]} is out of bounds."
                fix = f"Give a number from {least} to {most:,}."
                raise BadInput(what, f"sampling option {name}", fix)


@dataclass(frozen=True, eq=False)
class Clip:
    """Frames of a video."""

    frames: Pixels
    """(T, H, W, 3) in RGB, upright"""
    times: npt.NDArray[np.float64]
    """(T,) seconds from its beginning at which each is shown"""
    seconds: float
    """of the whole video"""


def read_frames(path: Path, sampling: Sampling | None = None) -> Clip:
    """Some frames of an mp4, mov, mkv, webm or avi file.

    Args:
        path: The file.
        sampling: Which frames; eight, evenly spread in time, where None.

    Raises:
        BadInput: If it is no such file, empty, cut short or damaged, has no picture, or PyAV is
            missing.
    """
    sampling = sampling or Sampling()
    with _opened(path) as (container, stream):
        seconds = _seconds(container, stream)
        match sampling.kind:
            case "uniform":
                taken = list(_uniform(container, stream, sampling.frames, seconds))
            case "keyframes":
                taken = list(_keyframes(container, stream, sampling.frames))
            case "stride":
                taken = list(_strided(container, stream, sampling))
        if not taken:
            raise BadInput("The video has no frame.", str(path), _AGAIN)
        begin = _begin(stream)
        times = np.array([max(0.0, _time(frame) - begin) for frame in taken])
        size = _scaled(taken[0], sampling.longest)
        frames = np.stack([_upright(frame, *size) for frame in taken])
    return Clip(frames, times, seconds)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The file and its picture; whatever the decoder raises inside becomes a typed error."""
    form = _format(path)
    try:
        import av
        from av.stream import Disposition
    except ImportError as error:
        fix = "Run `pip install 'tastemaker[video]'`."
        raise BadInput(f"A library is missing: {error}.", "the extra 'video'", fix) from error
    try:
        with av.open(str(path), format=form, metadata_errors="replace") as container:
            covers = Disposition.attached_pic
            films = [one for one in container.streams.video if not one.disposition & covers]
            if not films:
                raise BadInput(
                    "The file has no moving picture, only sound.", str(path), "Give a video."
                )
            stream = films[0]
            if not stream.codec_context:
                raise BadInput("No decoder reads its picture.", str(path), "Export it as H.264.")
            stream.codec_context.thread_count = 1
            _refuse_cut(path, stream)
            yield container, stream
    except av.FFmpegError as error:
        what = f"The video is damaged: {error.strerror or type(error).__name__}."
        raise BadInput(what, str(path), _AGAIN) from error


def _format(path: Path) -> str:
    """The demuxer for a file, by its first bytes."""
    if not path.exists():
        raise BadInput("There is no such file.", str(path), "Check the path.")
    refuse_unreadable(path)
    if path.is_dir():
        raise BadInput("This is a folder, not a video.", str(path), "Give a file.")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise BadInput("The video is empty (0 bytes).", str(path), _AGAIN)
    _refuse_short(path, _told_end(head))
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "mov"
    if head[:4] == _EBML:
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    fix = "Give an mp4, mov, mkv, webm or avi file."
    raise BadInput(f"The file begins with {head!r}, which is no video.", str(path), fix)


def _told_end(head: bytes) -> int:
    """Bytes that an avi, mkv or webm file says it has; 0 where it does not know."""
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little")
    begin = head.find(_SEGMENT) + len(_SEGMENT)
    if head[:4] != _EBML or begin < len(_SEGMENT) or begin >= len(head):
        return 0
    width = 9 - head[begin].bit_length()  # zero bits before the first 1 say how wide the number is
    unknown = 2 ** (7 * width) - 1
    size = int.from_bytes(head[begin : begin + width], "big") & unknown
    return 0 if size == unknown else begin + width + size


def _refuse_short(path: Path, told: int) -> None:
    size = path.stat().st_size
    if told > size:
        what = f"The video is cut short: {told:,} bytes are listed, {size:,} there."
        raise BadInput(what, str(path), _AGAIN)


def _refuse_cut(path: Path, stream: VideoStream) -> None:
    """Refuse a file that ends before the frames that its index lists, or is of absurd size."""
    if stream.width * stream.height > MOST_PIXELS:
        what = f"Frames of {stream.width} × {stream.height} pixels are not read."
        raise BadInput(what, str(path), f"Scale it to at most {MOST_PIXELS:,} pixels a frame.")
    if not stream.width or not stream.height:
        raise BadInput("The video has frames of no size.", str(path), _AGAIN)
    listed = len(stream.index_entries)
    last = stream.index_entries[listed - 1] if listed else None
    if last is not None:
        _refuse_short(path, last.pos + last.size)


def _seconds(container: InputContainer, stream: VideoStream) -> float:
    """How long it is: what the file says, or longer if its last frames are shown later."""
    base, begin = float(stream.time_base or 1), stream.start_time or 0
    told = (
        stream.duration if stream.duration is not None else (container.duration or 0) / 1e6 / base
    )
    container.seek(begin + int(told), stream=stream)
    ends = [
        packet.pts + (packet.duration or 0) - begin
        for packet in container.demux(stream)
        if packet.pts is not None
    ]
    container.seek(begin, stream=stream)
    if stream.duration is None and ends:
        told = 0  # what a container says may count from before the first frame
    return float(max([told, *ends])) * base


def _begin(stream: VideoStream) -> float:
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _time(frame: VideoFrame) -> float:
    return float(frame.time or 0.0)


def _uniform(
    container: InputContainer, stream: VideoStream, count: int, seconds: float
) -> Iterator[VideoFrame]:
    """The frame that is shown at the middle of each of `count` equal parts."""
    begin, base = _begin(stream), float(stream.time_base or 1)
    times = begin + seconds * (np.arange(count) + 0.5) / count
    frames = container.decode(stream)
    shown: VideoFrame | None = next(frames, None)
    after: VideoFrame | None = shown
    for time in times.tolist():
        sure = int((time - _REORDERED) / base)
        key = stream.index_entries.search_timestamp(sure, backward=True)
        reached = _time(after) if after is not None else np.inf
        if key > 0 and stream.index_entries[key].timestamp * base > reached:
            container.seek(sure, stream=stream)
            frames = container.decode(stream)
            after = next(frames, None)
        while after is not None and _time(after) <= time + 1e-9:
            shown, after = after, next(frames, None)
        if shown is not None:
            yield shown


def _strided(
    container: InputContainer, stream: VideoStream, sampling: Sampling
) -> Iterator[VideoFrame]:
    last = sampling.stride * (sampling.frames - 1)
    for number, frame in enumerate(container.decode(stream)):
        if number % sampling.stride == 0:
            yield frame
        if number >= last:
            return


def _keyframes(container: InputContainer, stream: VideoStream, count: int) -> Iterator[VideoFrame]:
    """At most so many of those that stand alone: the middles of equal parts.

    They are counted first and then decoded again: those of a whole film do not fit into memory.
    """
    stream.codec_context.skip_frame = "NONKEY"
    many = sum(1 for _ in container.decode(stream))
    container.seek(stream.start_time or 0, stream=stream)
    some = min(many, count)
    wanted = {int((place + 0.5) * many / some) for place in range(some)}
    for number, frame in enumerate(container.decode(stream)):
        if number in wanted:
            yield frame


def _scaled(frame: VideoFrame, longest: int) -> tuple[int, int]:
    """Width and height of every frame: those of the first, for a stream may change its size."""
    sides, most = (frame.width, frame.height), max(frame.width, frame.height)
    width, height = (max(1, round(s * longest / most)) if longest else s for s in sides)
    return width, height


def _upright(frame: VideoFrame, width: int, height: int) -> Pixels:
    """(H, W, 3) of a frame as it is to be seen: turned by what the file says, and scaled."""
    if (frame.width, frame.height) != (width, height):
        frame = frame.reformat(width=width, height=height, format="rgb24")
    pixels: Pixels = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
