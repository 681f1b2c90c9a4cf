"""Which frames are taken, on videos of many kinds: lengths, rates, key frames, turns and sizes."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tastemaker.data.media import MOST_PIXELS, Clip, Sampling, _keyframes, read_frames
from tastemaker.errors import BadInput
from tests.data.films import av, numbers, write_film


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty frames in three seconds, a key frame every twelve."""
    return write_film(tmp_path_factory.mktemp("films") / "a.mp4")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6, 10, 15, 30, 45])
def test_as_many_frames_as_are_asked_for_evenly_spread(film: Path, count: int) -> None:
    clip = read_frames(film, Sampling(frames=count))
    assert len(clip.frames) == len(clip.times) == count
    middles = 3 * (np.arange(count) + 0.5) / count
    assert numbers(clip.frames) == np.floor(10 * middles + 1e-9).astype(int).tolist()
    assert (clip.times <= middles + 1e-9).all() and (np.diff(clip.times) >= 0).all()


@pytest.mark.parametrize(
    ("stride", "count"), [(1, 30), (1, 100), (2, 5), (7, 10), (29, 4), (40, 3)]
)
def test_every_so_many_frames_from_the_first(film: Path, stride: int, count: int) -> None:
    clip = read_frames(film, Sampling("stride", count, stride))
    assert numbers(clip.frames) == list(range(0, 30, stride))[:count]


@pytest.mark.parametrize("gop", [1, 5, 10, 100])
def test_key_frames_are_those_that_stand_alone(tmp_path: Path, gop: int) -> None:
    film = write_film(tmp_path / "a.mp4", gop=gop)
    with av.open(str(film)) as container:
        keys = [f.time for f in container.decode(video=0) if f.key_frame]
    every = read_frames(film, Sampling("keyframes", 100))
    assert every.times == pytest.approx(keys)
    few = read_frames(film, Sampling("keyframes", 2))
    assert len(few.frames) == min(2, len(keys)) and set(few.times) <= set(every.times)
    spread = read_frames(film, Sampling(frames=9))
    wanted = np.floor(10 * 3 * (np.arange(9) + 0.5) / 9 + 1e-9).astype(int)
    assert numbers(spread.frames) == wanted.tolist()


def test_of_all_key_frames_only_those_wanted_are_held() -> None:
    """A film of two hours has thousands: together they would fill the memory."""
    alive: set[int] = set()
    most = 0

    class Frame:
        def __init__(self, number: int) -> None:
            self.number = number
            alive.add(number)

        def __del__(self) -> None:
            alive.discard(self.number)

    class Container:
        def decode(self, stream: object) -> Iterator[Frame]:
            nonlocal most
            for number in range(1000):
                yield Frame(number)
                most = max(most, len(alive))

        def seek(self, offset: int, stream: object) -> None:
            assert offset == 0

    stream = SimpleNamespace(codec_context=SimpleNamespace(), start_time=None)
    kept: Any = list(_keyframes(Container(), stream, 4))  # type: ignore[arg-type]
    assert [frame.number for frame in kept] == [125, 375, 625, 875]
    assert stream.codec_context.skip_frame == "NONKEY" and most <= 4 + 2


