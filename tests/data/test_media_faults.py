"""Files of every odd kind: read as a person sees them, or refused by name with what to do."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from tastemaker.data import media
from tastemaker.data.media import Sampling, read_frames
from tastemaker.errors import BadInput
from tests.data.films import numbers, same_film, write_film, write_sizes, write_sound

Kind = Literal["uniform", "keyframes", "stride"]
KINDS: tuple[Kind, ...] = ("uniform", "keyframes", "stride")


def refused(path: Path, kind: Kind = "uniform") -> BadInput:
    with pytest.raises(BadInput) as error:
        read_frames(path, Sampling(kind))
    assert error.value.where == str(path) and error.value.fix and error.value.exit_code == 2
    return error.value


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ["avi", "mkv", "mov"])
def test_frames_that_change_their_size_take_that_of_the_first(
    tmp_path: Path, ending: str, kind: Kind
) -> None:
    film = write_sizes(tmp_path / f"a.{ending}", [(48, 64)] * 3 + [(96, 128)] * 2 + [(64, 48)])
    clip = read_frames(film, Sampling(kind, 6))
    assert clip.frames.shape == (6, 48, 64, 3) and numbers(clip.frames) == [0, 1, 2, 3, 4, 5]
    small = read_frames(film, Sampling(kind, 6, longest=32))
    assert small.frames.shape == (6, 24, 32, 3) and numbers(small.frames) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("cover", [False, True])
def test_a_file_of_sound_has_no_frames_though_it_has_a_cover(tmp_path: Path, cover: bool) -> None:
    assert "sound" in refused(write_sound(tmp_path / "a.m4a", cover)).what


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libx264"), ("a.avi", "mpeg4"), ("a.mp4", "libx264")]
)
def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path, name: str, codec: str) -> None:
    film = write_film(tmp_path / name, codec=codec)
    raw = film.read_bytes()
    for left in (0.02, 0.3, 0.6, 0.9):
        film.write_bytes(raw[: int(len(raw) * left)])
        error = refused(film)
        if name.endswith("mkv") and left > 0.02:
            assert f"{len(raw):,} bytes" in error.what and f"{int(len(raw) * left):,}" in error.what


def test_a_stream_that_does_not_know_its_length_is_read(tmp_path: Path) -> None:
    """As browsers record: the segment's size is all ones, so nothing says where it ends."""
    film = write_film(tmp_path / "a.mkv")
    raw = bytearray(film.read_bytes())
    begin = raw.index(b"\x18\x53\x80\x67") + 4
    assert raw[begin] == 1
    raw[begin : begin + 8] = b"\x01" + b"\xff" * 7
    film.write_bytes(raw)
    assert numbers(read_frames(film, Sampling(frames=5)).frames) == [3, 9, 15, 21, 27]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
def test_time_is_counted_from_the_first_frame(tmp_path: Path, name: str) -> None:
    """A cut out of the middle of a film, whose times begin at ten seconds."""
    film = write_film(tmp_path / name, times=range(100, 130))
    clip = read_frames(film, Sampling(frames=5))
    assert clip.seconds == pytest.approx(3) and numbers(clip.frames) == [3, 9, 15, 21, 27]
    assert clip.times == pytest.approx([0.3, 0.9, 1.5, 2.1, 2.7])
    assert read_frames(film, Sampling("stride", 1)).times == pytest.approx([0.0])


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.avi", "mpeg4")]
)
def test_a_video_of_one_frame_is_one(tmp_path: Path, name: str, codec: str) -> None:
    film = write_film(tmp_path / name, frames=1, codec=codec)
    for kind in KINDS:
        clip = read_frames(film, Sampling(kind, 3, 5))
        assert len(clip.frames) == (3 if kind == "uniform" else 1)
        assert set(numbers(clip.frames)) == {0} and clip.times.tolist() == [0.0] * len(clip.frames)


@pytest.mark.parametrize("kind", KINDS)
def test_more_frames_than_there_are(tmp_path: Path, kind: Kind) -> None:
    """Evenly in time all are there, each as often; the others give what there is, once."""
    film = write_film(tmp_path / "a.mp4", frames=10, gop=1)
    found = numbers(read_frames(film, Sampling(kind, 40)).frames)
    times = 4 if kind == "uniform" else 1
    assert found == np.repeat(np.arange(10), times).tolist()


