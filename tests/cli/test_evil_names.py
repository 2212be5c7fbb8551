"""Names that mean something to a shell, an option parser, a filter graph or a protocol, through every media command.

Inputs are named without a folder in front, so that nothing protects a command from `-i` or `http:`.
"""

import json
import os
import shutil
from pathlib import Path

import pytest
from command_line import QUICK, Run

from subwhisper.media.probe import probe
from subwhisper.subtitles.formats import read_track

NAMES = [
    "with space",
    "it's",
    "co:lon",
    "br[ack]et,s;and=equals",
    "per%cent%03d",
    "back\\slash",
    'double"quote',
    "Привет ünï 日本",
    "dollar$HOME `touch pwned` $(touch pwned) #hash",
    "-i",
    "new\nline",
    "http:",
]
WORDS = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},700\nsaid {n}, $(touch pwned) {{\\an8}}\n\n" for n in range(2))


@pytest.mark.parametrize("name", NAMES)
def test_any_name_goes_through_every_media_command(
    run_cli: Run, video_file: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    monkeypatch.chdir(folder)
    film, words = f"{name}.mp4", f"{name}.de.srt"
    shutil.copyfile(video_file, film)
    Path(words).write_text(WORDS, encoding="utf-8")

    def ran(*arguments: object, wrote: str | None = None) -> str:
        done = run_cli(arguments[0], *arguments[2:], "--", arguments[1])
        assert done.code == 0, done.stderr
        assert wrote is None or Path(wrote).is_file(), done.stderr
        return done.stdout

    report = json.loads(ran("probe", film, "--json"))
    assert [one["input"] for one in report["files"]] == [film]
    ran("extract", film, wrote=f"{name}.wav")
    done = run_cli("mux", "-o", f"{name}.mkv", "--title", name, "--", film, words)
    assert done.code == 0, done.stderr
    (track,) = probe(Path(f"{name}.mkv")).subtitles
    assert (track.language, track.title) == ("deu", name)
    ran("extract", f"{name}.mkv", "--subtitle-track", "de", wrote=f"{name}.deu.srt")
    times = [
        [(cue.start_ms, cue.end_ms, cue.text) for cue in read_track(Path(it)).cues] for it in (words, f"{name}.deu.srt")
    ]
    assert times[0] == times[1]
    assert run_cli("burn", "--preview", "1", "-o", f"{name}.png", "--", film, words).code == 0
    assert (
        run_cli("sync", "--no-stretch", "--min-confidence", "0", "-o", f"{name}.synced.srt", "--", words, words).code
        == 0
    )
    ran("convert", words, "-f", "vtt", wrote=f"{name}.de.vtt")
    ran("transcribe", film, "--model", tiny_model, "--language", "en", "--burn", *QUICK, wrote=f"{name}.en.srt")
    assert Path(f"{name}.captioned.mp4").is_file()
    made = {
        "captioned.mp4",
        "de.srt",
        "de.vtt",
        "deu.srt",
        "en.srt",
        "mkv",
        "mp4",
        "png",
        "synced.srt",
        "wav",
    }
    assert {path.name for path in folder.iterdir()} == {f"{name}.{end}" for end in made}
    assert not any("pwned" in names for *_, names in os.walk(tmp_path) if name != NAMES[8])
