import logging
import subprocess
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from subwhisper.errors import MediaError
from subwhisper.media.decode import LONGEST_HOLE, _packets, in_blocks, on_the_clock, open_audio
from subwhisper.media.ffmpeg import find_ffmpeg, run

Make = Callable[..., Path]
Load = Callable[[Path], np.ndarray]
RATE = 16_000


def heard(path: Path, **options: object) -> np.ndarray:
    return np.concatenate(list(open_audio(path, **options).blocks()))


def loud(samples: np.ndarray) -> list[bool]:
    """Whether there is sound, for each tenth of a second."""
    return [bool(np.abs(tenth).max() > 0.02) for tenth in np.split(samples, range(1600, len(samples), 1600))]


SAME_AS_OPENAI = [
    "media/8-channel-id.m4a",
    "media/silero-test.opus",
    "media/sonnet-line-p001.aiff",
    "media/sonnet-line-p001.mp3",
    "media/sonnet-line-p001.mp4",
    "media/sonnet-line-p001.ogg",
    "media/sonnet-line-p001.webm",
    "media/stereo.sph",
    "speech/common_voice_ja_20527819.mp3",
    "speech/mfa-cold_corpus_24bit.wav",
    "speech/shakespeare-sonnet-1.mp3",
    "speech/stereo-two-speakers.flac",
    "video/ai-explained.webm",
    "video/big_buck_bunny_small.mp4",
    "video/grid-s1-bbaf2n.mpg",
    "video/nasa_13013.mp4",
    "video/two-audio-tracks-en-de.mkv",
    "video/vfr-webb.mp4",
]


@pytest.mark.parametrize("name", SAME_AS_OPENAI)
def test_samples_are_those_of_openai_whisper(samples: Path, openai_samples: Load, name: str) -> None:
    np.testing.assert_array_equal(heard(samples / name), openai_samples(samples / name))


def test_blocks_are_half_a_minute_and_can_be_read_again(samples: Path) -> None:
    audio = open_audio(samples / "speech/shakespeare-sonnet-1.mp3")
    first, second = list(audio.blocks()), list(audio.blocks())
    assert [block.dtype for block in first] == [np.float32, np.float32]
    assert 30 * RATE <= len(first[0]) < 30.1 * RATE
    np.testing.assert_array_equal(np.concatenate(first), np.concatenate(second))
    assert audio.duration == pytest.approx(sum(map(len, first)) / RATE, abs=0.1)


def test_a_reader_that_stops_leaves_no_ffmpeg(samples: Path, started: list[subprocess.Popen[bytes]]) -> None:
    blocks = open_audio(samples / "speech/shakespeare-sonnet-1.mp3").blocks()
    next(blocks)
    assert started[-1].returncode is None
    blocks.close()
    assert started[-1].returncode is not None


def test_a_track_that_starts_late_is_heard_late(samples: Path) -> None:
    late = heard(samples / "video/audio-offset-2s.mkv")
    prompt = heard(samples / "video/grid-s1-bbaf2n.mpg")
    assert not late[: int(1.99 * RATE)].any()
    spectrum = np.fft.rfft(late, 1 << 18) * np.fft.rfft(prompt, 1 << 18).conj()
    assert np.fft.irfft(spectrum).argmax() / RATE == pytest.approx(2.0, abs=0.03)  # the same words, two seconds on


