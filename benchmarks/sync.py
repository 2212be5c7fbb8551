"""Planted offsets, drifts and breaks, found again in real speech and in another subtitle file.

A programme is put together from clips of a corpus whose manifest tells when each word is said; its captions begin after
pauses. They are made wrong by offsets and ratios of frame rates and brought back onto the sound and onto a second
file of the same speech (60 ms late, every fifth caption missing). Then breaks are put into the sound. Told: captions
further than 50 ms from where they were.

    python benchmarks/sync.py CORPUS [MINUTES]

CORPUS is a folder with manifest.jsonl: path, text, speaker, and `words` with start and end in seconds.
"""

import json
import sys
import tempfile
import time
import wave
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.media.decode import open_audio
from subwhisper.pipeline.sync import moved, speech_in
from subwhisper.subtitles.edit import Retiming, retime
from subwhisper.subtitles.sync import fit
from subwhisper.subtitles.track import Cue, Track, to_ms

OFFSETS = (-60.0, -7.3, 0.0, 12.5, 60.0)
RATES = ((25.0, 25.0), (23.976, 25.0), (24.0, 25.0), (25.0, 24.0), (29.97, 25.0))
LATE = 60
"""Milliseconds by which the other file is late everywhere."""
PAUSE = 0.3
"""Seconds of silence before a caption."""
BREAKS = ((1 / 3, 30.0), (2 / 3, 45.0))
"""Where breaks are put, as a share of the captions, and their seconds."""

Spans = list[tuple[float, float]]


def programme(corpus: Path, minutes: float) -> tuple[Samples, Track]:
    """Sound and captions of about so many minutes, by the speakers in turn."""
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").open(encoding="utf-8")]
    rows = [row for row in rows if row.get("words")]
    parts: list[Samples] = []
    cues: list[Cue] = []
    now = 0.0
    for row in rows[:: max(1, len(rows) // 400)]:
        if now > minutes * 60:
            break
        sound = np.concatenate([*open_audio(corpus / row["path"]).blocks()])
        cues += (Cue(to_ms(now + start), to_ms(now + end), (text,)) for start, end, text in captions(row["words"]))
        silence = np.zeros(SAMPLE_RATE * (3 + 5 * len(parts) % 11) // 10, np.float32)
        parts += [sound, silence]
        now += (len(sound) + len(silence)) / SAMPLE_RATE
    return np.concatenate(parts), Track(tuple(cues))


def captions(words: Sequence[dict[str, Any]]) -> list[tuple[float, float, str]]:
    """Words between pauses."""
    told = [(word["word"], word["start"], word["end"]) for word in words]
    cuts = [0, *(at for at, (one, other) in enumerate(pairwise(told), 1) if other[1] - one[2] >= PAUSE), len(told)]
    groups = [told[first:stop] for first, stop in pairwise(cuts)]
    return [(group[0][1], group[-1][2], " ".join(word for word, _, _ in group)) for group in groups if group]


def missed(true: Track, wrong: Track, heard: Spans, *, late: int = 0, most_breaks: int = 8) -> str:
    """How far off the starts are once the wrong track is brought to a reference that is so many milliseconds late."""
    started = time.perf_counter()
    spans = [(cue.start_ms / 1000, cue.end_ms / 1000) for cue in wrong.cues]
    found = fit(spans, heard, most_breaks=most_breaks)
    took = time.perf_counter() - started
    if found.confidence < 0.95:
        return f"refused (confidence {found.confidence:.2f})"
    # a caption moved to before 0 lost its place
    gone = len(true.cues) - len(wrong.cues)
    pairs = zip(true.cues[gone:], wrong.cues, strict=True)
    right = {index: cue.start_ms + late for index, (cue, other) in enumerate(pairs) if other.start_ms > 0}
    kept = [index for index in range(len(wrong.cues)) if index not in found.left_out]
    back = moved(wrong, found).cues
    kept = kept[len(kept) - len(back) :]  # those that would end before 0 are gone
    errors = [abs(cue.start_ms - right[index]) for index, cue in zip(kept, back, strict=True) if index in right]
    far = sum(error > 50 for error in errors)
    worse = f"{far} of {len(errors)} beyond 50 ms, median {np.median(errors):.0f}"
    return f"{worse}, pieces {len(found.pieces)} ({took:.1f} s)"


def second_file(track: Track) -> Spans:
    others = (cue for index, cue in enumerate(track.cues) if index % 5 != 3)
    return [((cue.start_ms + LATE) / 1000, (cue.end_ms + LATE) / 1000) for cue in others]


def with_breaks(sound: Samples, track: Track) -> tuple[Samples, Track]:
    """Put stretches of faint noise between captions."""
    random = np.random.default_rng(1)
    parts, before, cues, late = [], 0, list(track.cues), 0
    for share, length in BREAKS:
        place = round(share * len(cues))
        at = round((track.cues[place - 1].end_ms + track.cues[place].start_ms) / 2000 * SAMPLE_RATE)
        parts += [sound[before:at], (random.standard_normal(round(length * SAMPLE_RATE)) * 0.001).astype(np.float32)]
        before, late = at, late + to_ms(length)
        cues[place:] = [Cue(cue.start_ms + late, cue.end_ms + late, cue.lines) for cue in track.cues[place:]]
    return np.concatenate([*parts, sound[before:]]), Track(tuple(cues))


def listen(sound: Samples) -> Spans:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "programme.wav")
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
        return speech_in(path)


def tell(what: str, true: Track, wrong: Track, sound: Spans, other: Spans, *, most_breaks: int = 8) -> None:
    by_sound = missed(true, wrong, sound, most_breaks=most_breaks)
    by_file = missed(true, wrong, other, late=LATE, most_breaks=most_breaks)
    print(f"{what}\n    by sound: {by_sound}\n    by file:  {by_file}", flush=True)


def main(corpus: Path, minutes: float) -> None:
    sound, track = programme(corpus, minutes)
    print(f"{len(track.cues)} captions in {len(sound) / SAMPLE_RATE / 60:.1f} minutes", flush=True)
    heard, other = listen(sound), second_file(track)
    for source, target in RATES:
        for offset in OFFSETS:
            line = Retiming(Retiming.between_rates(source, target).factor, 1000 * offset)
            tell(f"{source:g} for {target:g} fps, {offset:+.1f} s", track, retime(track, line), heard, other)
    broken, right = with_breaks(sound, track)
    heard, other = listen(broken), second_file(right)
    tell("breaks of 30 and 45 s", right, track, heard, other)
    tell("the same as one line", right, track, heard, other, most_breaks=0)
    end = track.cues[-1].end_ms
    backwards = Track(tuple(Cue(end - cue.end_ms, end - cue.start_ms, cue.lines) for cue in track.cues))
    tell("captions of something else", right, backwards, heard, other)


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 10.0)