def test_key_frames_of_a_varying_rate_have_their_own_times(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4", times=[*range(10), 10, 100], gop=3)
    clip = read_frames(film, Sampling("keyframes", 3))
    assert numbers(clip.frames) == [0, 6, 9] and clip.times == pytest.approx([0.0, 0.6, 0.9])
    assert clip.seconds == pytest.approx(10.1)


def test_three_quarters_of_a_turn_are_one_quarter_back(tmp_path: Path) -> None:
    turned = [read_frames(write_film(tmp_path / f"{n}.mp4", rotation=n)) for n in (270, -90)]
    assert same_film(turned[0].frames, turned[1].frames)
    assert turned[0].frames.shape[1:3] == (64, 48)


@pytest.mark.parametrize("kind", KINDS)
def test_every_way_to_sample_turns_frames(tmp_path: Path, kind: Kind) -> None:
    half = read_frames(write_film(tmp_path / "b.mp4", rotation=180), Sampling(kind, 2)).frames
    whole = read_frames(write_film(tmp_path / "a.mp4"), Sampling(kind, 2)).frames
    assert same_film(half, whole[:, ::-1, ::-1])


@pytest.mark.parametrize(
    ("size", "longest", "wanted"),
    [((16, 16), 1, (1, 1)), ((16, 64), 4, (1, 4)), ((64, 16), 4, (4, 1)), ((16, 16), 40, (40, 40)),
     ((16, 64), 64, (16, 64)), ((18, 50), 25, (9, 25)), ((16, 640), 8, (1, 8))],
)  # fmt: skip
def test_the_longer_side_is_as_asked_and_no_side_is_nothing(
    tmp_path: Path, size: tuple[int, int], longest: int, wanted: tuple[int, int]
) -> None:
    clip = read_frames(write_film(tmp_path / "a.mp4", 3, size), Sampling(frames=1, longest=longest))
    assert clip.frames.shape[1:3] == wanted


def test_the_name_of_a_file_says_nothing_and_what_follows_it_is_left(tmp_path: Path) -> None:
    film = write_film(tmp_path / "a.mp4")
    whole = read_frames(film).frames
    other = tmp_path / "a.txt"
    other.write_bytes(film.read_bytes() + b"what somebody appended")
    assert np.array_equal(read_frames(other).frames, whole)


def test_what_would_be_read_without_end_is_not_opened(tmp_path: Path) -> None:
    assert "device" in refused(Path(os.devnull)).what
    pipe = tmp_path / "pipe.mp4"
    os.mkfifo(pipe)
    assert "pipe" in refused(pipe).what


def test_frames_of_absurd_size_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = write_film(tmp_path / "a.mp4", frames=2)
    monkeypatch.setattr(media, "MOST_PIXELS", 48 * 64 - 1)
    assert "64 × 48" in refused(film).what
    monkeypatch.setattr(media, "MOST_PIXELS", 48 * 64)
    assert len(read_frames(film).frames) == 8


@pytest.mark.parametrize("head", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WAVEfmt ",
                                  b"PK\3\4", b"\0" * 40, b"<html>", b"\x7fELF", b"a"])  # fmt: skip
def test_other_kinds_of_files_are_told_by_how_they_begin(tmp_path: Path, head: bytes) -> None:
    film = tmp_path / "a.mp4"
    film.write_bytes(head + bytes(40) if len(head) > 1 else head)
    assert repr(head[:1])[2:-1] in refused(film).what


@pytest.mark.parametrize("head", [b"RIFF\0\0\0\0AVI ", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftypmp42"])
def test_a_head_without_a_body_is_refused(tmp_path: Path, head: bytes) -> None:
    film = tmp_path / "a.mp4"
    for body in (b"", bytes(300), b"\x18\x53\x80\x67", b"\x18\x53\x80\x67\0" + bytes(20)):
        film.write_bytes(head + body)
        refused(film)
