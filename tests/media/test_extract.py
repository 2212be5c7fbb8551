import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from subwhisper.errors import MediaError, OptionError
from subwhisper.media.decode import open_audio
from subwhisper.media.extract import (
    SOUND_FILES,
    SoundChoice,
    extract_audio,
    extract_subtitles,
    natural_suffix,
    text_track,
)
from subwhisper.media.probe import probe
from subwhisper.media.sound import SoundOptions

Make = Callable[..., Path]

SRT = """1
00:00:00,123 --> 00:00:01,457
a < b and c > d & {\\an8} \\N back\\slash -->

2
00:00:01,500 --> 00:00:01,999
- второй ♪
- תודה 日本 😀
"""
VTT = """WEBVTT

one
00:00.123 --> 00:01.457 align:start line:10%
<v Bob>a &lt; b &amp; <c.yellow>c</c>

00:01.500 --> 00:02.001
two
lines
"""


def heard(path: Path, *more: object) -> np.ndarray:
    """Samples as the file has them, channels beside each other."""
    from subwhisper.media.ffmpeg import find_ffmpeg

    channels = probe(path).audio[0].channels
    command = [find_ffmpeg(), "-v", "error", "-i", f"file:{path}", *more, "-f", "f32le", "-c:a", "pcm_f32le", "-"]
    raw = subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.float32).reshape(-1, channels)


def loudness(path: Path) -> float:
    """Integrated loudness in LUFS, as ffmpeg's own meter has it."""
    from subwhisper.media.ffmpeg import find_ffmpeg

    command = [find_ffmpeg(), "-hide_banner", "-i", f"file:{path}", "-af", "ebur128", "-f", "null", "-"]
    said = subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stderr
    return float(said.rpartition("I:")[2].split()[0])


