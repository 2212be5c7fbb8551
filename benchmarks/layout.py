"""Captions laid out by us and line by line, on the same words: `python benchmarks/layout.py [TRANSCRIPT.json ...]`.

Line by line is the manner of openai-whisper's writer with `--max_line_width 42 --max_line_count 2`: words fill a line
until it is full, lines fill a cue, and a cue lasts from its first word to its last. Both are held to the same profile.
Without transcripts, passages of old books are spoken at random paces, by a fixed seed. Then both are held to the breaks
that a person marked in two hundred sentences (tests/data). `--samples N` prints so many passages for the eye, `--hour`
measures time and memory of an hour of words instead.
"""

import argparse
import json
import sys
import time
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

from subwhisper.subtitles.check import Certificate, check
from subwhisper.subtitles.layout import Profile, lay_out, load_profile
from subwhisper.subtitles.layout.cohesion import Boundary, boundary
from subwhisper.subtitles.track import Cue, CueWord, Track, to_ms
from subwhisper.transcript import Segment, Transcript, Word

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "subtitles" / "layout"))
from marked import agreement

PASSAGES = Path(__file__).with_name("passages.txt")
LONG_PAUSE = 3.0
"""Seconds of silence after which openai-whisper's writer begins a new cue."""


def spoken(text: str, dice: Random, language: str = "en") -> Transcript:
    """Say a passage: faster and slower, with pauses at its punctuation and sometimes elsewhere."""
    clock, words = 0.5, []
    pace = dice.uniform(12.0, 19.0)  # characters a second
    for word, after in pairwise([*text.split(), "End"]):
        end = clock + (len(word) + 1) / (pace * dice.uniform(0.85, 1.2))
        words.append(Word(f" {word}", clock, end))
        mark = boundary(word, after)
        if mark is Boundary.SENTENCE:
            pace, end = dice.uniform(12.0, 19.0), end + dice.uniform(0.2, 1.2)
        elif mark is Boundary.CLAUSE:
            end += dice.uniform(0.0, 0.4)
        elif dice.random() < 0.02:
            end += dice.uniform(0.1, 0.8)
        clock = end
    return Transcript((Segment(0.5, clock, f" {text}", words=tuple(words)),), language)


def line_by_line(transcript: Transcript, width: int = 42, count: int = 2) -> Track:
    """Fill lines one after another, and cues with lines."""
    lines: list[list[Word]] = []
    cues: list[Cue] = []
    for word in transcript.words():
        pause = bool(lines) and word.start - lines[-1][-1].end > LONG_PAUSE
        length = sum(len(known.text) for known in lines[-1]) if lines else width
        if lines and not pause and length + len(word.text) <= width:
            lines[-1].append(word)
            continue
        if pause or len(lines) == count:
            cues.append(as_cue(lines))
            lines = []
        lines.append([word])
    return Track(tuple([*cues, as_cue(lines)] if lines else cues), transcript.language)


def filled(transcript: Transcript, profile: Profile) -> Track:
    """Line by line in the width and number of lines of a profile."""
    limits = profile.in_language(transcript.language)
    return line_by_line(transcript, limits.max_line_width, limits.max_lines)


def as_cue(lines: list[list[Word]]) -> Cue:
    texts, words = [], []
    for index, line in enumerate(lines):
        text = ""
        for word in line:
            bare = word.text.strip()
            text += " " if text else ""
            words.append(CueWord(to_ms(word.start), to_ms(word.end), index, len(text), len(text) + len(bare)))
            text += bare
        texts.append(text)
    return Cue(
        to_ms(lines[0][0].start),
        max(to_ms(lines[-1][-1].end), to_ms(lines[0][0].start) + 1),
        tuple(texts),
        tuple(words),
    )


def broken(certificates: list[Certificate]) -> dict[str, int]:
    """Count the cues that break each rule."""
    counts: dict[str, int] = {}
    for certificate in certificates:
        for verdict in certificate.verdicts:
            counts[verdict.rule] = counts.get(verdict.rule, 0) + len(verdict.findings)
    return counts


def compare(transcripts: list[Transcript], profile_name: str) -> None:
    """Print the rules that each manner breaks, side by side."""
    profile = load_profile(profile_name)
    ours = [check(lay_out(one, profile), profile) for one in transcripts]
    theirs = [check(filled(one, profile), profile) for one in transcripts]
    print(f"{profile_name}: cues that break a rule{'':14}{'ours':>8}{'line by line':>14}")
    print(f"  {'(cues in all)':40}{sum(c.cues for c in ours):>8}{sum(c.cues for c in theirs):>14}")
    mine, other = broken(ours), broken(theirs)
    for rule, count in mine.items():
        print(f"  {rule:40}{count:>8}{other[rule]:>14}")


def compare_breaks() -> None:
    """Print how the breaks of each manner agree with those marked by hand."""
    print(f"{'breaks marked by hand, precision / recall':46}{'ours':>12}{'line by line':>14}")
    for name in ("marked_breaks", "marked_speech"):
        sides = [agreement(name, lay_out), agreement(name, line_by_line)]
        ours, theirs = (f"{side.precision:.2f} / {side.recall:.2f}" for side in sides)
        print(f"  {name:44}{ours:>12}{theirs:>14}")


def show(transcript: Transcript, profile_name: str) -> None:
    """Print both for the eye."""
    profile = load_profile(profile_name)
    ours, theirs = (list(pictured(track)) for track in (lay_out(transcript, profile), filled(transcript, profile)))
    for left, right in paired(ours, theirs):
        print(f"{left:<52}{right}")
    print()


def pictured(track: Track) -> Iterator[str]:
    for cue in track.cues:
        for index, line in enumerate(cue.lines):
            yield f"{cue.start_ms / 1000:6.1f} {line}" if index == 0 else f"{'':6} {line}"


def paired(left: list[str], right: list[str]) -> Iterator[tuple[str, str]]:
    for index in range(max(len(left), len(right))):
        yield left[index] if index < len(left) else "", right[index] if index < len(right) else ""


def hour(n_words: int = 9000) -> None:
    """Print the time and memory of laying out an hour of words, and of a quarter of it."""
    for count in (n_words // 4, n_words):
        passages = " ".join(read_passages()).split()
        text = " ".join(passages[index % len(passages)] for index in range(count))
        transcript = spoken(text, Random(1))
        lay_out(spoken(" ".join(passages), Random(1)))  # the lists of words are read once
        began = time.process_time()
        track = lay_out(transcript)
        seconds = time.process_time() - began
        tracemalloc.start()
        lay_out(transcript)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        row = {"words": count, "cues": len(track.cues), "seconds": round(seconds, 3), "peak_mb": round(peak / 1e6, 2)}
        print(json.dumps(row))


def read_passages() -> list[str]:
    return [" ".join(part.split()) for part in PASSAGES.read_text(encoding="utf-8").split("\n\n") if part.strip()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("transcripts", nargs="*", type=Path)
    parser.add_argument("--profile", default="netflix")
    parser.add_argument("--samples", type=int, default=0)
    parser.add_argument("--hour", action="store_true")
    arguments = parser.parse_args()
    if arguments.hour:
        hour()
        return
    dice = Random(7)
    transcripts = [Transcript.from_json(path.read_text(encoding="utf-8")) for path in arguments.transcripts]
    transcripts = transcripts or [spoken(passage, dice) for passage in read_passages()]
    compare(transcripts, arguments.profile)
    print()
    compare_breaks()
    for transcript in transcripts[: arguments.samples]:
        print()
        show(transcript, arguments.profile)


if __name__ == "__main__":
    main()
