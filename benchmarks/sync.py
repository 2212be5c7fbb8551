"""Planted offsets, drifts and breaks, found again in real sound and in another subtitle file.

For every clip with times in the samples: its lines, wrong by each offset and each ratio of frame rates, are brought
back onto the sound, and onto a second file of the same lines with other times (60 ms late, every fifth missing).
Then two stretches of noise are put into the sound. Told: lines further than 50 ms from where they were.

    python benchmarks/sync.py FOLDER_OF_SAMPLES
"""

import json
import sys
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from subwhisper.audio import SAMPLE_RATE, Samples
from subwhisper.errors import SubwhisperError
from subwhisper.media.decode import open_audio
from subwhisper.pipeline.edit import Destination
from subwhisper.pipeline.sync import sync_file
from subwhisper.subtitles.edit import Retiming, retime
from subwhisper.subtitles.formats import read_track, write_track
from subwhisper.subtitles.track import Cue, Track, to_ms

OFFSETS = (-60.0, -7.3, 0.0, 12.5, 60.0)
RATES = ((25.0, 25.0), (23.976, 25.0), (24.0, 25.0), (25.0, 24.0), (29.97, 25.0))
FEWEST = 8
"""Lines of a clip that is worth the trouble."""


def clips(folder: Path) -> Iterator[tuple[Path, Track]]:
    for clip in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["clips"]:
        rows = clip.get("segments") or []
        if len(rows) >= FEWEST:
            cues = (Cue(to_ms(row["start"]), to_ms(row["end"]), (row["text"],)) for row in rows)
            yield folder / clip["path"], Track(tuple(cues))


def missed(true: Track, wrong: Track, reference: Path, folder: Path) -> str:
    """How far off the starts are after `sync`; lines that were wrong before 0 have nowhere to come back from."""
    write_track(wrong, folder / "wrong.srt")
    try:
        synced = sync_file(folder / "wrong.srt", reference, Destination(folder / "synced.srt"))
    except SubwhisperError as error:
        return f"refused: {error.message[:60]}"
    found = read_track(synced.output)
    places = {cue.lines: cue.start_ms for cue in true.cues}
    kept = {cue.lines for cue in wrong.cues if cue.start_ms > 0}
    errors = [abs(cue.start_ms - places[cue.lines]) for cue in found.cues if cue.lines in kept]
    return f"{sum(error > 50 for error in errors)} of {len(errors)} beyond 50 ms, worst {max(errors)} ms"


def second_file(track: Track) -> Track:
    others = (cue for index, cue in enumerate(track.cues) if index % 5 != 3)
    return Track(tuple(cue.retimed(lambda ms: ms + 60) for cue in others))


def with_breaks(sound: Samples, track: Track, lengths: tuple[float, float]) -> tuple[Samples, Track]:
    """Put stretches of faint noise between lines, at a third and at two thirds."""
    places = [len(track.cues) // 3, 2 * len(track.cues) // 3]
    random = np.random.default_rng(1)
    parts, before, cues, late = [], 0, list(track.cues), 0
    for place, length in zip(places, lengths, strict=True):
        at = round((track.cues[place - 1].end_ms + track.cues[place].start_ms) / 2000 * SAMPLE_RATE)
        noise = (random.standard_normal(round(length * SAMPLE_RATE)) * 0.001).astype(np.float32)
        parts += [sound[before:at], noise]
        before, late = at, late + to_ms(length)
        cues[place:] = [
            cue.retimed(lambda ms, by=late: ms + by)
            for cue in track.cues[place:]  # type: ignore[misc]
        ]
    return np.concatenate([*parts, sound[before:]]), Track(tuple(cues))


def save(sound: Samples, path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def main(samples: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, track in clips(samples):
            print(f"{path.name}: {len(track.cues)} lines")
            other = folder / "other.srt"
            write_track(second_file(track), other)
            for source, target in RATES:
                for offset in OFFSETS if source == target else (12.5,):
                    line = Retiming.between_rates(source, target)
                    wrong = retime(track, Retiming(line.factor, 1000 * offset))
                    if len(wrong.cues) < FEWEST:
                        continue
                    told = (missed(track, wrong, reference, folder) for reference in (path, other))
                    print(f"  {source:g} for {target:g} fps, {offset:+.1f} s:  sound {next(told)};  file {next(told)}")
            sound = np.concatenate([*open_audio(path).blocks()])
            broken, right = with_breaks(sound, track, (30.0, 45.0))
            print(f"  breaks of 30 and 45 s:  sound {missed(right, track, save(broken, folder / 'b.wav'), folder)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