@pytest.mark.parametrize("suffix", SOUND_FILES)
def test_sound_can_be_written_to_every_kind_of_file(clip: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"sound{suffix}"
    told: list[float] = []
    extract_audio(clip, output, on_progress=told.append)
    media = probe(output)
    assert media.moving == ()
    assert media.duration == pytest.approx(2.0, abs=0.06)
    spectrum = np.abs(np.fft.rfft(heard(output)[:, 0]))
    peak = spectrum.argmax() / media.duration
    assert peak == pytest.approx(440, rel=0.05)


def test_sound_that_needs_no_change_is_copied_to_the_bit(clip: Path, tmp_path: Path, ffmpeg: Path) -> None:
    def fingerprint(path: Path) -> bytes:
        command = [str(ffmpeg), "-v", "error", "-i", str(path), "-map", "0:a", "-c", "copy", "-f", "md5", "-"]
        return subprocess.run(command, check=True, capture_output=True).stdout

    extract_audio(clip, tmp_path / "sound.m4a")
    assert fingerprint(tmp_path / "sound.m4a") == fingerprint(clip)


@pytest.mark.parametrize(("wanted", "seconds"), [("de", 5.28), ("English", 3.0), (1, 5.28), (None, 3.0)])
def test_a_track_is_chosen_by_number_or_language(
    samples: Path, tmp_path: Path, wanted: str | int | None, seconds: float
) -> None:
    output = tmp_path / "sound.wav"
    extract_audio(samples / "video/two-audio-tracks-en-de.mkv", output, SoundChoice(track=wanted))
    assert probe(output).duration == pytest.approx(seconds, abs=0.05)


@pytest.mark.parametrize("suffix", [".wav", ".opus", ".mka"])
def test_sound_that_starts_late_begins_with_silence(samples: Path, tmp_path: Path, suffix: str) -> None:
    video, output = samples / "video/audio-offset-2s.mkv", tmp_path / f"sound{suffix}"
    extract_audio(video, output)
    expected = np.concatenate(list(open_audio(video).blocks()))
    got = np.concatenate(list(open_audio(output).blocks()))
    assert not got[:30_000].any()
    assert np.abs(got[:30_000]).max() < 1e-3
    length = min(len(got), len(expected))
    delay = np.correlate(got[30_000:length], expected[31_000 : length - 1000], "valid").argmax() - 1000
    assert abs(delay) < 160  # 10 ms


def test_one_channel_can_be_taken(make: Make, tmp_path: Path) -> None:
    two = "aevalsrc=sin(2*PI*300*t)|sin(2*PI*700*t):d=1:s=16000"
    source = make("-f", "lavfi", "-i", two, name="two.wav")
    for channel, pitch in ((0, 300), (1, 700)):
        output = tmp_path / f"{channel}.wav"
        extract_audio(source, output, SoundChoice(sound=SoundOptions(channel=channel)))
        assert probe(output).audio[0].channels == 1
        assert np.abs(np.fft.rfft(heard(output)[:, 0])).argmax() == pitch
    with pytest.raises(MediaError, match="no channel 2 in a sound track of 2"):
        extract_audio(source, tmp_path / "2.wav", SoundChoice(sound=SoundOptions(channel=2)))


@pytest.mark.parametrize("name", ["centre", "FC", "center", 2])
def test_a_channel_can_be_named(make: Make, tmp_path: Path, name: str | int) -> None:
    tones = "|".join(f"sin(2*PI*{pitch}*t)" for pitch in (300, 400, 510, 60, 700, 800))
    source = make("-f", "lavfi", "-i", f"aevalsrc={tones}:d=1:s=16000:c=5.1", name="film.wav")
    output = tmp_path / "centre.wav"
    extract_audio(source, output, SoundChoice(sound=SoundOptions(channel=name)))
    assert np.abs(np.fft.rfft(heard(output)[:, 0])).argmax() == 510


def test_channels_are_mixed_and_the_rate_is_changed(samples: Path, tmp_path: Path) -> None:
    output = tmp_path / "sound.flac"
    extract_audio(samples / "video/big_buck_bunny_small.mp4", output, SoundChoice(mix="stereo", sample_rate=22_050))
    sound = probe(output).audio[0]
    assert (sound.channels, sound.sample_rate) == (2, 22_050)


@pytest.mark.parametrize("loud", [-16.0, -23.0, -30.0])
def test_loudness_is_brought_where_it_was_asked(samples: Path, tmp_path: Path, loud: float) -> None:
    output = tmp_path / "sound.wav"
    choice = SoundChoice(sound=SoundOptions(loudness=loud))
    extract_audio(samples / "speech/shakespeare-sonnet-1.mp3", output, choice)
    assert loudness(output) == pytest.approx(loud, abs=0.6)
    assert probe(output).audio[0].sample_rate == probe(samples / "speech/shakespeare-sonnet-1.mp3").audio[0].sample_rate


def test_silence_has_no_loudness_and_stays_silent(samples: Path, tmp_path: Path) -> None:
    output = tmp_path / "sound.wav"
    extract_audio(samples / "nonspeech/silence-10s.flac", output, SoundChoice(sound=SoundOptions(loudness=-16)))
    assert not heard(output).any()


def test_rumble_and_noise_are_weakened(make: Make, tmp_path: Path) -> None:
    noisy = "aevalsrc=0.3*sin(2*PI*30*t)+0.3*sin(2*PI*1000*t):d=2:s=16000"
    source, output = make("-f", "lavfi", "-i", noisy, name="noisy.wav"), tmp_path / "clean.wav"
    extract_audio(source, output, SoundChoice(sound=SoundOptions(high_pass=100)))
    before, after = (np.abs(np.fft.rfft(heard(path)[:, 0])) for path in (source, output))
    assert after[60] < before[60] / 5  # 30 Hz
    assert after[2000] == pytest.approx(before[2000], rel=0.1)


@pytest.mark.parametrize("snr", [5, 15])
def test_steady_noise_is_weakened_and_speech_stays_where_it_is(
    samples: Path, tmp_path: Path, make: Make, snr: int
) -> None:
    """FFmpeg's denoiser hands its samples on 25 ms late, and says nothing of it."""
    speech, noise = samples / "speech/jfk.flac", samples / "nonspeech/pink-noise-10s.flac"
    clean = heard(make("-i", speech, "-t", 10, "-ac", 1, "-ar", 16_000, name="clean.wav"))[:, 0]
    hiss = heard(make("-i", noise, "-ac", 1, "-ar", 16_000, name="hiss.wav"))[: len(clean), 0]
    noisy = clean + hiss * clean.std() / hiss.std() * 10 ** (-snr / 20)
    (tmp_path / "noisy.raw").write_bytes(noisy.astype("<f4").tobytes())
    source = make("-f", "f32le", "-ar", 16_000, "-ac", 1, "-i", tmp_path / "noisy.raw", name="noisy.wav")
    output = tmp_path / "denoised.wav"
    extract_audio(source, output, SoundChoice(sound=SoundOptions(denoise=True)))
    got = heard(output)[:, 0]
    assert len(got) == len(clean)
    likeness = np.fft.irfft(np.fft.rfft(got) * np.conj(np.fft.rfft(clean)))
    assert likeness.argmax() == 0
    gain = got @ clean / (clean @ clean)
    left = got - gain * clean
    assert 10 * np.log10(gain**2 * (clean @ clean) / (left @ left)) > snr + 0.8


def test_values_that_cannot_be_are_refused() -> None:
    for options in ({"channel": -1}, {"high_pass": 0}, {"high_pass": float("nan")}, {"loudness": 3}):
        with pytest.raises(OptionError):
            SoundOptions(**options)
    for choice in ({"mix": "surround"}, {"sample_rate": 1}):
        with pytest.raises(OptionError):
            SoundChoice(**choice)  # type: ignore[arg-type]


@pytest.mark.parametrize(("suffix", "text", "codec"), [(".srt", SRT, "srt"), (".vtt", VTT, "webvtt")])
def test_subtitles_come_out_as_they_went_in(
    clip: Path, make: Make, tmp_path: Path, suffix: str, text: str, codec: str
) -> None:
    (tmp_path / f"in{suffix}").write_text(text, encoding="utf-8")
    film = make("-i", clip, "-i", tmp_path / f"in{suffix}", "-map", 0, "-map", 1, "-c", "copy", name="film.mkv")
    media = probe(film)
    stream = text_track(media, 0)
    assert natural_suffix(stream) == suffix
    output = tmp_path / f"out{suffix}"
    extract_subtitles(media, stream, output)
    assert output.read_text(encoding="utf-8").strip() == text.strip()


def test_times_of_subtitles_count_from_the_start_of_the_film(samples: Path, tmp_path: Path, make: Make) -> None:
    late = make(
        "-itsoffset", 8, "-i", samples / "video/sample_MKV_SRT.mkv", "-map", 0, "-c", "copy", "-copyts", name="late.mkv"
    )
    media = probe(late)
    assert media.start == pytest.approx(8, abs=0.01)
    extract_subtitles(media, text_track(media, None), tmp_path / "out.srt")
    assert "00:00:01,000 --> " in (tmp_path / "out.srt").read_text()


def test_pictures_of_text_are_refused(samples: Path) -> None:
    with pytest.raises(MediaError, match="are pictures, not text"):
        text_track(probe(samples / "video/sample_XSUB.avi"), None)


def test_a_track_that_is_not_there_is_refused_with_those_that_are(samples: Path) -> None:
    with pytest.raises(MediaError) as caught:
        text_track(probe(samples / "video/nasa_13013.mp4"), "fr")
    assert caught.value.hint == "it has: 0 (eng, mov_text); 1 (eng, mov_text)"
    with pytest.raises(MediaError, match="has no subtitle track"):
        text_track(probe(samples / "video/vfr-webb.mp4"), None)


def test_any_name_can_be_extracted_from_and_to(clip: Path, evil_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = clip.parent / evil_name
    folder.mkdir()
    monkeypatch.chdir(folder)
    video = Path(evil_name + ".mp4")
    clip.rename(video)
    extract_audio(video, Path(evil_name + ".wav"))
    assert probe(Path(evil_name + ".wav")).duration == pytest.approx(2, abs=0.05)
    assert len(list(folder.iterdir())) == 2
