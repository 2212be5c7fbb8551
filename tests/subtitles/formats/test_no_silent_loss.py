"""Each sample into each format and back: whatever is different then was named in the report.

The comparison here is letter by letter and knows nothing of how the report is made.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from read_back import differences, read_back

from subwhisper.errors import SubwhisperError
from subwhisper.subtitles.formats import FORMATS, encode, read_track
from subwhisper.subtitles.formats.losses import find_losses
from subwhisper.subtitles.highlight import highlight_words
from subwhisper.subtitles.track import Track

MOST_CUES = 25

pytest.importorskip("ttconv")


def sources(folder: Path) -> Iterator[tuple[str, Track]]:
    for path in sorted((folder / "subtitles").iterdir()):
        try:
            track = read_track(path, report=lambda _: None)
        except SubwhisperError:
            continue
        yield path.name, replace(track, cues=track.cues[:MOST_CUES])
        if any(cue.words for cue in track.cues):
            yield f"{path.name}, karaoke", replace(track, cues=track.cues[:MOST_CUES], karaoke=True)
            yield f"{path.name}, highlighted", highlight_words(replace(track, cues=track.cues[:3], karaoke=False))


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_is_lost_in_silence(samples: Path, format: str) -> None:
    for name, track in sources(samples):
        try:
            content = encode(track, format)
        except SubwhisperError as error:
            assert "99 hours" in error.message  # noqa: PT017 - a refusal is no silence
            continue
        told = {loss.kind: loss.count for loss in find_losses(track, format, content)}
        if not FORMATS[format].is_read:
            assert told["time"] == len(track.cues), name
            continue
        back = read_back(content, format)
        if len(back.cues) != len(track.cues):
            assert told.get("cue", 0) + told.get("extra cue", 0) >= abs(len(back.cues) - len(track.cues)), name
            continue
        for before, after in zip(track.cues, back.cues, strict=True):
            assert {*differences(before, after)} <= {*told}, (name, before, after, told)
        late = sum("exact time" in differences(*pair) for pair in zip(track.cues, back.cues, strict=True))
        assert told.get("exact time", 0) == late, name
