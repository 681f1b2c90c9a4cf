"""Frames of videos: the right ones, upright, and an error with a fix for what is no video."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tastemaker.data.media import Sampling, read_frames
from tastemaker.errors import BadInput
from tests.data.films import av, numbers, write_film


def test_frames_are_spread_evenly_in_time(tmp_path: Path) -> None:
    clip = read_frames(write_film(tmp_path / "a.mp4"), Sampling(frames=5))
    assert clip.frames.shape == (5, 48, 64, 3) and clip.seconds == pytest.approx(3)
    assert numbers(clip.frames) == [3, 9, 15, 21, 27]
    assert clip.times == pytest.approx([0.3, 0.9, 1.5, 2.1, 2.7])


def test_of_a_long_video_only_what_is_near_is_decoded(tmp_path: Path) -> None:
    """The frames are those that decoding everything finds, key frames between them or not."""
    film = write_film(tmp_path / "a.mp4", frames=31, times=range(0, 620, 20), gop=4)
    with av.open(str(film)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    for count in (1, 2, 3, 7):
        clip = read_frames(film, Sampling(frames=count))
        middles = clip.seconds * (np.arange(count) + 0.5) / count
        wanted = [max(k for k, time in enumerate(times) if time <= one) for one in middles]
        assert numbers(clip.frames) == wanted


def test_a_rate_that_varies_is_sampled_as_it_is_seen(tmp_path: Path) -> None:
    """Ten frames in the first second, then one that stands for nine."""
    film = write_film(tmp_path / "a.mp4", times=[*range(10), 10, 100], gop=30)
    clip = read_frames(film, Sampling(frames=5))
    assert numbers(clip.frames) == [10, 10, 10, 10, 10]
    assert clip.times == pytest.approx([1.0] * 5) and clip.seconds == pytest.approx(10.1)
    assert numbers(read_frames(film, Sampling("stride", 3, 4)).frames) == [0, 4, 8]


@pytest.mark.parametrize(("kind", "wanted"), [("keyframes", [0, 12, 24]), ("stride", [0, 4, 8])])
def test_key_frames_and_strides(tmp_path: Path, kind: str, wanted: list[int]) -> None:
    film = write_film(tmp_path / "a.mp4")
    clip = read_frames(film, Sampling(kind, 3, 4))  # type: ignore[arg-type]
    assert numbers(clip.frames) == wanted
    one = read_frames(film, Sampling(kind, 1, 4))  # type: ignore[arg-type]
    assert len(one.frames) == 1


def test_a_video_of_fewer_frames_repeats_them(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", frames=2)
    assert numbers(read_frames(film, Sampling(frames=4)).frames) == [0, 0, 1, 1]
    assert len(read_frames(film, Sampling("stride", 4)).frames) == 2


@pytest.mark.parametrize(
    ("rotation", "corner"),
    [(0, (0, 0)), (90, (1, 0)), (180, (1, 1)), (-90, (0, 1))],
)
def test_a_turned_video_is_turned_back(
    tmp_path: Path, rotation: int, corner: tuple[int, int]
) -> None:
    """By so many degrees against the clock, as the matrix of the file says."""
    clip = read_frames(write_film(tmp_path / "a.mp4", rotation=rotation), Sampling(frames=1))
    upright = (48, 64) if rotation in (0, 180) else (64, 48)
    assert clip.frames.shape[1:3] == upright
    ends = [[clip.frames[0, r, c].mean() for c in (2, -3)] for r in (2, -3)]
    assert np.unravel_index(int(np.argmax(ends)), (2, 2)) == corner


def test_frames_may_be_scaled(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", rotation=90)
    assert read_frames(film, Sampling(frames=2, longest=32)).frames.shape == (2, 32, 24, 3)


def test_webm_and_avi_are_read(tmp_path: Path) -> None:
    for name, codec in (("a.mkv", "libx264"), ("a.avi", "mpeg4")):
        film = write_film(tmp_path / name, codec=codec)
        assert numbers(read_frames(film, Sampling(frames=5)).frames) == [3, 9, 15, 21, 27]


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as error:
        read_frames(path)
    assert error.value.where == str(path) and error.value.fix
    return error.value


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    film = tmp_path / "a.mp4"
    assert "no such file" in refused(film).what
    assert "folder" in refused(tmp_path).what
    film.write_bytes(b"")
    assert "0 bytes" in refused(film).what
    film.write_text("#EXTM3U\nhttp://example.org/a.ts\n")
    assert "EXTM3U" in refused(film).what
    film.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(64))
    refused(film)


def test_a_damaged_video_is_refused(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", frames=30)
    raw = film.read_bytes()
    film.write_bytes(raw[: len(raw) // 2])
    refused(film)
    quick = tmp_path / "quick.mp4"
    with av.open(str(quick), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        rng = np.random.default_rng(0)
        for _ in range(20):
            noise = rng.integers(0, 255, (48, 64, 3)).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="rgb24")))
        container.mux(stream.encode())
    raw = quick.read_bytes()
    quick.write_bytes(raw[: len(raw) * 2 // 3])
    assert "cut short" in refused(quick).what


def test_whatever_bytes_are_changed_it_is_read_or_refused(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4")
    raw, rng, ends = film.read_bytes(), np.random.default_rng(0), set()
    kinds = ("uniform", "keyframes", "stride")
    for number in range(120):
        changed = bytearray(raw)
        for place in rng.integers(12, len(raw), rng.integers(1, 20)):
            changed[place] = rng.integers(256)
        film.write_bytes(changed[: rng.integers(12, len(raw))] if number % 4 == 0 else changed)
        try:
            ends.add(len(read_frames(film, Sampling(kinds[number % 3], 2)).frames) > 0)
        except BadInput as error:
            ends.add(error.where)
    assert ends == {True, str(film)}


@pytest.mark.parametrize("value", [-1, 10**10])
@pytest.mark.parametrize("name", ["frames", "stride", "longest"])
def test_a_sampling_that_takes_nothing_is_refused(name: str, value: int) -> None:
    with pytest.raises(BadInput):
        Sampling(**{name: value})


def test_a_way_to_sample_that_is_not_known_is_refused() -> None:
    with pytest.raises(BadInput, match="is not known") as refused:
        Sampling("random")  # type: ignore[arg-type]
    assert "keyframes or stride" in refused.value.fix


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "a.mp4", frames=2)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match="missing") as error:
        read_frames(film)
    assert "tastemaker[video]" in error.value.fix


@pytest.mark.parametrize("name", ["bikes", "bigbuckbunny", "carphone_pristine"])
def test_real_clips_are_sampled_as_if_all_were_decoded(name: str) -> None:
    folder = Path(os.environ.get("TASTEMAKER_DATA", "../shared/data")) / "video-clips"
    if not folder.is_dir():
        pytest.skip("video-clips is not among the data of TASTEMAKER_DATA")
    film = folder / f"{name}.mp4"
    with av.open(str(film)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    clip = read_frames(film, Sampling(longest=64))
    middles = clip.seconds * (np.arange(8) + 0.5) / 8
    assert clip.times == pytest.approx(
        [max(t for t in times if t <= one + 1e-9) for one in middles]
    )
