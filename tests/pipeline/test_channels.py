from pathlib import Path

import numpy as np
import pytest

from subwhisper.errors import MediaError
from subwhisper.media.decode import open_audio
from subwhisper.media.ffmpeg import find_ffmpeg, run
from subwhisper.media.sound import SoundOptions
from subwhisper.pipeline.channels import by_channel, distinct_channels
from subwhisper.subtitles.layout import lay_out
from subwhisper.transcript import Segment, Transcript, Word


def said(*words: tuple[str, float, float]) -> Transcript:
    row = tuple(Word(text, start, end) for text, start, end in words)
    text = "".join(word.text for word in row)
    return Transcript((Segment(row[0].start, row[-1].end, text, words=row),) if row else (), "en", 9.0)


def test_an_answer_comes_between_two_breaths() -> None:
    first = said((" How", 0.0, 0.3), (" are", 0.3, 0.6), (" you?", 0.6, 1.0), (" Good.", 4.0, 4.5))
    second = said((" Fine,", 1.5, 2.0), (" thanks.", 2.0, 2.5))
    joined = by_channel([first, second, said()])
    assert [segment.text for segment in joined.segments] == [" How are you?", " Fine, thanks.", " Good."]
    assert [word.speaker for word in joined.words()] == ["Speaker 1"] * 3 + ["Speaker 2"] * 2 + ["Speaker 1"]
    assert [cue.text for cue in lay_out(joined).cues] == ["How are you?", "Fine, thanks.", "Good."]
    assert joined.to_json().count("Speaker 2") == 2


def test_no_word_is_lost_where_all_speak_at_once() -> None:
    first = said(*((f" a{n}", n * 0.5, n * 0.5 + 0.5) for n in range(8)))
    second = said(*((f" b{n}", n * 0.5 + 0.2, n * 0.5 + 0.7) for n in range(8)))
    joined = by_channel([first, second])
    spoken = sorted(word.text for one in (first, second) for word in one.words())
    assert sorted(word.text for word in joined.words()) == spoken
    shown = " ".join(cue.text for cue in lay_out(joined).cues).split()
    assert sorted(shown) == [text.strip() for text in spoken]


def test_a_channel_is_heard_alone(samples: Path) -> None:
    path = samples / "speech/stereo-two-speakers.flac"
    assert distinct_channels(path) == (0, 1)
    left, right, both = (
        np.concatenate(list(open_audio(path, sound=sound).blocks()))
        for sound in (SoundOptions(channel=0), SoundOptions(channel=1), SoundOptions())
    )
    assert len(left) == len(right) == len(both)
    assert abs(np.corrcoef(left, right)[0, 1]) < 0.2
    assert np.abs((left + right) / 2 - both).max() < 0.01
    with pytest.raises(MediaError, match="no channel 2"):
        open_audio(path, sound=SoundOptions(channel=2))


@pytest.mark.parametrize(
    ("filters", "coding", "suffix", "voices"),
    [
        ("pan=stereo|c0=c0|c1=c0", ["-c:a", "flac"], ".flac", (0,)),
        ("pan=stereo|c0=c0|c1=c0", ["-c:a", "aac", "-b:a", "48k"], ".m4a", (0,)),
        ("pan=stereo|c0=c0|c1=c0", ["-c:a", "libopus", "-b:a", "24k"], ".opus", (0,)),
        ("pan=stereo|c0=0.2*c0|c1=c0", ["-c:a", "flac"], ".flac", (0,)),
        ("pan=stereo|c0=0*c0|c1=c0", ["-c:a", "flac"], ".flac", (1,)),
        ("pan=4c|c0=c0|c1=c1|c2=c0|c3=c1", ["-c:a", "pcm_s16le"], ".wav", (0, 1)),
        ("pan=stereo|c0=c0+0.9*c1|c1=c1+0.9*c0", ["-c:a", "flac"], ".flac", (0, 1)),
        ("pan=stereo|c0=0*c0|c1=0*c0", ["-c:a", "flac"], ".flac", (0,)),
    ],
)
def test_a_channel_that_says_what_another_does_is_no_speaker(
    samples: Path, tmp_path: Path, filters: str, coding: list[str], suffix: str, voices: tuple[int, ...]
) -> None:
    target = tmp_path / f"talk{suffix}"
    source = samples / "speech/stereo-two-speakers.flac"
    run(["-i", str(source), "-af", filters, *coding, str(target)], ffmpeg=find_ffmpeg(), source=source)
    assert distinct_channels(target) == voices


def test_one_voice_on_all_channels_is_told(samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source, target = samples / "speech/jfk.flac", tmp_path / "dual.wav"
    run(["-i", str(source), "-ac", "2", str(target)], ffmpeg=find_ffmpeg(), source=source)
    assert distinct_channels(target) == (0,)
    assert "its 2 channels are one voice" in caplog.text
    assert distinct_channels(samples / "speech/leopard-en.flac") == (0,)


@pytest.mark.parametrize("sound", [SoundOptions(denoise=True), SoundOptions(high_pass=80), SoundOptions(loudness=-20)])
def test_cleaning_up_moves_no_sound(samples: Path, sound: SoundOptions) -> None:
    path = samples / "video/audio-offset-2s.mkv"
    plain = np.concatenate(list(open_audio(path).blocks()))
    clean = np.concatenate(list(open_audio(path, sound=sound).blocks()))
    size = 1 << (len(plain) + len(clean)).bit_length()
    likeness = np.fft.irfft(np.fft.rfft(clean, size) * np.conj(np.fft.rfft(plain, size)))
    assert min(likeness.argmax(), size - likeness.argmax()) <= 32  # 2 ms