def test_a_delayed_track_lasts_as_long_as_its_container(samples: Path) -> None:
    delayed = heard(samples / "video/sample_MKV_delayed.mkv")
    assert not delayed[: RATE // 2].any()
    assert len(delayed) / RATE == pytest.approx(5.492, abs=0.01)


def test_a_lone_sound_never_shifts(make: Make, openai_samples: Load) -> None:
    late = make("-itsoffset", 3, "-f", "lavfi", "-i", "sine=d=2", "-c:a", "pcm_s16le", "-copyts", name="late.mkv")
    assert open_audio(late).alone
    np.testing.assert_array_equal(heard(late), openai_samples(late))


def test_cover_art_shifts_nothing(make: Make, openai_samples: Load) -> None:
    art = make("-f", "lavfi", "-i", "color=s=64x64", "-frames:v", 1, name="art.png")
    inputs = ["-f", "lavfi", "-i", "sine=d=1", "-i", art]
    song = make(*inputs, "-map", 0, "-map", 1, "-c:v", "copy", "-disposition:v", "attached_pic", name="song.mp3")
    assert open_audio(song).alone
    np.testing.assert_array_equal(heard(song), openai_samples(song))


def test_a_hole_in_the_sound_is_filled(make: Make, openai_samples: Load) -> None:
    inputs = ["-f", "lavfi", "-i", "color=s=64x64:r=5:d=6", "-f", "lavfi", "-i", "sine=d=6"]
    hole = ["-af", "aselect=not(between(t\\,2\\,4)),asetnsamples=1024"]
    path = make(*inputs, *hole, "-c:v", "libx264", "-c:a", "pcm_s16le", name="hole.mkv")
    samples = heard(path)
    assert len(openai_samples(path)) / RATE == pytest.approx(4.0, abs=0.05)
    assert len(samples) / RATE == pytest.approx(6.0, abs=0.05)
    assert loud(samples)[:19] == [True] * 19
    assert loud(samples)[21:39] == [False] * 18
    assert loud(samples)[42:59] == [True] * 17


@pytest.mark.parametrize("track", [1, "1", "de", "deu", "GER", "German", "de-AT"])
def test_a_track_is_chosen_by_number_or_language(samples: Path, track: int | str) -> None:
    path = samples / "video/two-audio-tracks-en-de.mkv"
    assert open_audio(path, track=track).track == 1
    assert len(heard(path, track=track)) / RATE == pytest.approx(5.28, abs=0.03)
    assert len(heard(path)) / RATE == pytest.approx(3.0, abs=0.03)


@pytest.mark.parametrize("track", [2, -1, "fr", "Klingon", "9"])
def test_a_track_that_is_not_there_lists_those_that_are(samples: Path, track: int | str) -> None:
    with pytest.raises(MediaError, match=r"has no sound track .*0 \(eng, aac, 1 channel\); 1 \(deu, opus, 1 channel\)"):
        open_audio(samples / "video/two-audio-tracks-en-de.mkv", track=track)


@pytest.mark.parametrize("name", ["video/sample_MKV_SRT.mkv", "video/h265_video.mp4", "subtitles/bom-utf-8.srt"])
def test_a_file_without_sound_is_named(samples: Path, name: str) -> None:
    with pytest.raises(MediaError, match="has no sound track"):
        open_audio(samples / name)


BROKEN = {
    "aeneas-mono.empty.wav": "is empty",
    "aeneas-mono.invalid.wav": "is not audio or video",
    "aeneas-mono.zero.wav": "no sound could be decoded",
    "pocketsphinx-awful.wav": "no sound could be decoded",
    "pocketsphinx-bad.wav": "is not audio or video",
    "pocketsphinx-evil.wav": "is not audio or video",
    "pocketsphinx-null.wav": "no sound could be decoded",
    "truncated-half.mp4": "is not audio or video",
}


@pytest.mark.parametrize(("name", "words"), BROKEN.items())
def test_a_broken_file_gives_one_clear_error(samples: Path, name: str, words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        heard(samples / "broken" / name)
    assert name in caught.value.message


@pytest.mark.parametrize(("name", "seconds"), [("corrupted.flac", 5.8), ("truncated.webm", 7.0)])
def test_damaged_sound_is_used_with_one_warning(
    samples: Path, caplog: pytest.LogCaptureFixture, name: str, seconds: float
) -> None:
    audio = open_audio(samples / "broken" / name)
    with caplog.at_level(logging.WARNING):
        lengths = [sum(map(len, audio.blocks())) for _ in range(2)]
    assert lengths[0] == lengths[1] == pytest.approx(seconds * RATE, abs=0.1 * RATE)
    assert [name in message for message in caplog.messages] == [True]


def test_sound_that_changes_its_format_is_decoded_to_the_end(make: Make, tmp_path: Path) -> None:
    first = make("-f", "lavfi", "-i", "sine=d=5", "-ac", 2, "-ar", 44100, name="first.mp3")
    second = make("-f", "lavfi", "-i", "sine=d=5", "-ac", 1, "-ar", 22050, name="second.mp3")
    joined = tmp_path / "joined.mp3"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    assert len(heard(joined)) / RATE == pytest.approx(10, abs=0.2)


def test_any_name_can_be_read(clip: Path, evil_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    evil = clip.rename(clip.with_name(evil_name + ".mp4"))
    monkeypatch.chdir(evil.parent)
    expected = len(heard(evil))
    assert expected / RATE == pytest.approx(2, abs=0.05)
    assert len(heard(Path(evil.name))) == expected  # relative: "-i.mp4", "http:.mp4"


def test_a_name_that_is_not_utf8_can_be_read(clip: Path) -> None:
    odd = clip.with_name("caf\udce9.mp4")  # Latin-1 on disk
    try:
        clip.rename(odd)
    except (OSError, UnicodeError):
        pytest.skip("this file system takes only UTF-8")
    assert len(heard(odd)) / RATE == pytest.approx(2, abs=0.05)


def test_a_playlist_does_not_reach_the_network(tmp_path: Path) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(MediaError):
        heard(playlist)


# ── the clock, with planted packets ──────────────────────────────────────────────────────────────


def packet(time: int, length: int = 400) -> tuple[int, np.ndarray]:
    return time, np.ones(length, np.int16)


def clocked(*packets: tuple[int, np.ndarray], lead: int | None = 0, alone: bool = False, end: int | None = None) -> str:
    """One letter per 400 samples: s sound, - silence."""
    samples = np.concatenate(list(on_the_clock(packets, lead=lead, alone=alone, end=end)))
    return "".join("s" if part.any() else "-" for part in np.split(samples, range(400, len(samples), 400)))


def test_the_clock_decides_where_sound_is_put() -> None:
    assert clocked(packet(0), packet(400)) == "ss"
    assert clocked(packet(4000), packet(4400), lead=4000) == "-" * 10 + "ss"
    assert clocked(packet(4000), packet(4400), lead=4000, alone=True) == "ss"
    assert clocked(packet(4000), packet(4400), lead=None) == "-" * 10 + "ss"
    assert clocked(packet(300), packet(700), lead=300) == "ss"  # 19 ms: a codec's delay
    assert clocked(packet(0), packet(4400)) == "s" + "-" * 10 + "s"
    assert clocked(packet(0), packet(1600)) == "ss"  # 75 ms: timestamps wander
    assert clocked(packet(0), packet(0), packet(0)) == "sss"  # overlapping: every sample is kept


def test_a_first_second_that_was_lost_is_filled_even_when_the_sound_is_alone() -> None:
    assert clocked(packet(4000), lead=0, alone=True) == "-" * 10 + "s"


def test_small_losses_are_made_up_when_they_add_up() -> None:
    packets = [packet(i * 500) for i in range(100)]  # each loses 100 samples
    assert len(clocked(*packets)) * 400 == pytest.approx(100 * 500, abs=1600)


def test_a_clock_that_jumps_past_the_end_is_not_believed() -> None:
    assert clocked(packet(0), packet(1_000_000), packet(1_000_400), end=2000) == "sss"
    assert clocked(packet(0), packet(LONGEST_HOLE + 1000)) == "ss"


def test_blocks_lose_nothing() -> None:
    pieces = [np.arange(i, i + 7, dtype=np.int16) for i in range(0, 70, 7)]
    blocks = list(in_blocks(pieces, 20))
    assert [len(block) for block in blocks] == [21, 21, 21, 7]
    np.testing.assert_array_equal(np.concatenate(blocks) * 32768, np.arange(70))


def _nut(folder: Path) -> bytes:
    sound = ["-f", "lavfi", "-i", "sine=d=20:r=16000", "-c:a", "pcm_s16le", "-y", str(folder / "sound.nut")]
    run(sound, ffmpeg=find_ffmpeg(), source=folder)
    return (folder / "sound.nut").read_bytes()


@pytest.mark.parametrize("cut", [200_000, 200_001])
def test_a_stream_may_end_within_a_sample(cut: int, tmp_path: Path) -> None:
    nut = _nut(tmp_path)
    n_samples = sum(len(samples) for _, samples in _packets(BytesIO(nut[:cut])))
    assert 90_000 < n_samples < 100_000
    for interrupted_at in (cut, cut + 1, cut + 7):  # what was read of a packet when Ctrl-C came is no packet

        class Interrupted(BytesIO):
            def read(self, size: int | None = -1, stop: int = interrupted_at) -> bytes:
                if self.tell() >= stop:
                    raise KeyboardInterrupt
                return super().read(min(size or 0, stop - self.tell()))

        with pytest.raises(KeyboardInterrupt):
            list(_packets(Interrupted(nut)))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_while_a_packet_is_read_comes_through(
    interruption: type[BaseException], tmp_path: Path
) -> None:
    nut = _nut(tmp_path)

    class Interrupted(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 200_000:
                raise interruption
            return super().read(size)

    read = []
    with pytest.raises(interruption):
        read += [len(samples) for _, samples in _packets(Interrupted(nut))]