def test_one_frame_is_a_video(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", frames=1)
    for kind in ("uniform", "keyframes", "stride"):
        clip = read_frames(film, Sampling(kind, 3))
        assert set(numbers(clip.frames)) == {0} and clip.times[0] == 0
    assert len(read_frames(film, Sampling(frames=3)).frames) == 3


def test_frames_are_rgb_whatever_is_stored(tmp_path: Path) -> None:
    """Red is red: planes are not mixed up."""
    path = tmp_path / "red.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
        for _ in range(3):
            picture = np.zeros((32, 48, 3), np.uint8)
            picture[..., 0] = 250
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    red, green, blue = read_frames(path).frames.mean(axis=(0, 1, 2))
    assert red > 200 and green < 40 and blue < 40


@pytest.mark.parametrize("start", [0, 5, 100])
def test_times_are_counted_from_where_the_video_begins(tmp_path: Path, start: int) -> None:
    film = write_film(tmp_path / "a.mp4", times=range(start, start + 20))
    clip = read_frames(film, Sampling(frames=2))
    assert numbers(clip.frames) == [5, 15]
    assert clip.times == pytest.approx([0.5, 1.5], abs=0.11)


@pytest.mark.parametrize("longest", [16, 32, 64, 128])
@pytest.mark.parametrize("rotation", [0, 90])
def test_the_longer_side_is_what_was_asked_for(tmp_path: Path, longest: int, rotation: int) -> None:
    film = write_film(tmp_path / "a.mp4", frames=2, rotation=rotation)
    frames = read_frames(film, Sampling(frames=1, longest=longest)).frames
    assert max(frames.shape[1:3]) == longest
    assert min(frames.shape[1:3]) == round(longest * 48 / 64)
    assert (frames.shape[1] > frames.shape[2]) == (rotation == 90)


@pytest.mark.parametrize("rotation", [1, 89, 91, 359])
def test_a_turn_that_is_nearly_right_is_taken_for_right(tmp_path: Path, rotation: int) -> None:
    clip = read_frames(write_film(tmp_path / "a.mp4", frames=2, rotation=rotation))
    turned = rotation in (89, 91)
    assert clip.frames.shape[1:3] == ((64, 48) if turned else (48, 64))


def test_sound_beside_the_picture_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.height, video.width, video.pix_fmt = 48, 64, "yuv420p"
        sound = container.add_stream("aac", rate=8000, layout="mono")
        for number in range(20):
            picture = np.full((48, 64, 3), 8 * number, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(video.encode(frame))
        for start in range(0, 16 * 1024, 1024):
            quiet = np.zeros((1, 1024), np.float32)
            heard = av.AudioFrame.from_ndarray(quiet, format="fltp", layout="mono")
            heard.sample_rate, heard.pts = 8000, start
            container.mux(sound.encode(heard))
        container.mux(video.encode())
        container.mux(sound.encode())
    clip = read_frames(path, Sampling(frames=4))
    assert numbers(clip.frames) == [2, 7, 12, 17]
    assert clip.seconds == pytest.approx(2, abs=0.1)


def test_reading_twice_gives_the_same(film: Path) -> None:
    def arrays(clip: Clip) -> tuple[bytes, bytes]:
        return clip.frames.tobytes(), clip.times.tobytes()

    for sampling in (None, Sampling("keyframes"), Sampling("stride", 5, 3, 32)):
        assert arrays(read_frames(film, sampling)) == arrays(read_frames(film, sampling))


def test_absurd_sizes_are_refused(film: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tastemaker.data.media.MOST_PIXELS", 48 * 64 - 1)
    with pytest.raises(BadInput, match="64 × 48"):
        read_frames(film)
    assert MOST_PIXELS >= 7680 * 4320


@pytest.mark.parametrize(
    "head",
    [
        b"GIF89a" + bytes(20),
        b"\x89PNG\r\n\x1a\n" + bytes(20),
        b"#EXTM3U\n#EXT-X-VERSION:3\n",
        b"<html></html>",
        b"ffconcat version 1.0\nfile /etc/hosts\n",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    ],
)
def test_what_only_calls_itself_a_video_is_not_opened(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(head)
    with pytest.raises(BadInput) as refused:
        read_frames(path)
    assert "no video" in refused.value.what and "mp4" in refused.value.fix


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_file_that_was_cut_anywhere_is_refused(film: Path, tmp_path: Path, share: float) -> None:
    raw = film.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(raw[: int(share * len(raw))])
    with pytest.raises(BadInput) as refused:
        read_frames(cut)
    assert refused.value.where == str(cut) and refused.value.fix
