"""What the promises of long recordings are worth: nothing invented, nothing lost, no drift.

    python benchmarks/long_audio.py nonspeech --samples FOLDER      words where nobody speaks, clip by clip and in a row
    python benchmarks/long_audio.py kept --samples FOLDER           words found, beside those found without a detector
    python benchmarks/long_audio.py hidden --samples FOLDER         sentences in ten minutes of noise
    python benchmarks/long_audio.py noise --picture noise.png       errors at 20 to 0 dB, with and without a detector
    python benchmarks/long_audio.py hour                            sixty minutes with known words: holes, drift, errors

The model is the bundled one and the settings are the defaults, with word times as captions need them. FOLDER has
recordings and a `manifest.json`; `--speech MANIFEST` adds readers the model never heard (`--speakers`), from JSONL with
`path`, `speaker`, `text` and maybe `words`. Synthetic speech is espeak-ng's and flite's.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from sounds import NOISES, Clip, film, flite, in_a_row, listed, looped, mixed, prose, read_by, spoken

from subwhisper.audio import SAMPLE_RATE, Audio, Samples, Span
from subwhisper.engine.coverage import holes
from subwhisper.engine.options import TranscribeOptions, VadOptions
from subwhisper.engine.transcriber import Transcriber, load_model
from subwhisper.engine.vad.speech_map import SpeechMap
from subwhisper.training.metrics import start_errors, summarize, word_errors
from subwhisper.transcript import Transcript, Word

DEFAULT = TranscribeOptions(word_timestamps=True)
WITHOUT = TranscribeOptions(word_timestamps=True, vad=VadOptions(detector="none"))
LEVELS = (20, 10, 5, 0)
"""Decibels of speech above noise."""


@lru_cache(maxsize=1)
def model(name: str = "bundled") -> Transcriber:
    return load_model(name, device="cpu")


def heard(samples: Samples, options: TranscribeOptions = DEFAULT) -> Transcript:
    return model().transcribe(Audio(samples), options)


def n_words(text: str) -> int:
    return len(text.split())


def error_rate(truth: str, samples: Samples, options: TranscribeOptions) -> float:
    return word_errors(truth, heard(samples, options).text).rate or 0.0


def n_right(truth: str, text: str) -> int:
    errors = word_errors(truth, text)
    return errors.n_words - errors.substitutions - errors.deletions


def row(*cells: object) -> None:
    print("|", " | ".join(f"{cell:.1%}" if isinstance(cell, float) else str(cell) for cell in cells), "|", flush=True)


def head(*names: str) -> None:
    print()
    row(*names)
    row(*("---" for _ in names))


def noises(arguments: argparse.Namespace) -> dict[str, Callable[[int], Samples]]:
    """Made ones, and those of the samples folder over and over: all, or those asked for."""
    found = dict(NOISES)
    for name, clip in listed(arguments.samples, "nonspeech").items() if arguments.samples else ():
        if clip.samples.any():
            found[name] = looped(clip.samples)
    return {name: noise for name, noise in found.items() if not arguments.kinds or name in arguments.kinds}


def nonspeech(arguments: argparse.Namespace) -> None:
    """Sounds alone, as they are, quiet and loud; then in random order and loudness for half an hour."""
    made = {name: np.float32(0.05) * make(30 * SAMPLE_RATE) for name, make in NOISES.items()}
    recorded = listed(arguments.samples, "nonspeech") if arguments.samples else {}
    sounds = {name: clip.samples for name, clip in recorded.items()}
    head("sound", "words, as it is, 20 dB quieter, 10 dB louder", "without a detector")
    for name, sound in (sounds | made).items():
        words = [n_words(heard(sound * np.float32(loud)).text) for loud in (1.0, 0.1, 3.0)]
        row(name, ", ".join(map(str, words)), n_words(heard(sound, WITHOUT).text))
    for name, some in {"recorded": sounds, "made": made}.items():
        if some:
            text = heard(in_any_order([*some.values()], arguments.minutes))
            row(f"{arguments.minutes:g} minutes of the {name} ones", f"{n_words(text.text)} {text.text}", "")


def in_any_order(sounds: Sequence[Samples], minutes: float) -> Samples:
    """Sounds at random loudness, as they are or up to 20 dB quieter or 10 dB louder."""
    random, parts = np.random.default_rng(1), [np.zeros(0, np.float32)]
    while sum(map(len, parts)) < minutes * 60 * SAMPLE_RATE:
        parts += [sounds[at] * np.float32(10 ** random.uniform(-1, 0.5)) for at in random.permutation(len(sounds))]
    return np.concatenate(parts)


def kept(arguments: argparse.Namespace) -> None:
    """The words of each recording with the defaults and with `--vad none`."""
    head("recording", "words spoken", "words: none", "default", "right: none", "default")
    sums = np.zeros(5, int)
    for name, clip in speech_clips(arguments):
        texts = [heard(clip.samples, options).text for options in (WITHOUT, DEFAULT)]
        right = [n_right(clip.text, text) for text in texts]
        counts = (n_words(clip.text), *map(n_words, texts), *right)
        sums += counts
        row(name, *counts)
    row("all", *sums)
    print(f"\nkept: {sums[2] / sums[1]:.1%} of all words, {sums[4] / sums[3]:.1%} of the right ones")


def speech_clips(arguments: argparse.Namespace) -> Iterator[tuple[str, Clip]]:
    yield "the film", film()
    yield "espeak-ng", in_a_row(spoken(), 1.0)
    yield "flite", in_a_row(flite(), 1.0)
    if arguments.samples:
        yield from listed(arguments.samples, "speech").items()
        english = listed(arguments.samples, "video", "en")
        yield from ((name, english[name]) for name in ("nasa_13013.mp4", "ai-explained.webm", "grid-s1-bbaf2n.mpg"))
    for speaker in arguments.speakers if arguments.speech else ():
        yield f"reader {speaker}", in_a_row(read_by(arguments.speech, [speaker], 10), 1.0)


def hidden(arguments: argparse.Namespace) -> None:
    """Three sentences in ten minutes of each noise: found, and nothing else."""
    sentences = list(spoken(voices=("en-us+m3",)))[:3] + [*flite()][3:4]
    places = (0.7, 123.4, 391.0, 596.0 - len(sentences[-1].samples) / SAMPLE_RATE)
    head("noise", "dB", "sentences found", "words right", "right without a detector, cut out", "words elsewhere")
    for name, noise in noises(arguments).items():
        for decibels in arguments.levels:
            sound, spans = _laid_in(noise, sentences, places, decibels)
            text = heard(sound)
            elsewhere = [word for word in text.words() if not any(_near(word, span) for span in spans)]
            found = right = cut = 0
            for clip, span in zip(sentences, spans, strict=True):
                own = "".join(word.text for word in text.words() if _near(word, span))
                alone = sound[int(max(0, span.start - 1) * SAMPLE_RATE) : int((span.end + 1) * SAMPLE_RATE)]
                found += bool(own)
                right += n_right(clip.text, own)
                cut += n_right(clip.text, heard(alone, WITHOUT).text)
            row(name, decibels, f"{found} of {len(spans)}", right, cut, len(elsewhere))


def _laid_in(
    noise: Callable[[int], Samples], clips: Sequence[Clip], places: Sequence[float], decibels: float
) -> tuple[Samples, list[Span]]:
    speech, spans = np.zeros(600 * SAMPLE_RATE, np.float32), []
    for clip, place in zip(clips, places, strict=True):
        first = int(place * SAMPLE_RATE)
        speech[first : first + len(clip.samples)] = clip.samples
        spans.append(Span(place, place + len(clip.samples) / SAMPLE_RATE))
    return mixed(speech, noise, decibels), spans


def _near(word: Word, span: Span) -> bool:
    return span.start - 0.5 < (word.start + word.end) / 2 < span.end + 0.5


def noise(arguments: argparse.Namespace) -> None:
    """Word error rates in noise, with the defaults and without a detector."""
    groups = {"the film": film(), "espeak-ng": in_a_row([*spoken()][::3], 1.0), "flite": in_a_row(flite(), 1.0)}
    if arguments.speech:
        groups["readers"] = in_a_row(read_by(arguments.speech, arguments.speakers, 1), 1.0)
    head("speech", "noise", "settings", "clean", *(f"{level} dB" for level in LEVELS))
    curves = {}
    for group, clip in groups.items():
        for name, options in {"default": DEFAULT, "--vad none": WITHOUT}.items():
            clean = error_rate(clip.text, clip.samples, options)
            for kind, make in noises(arguments).items():
                sounds = [mixed(clip.samples, make, level) for level in LEVELS]
                curves[group, kind, name] = [clean, *(error_rate(clip.text, sound, options) for sound in sounds)]
                row(group, kind, name, *curves[group, kind, name])
    if arguments.picture:
        draw(curves, arguments.picture)


def draw(curves: dict[tuple[str, str, str], Sequence[float]], picture: Path) -> None:
    """A panel for each noise: solid with the defaults, dotted without a detector."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(kind for _, kind, _ in curves))
    groups = list(dict.fromkeys(group for group, _, _ in curves))
    figure = Figure(figsize=(4.5 * len(kinds), 4), layout="constrained")
    panels = dict(zip(kinds, figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0], strict=True))
    for (group, kind, name), rates in curves.items():
        style = {"color": f"C{groups.index(group)}", "linestyle": "-" if name == "default" else ":"}
        panels[kind].plot(range(len(rates)), rates, label=f"{group}, {name}", marker="o", markersize=3, **style)
    for kind, panel in panels.items():
        panel.set(title=kind, xlabel="speech above noise", ylim=(0, 1.3))
        panel.set_xticks(range(len(LEVELS) + 1), ["clean", *(f"{level} dB" for level in LEVELS)])
    panels[kinds[0]].set(ylabel="word error rate")
    panels[kinds[0]].legend(fontsize=7)
    figure.savefig(picture, dpi=110)


def hour(arguments: argparse.Namespace) -> None:
    """Holes, drift and errors of a long recording whose words are known."""
    if arguments.speech:
        material = read_by(arguments.speech, arguments.speakers, 1000)
    else:
        material = [*spoken(), *spoken(prose(), ("en-us+m3", "en-us+f2", "en-us+m1"))]
    clip = composed([clip for clip in material if clip.words], arguments.minutes * 60)
    started = time.process_time()
    text = heard(clip.samples)
    seconds = time.process_time() - started
    found, duration = [*text.words()], len(clip.samples) / SAMPLE_RATE
    spoken_in = SpeechMap(Span(word.start, word.end) for word in clip.words if word.end > word.start).joined(0.5)
    covered = [Span(max(0.0, word.start - 0.5), word.end + 0.5) for word in found]
    bare = [hole for hole in holes(spoken_in, covered, Span(0, duration), duration) if hole.duration > 2]
    elsewhere = [word for word in found if not spoken_in.seconds_in(Span(max(0, word.start - 0.5), word.end + 0.5))]
    print(
        f"{duration / 60:.1f} minutes, {len(clip.words)} words, read {duration / seconds:.1f} times as fast as spoken"
    )
    print("coverage, as the program reports it:", text.provenance["coverage"])
    print("holes over 2 s of speech:", [f"{hole.start:.1f}-{hole.end:.1f}" for hole in bare])
    print("words where nobody speaks:", [f"{word.text} {word.start:.1f}" for word in elsewhere])
    head("part", "words", "word errors", "starts known", "median ms", "90 % within ms", "shift ms")
    for name, first, end in (
        ("first five minutes", 0, 300),
        ("last five minutes", duration - 300, duration),
        ("all", 0, duration),
    ):
        truth, own = ([word for word in words if first <= word.start < end] for words in (clip.words, found))
        errors = start_errors(truth, own)
        rate = word_errors("".join(word.text for word in truth), "".join(word.text for word in own)).rate
        times = summarize(errors)
        if times is not None:
            shown = (times.n_words, *(round(1000 * t) for t in (times.median, times.p90, float(np.median(errors)))))
            row(name, len(truth), rate, *shown)


def composed(clips: Sequence[Clip], seconds: float) -> Clip:
    """Clips in random order with pauses of many lengths over faint noise, and stretches of noise and music."""
    random, parts, words, texts, clock = np.random.default_rng(2), [], [], [], 0.0
    while clock < seconds:
        for at in random.permutation(len(clips)):
            pause = random.choice([0.2, 0.5, 1.0, 2.5, 6.0], p=[0.25, 0.3, 0.3, 0.1, 0.05])
            clip = clips[at].behind(float(pause), tail=0.1)
            words += [word.shifted(clock) for word in clip.words]
            parts.append(clip.samples)
            texts.append(clip.text)
            if random.random() < 0.05:
                kind = random.choice(["pink noise", "white noise", "chords", "knocks", "chirps"])
                n_samples = int(random.uniform(5, 30) * SAMPLE_RATE)
                parts.append(np.float32(random.uniform(0.01, 0.05)) * NOISES[kind](n_samples))
            clock = sum(map(len, parts)) / SAMPLE_RATE
            if clock >= seconds:
                break
    sound = np.concatenate(parts)
    return Clip(sound + np.float32(0.0005) * NOISES["pink noise"](len(sound)), " ".join(texts), words)


def main() -> None:
    commands = {work.__name__: work for work in (nonspeech, kept, hidden, noise, hour)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("promise", choices=commands)
    parser.add_argument("--samples", type=Path)
    parser.add_argument("--speech", type=Path)
    parser.add_argument("--speakers", nargs="+", default=["5652", "1737", "32", "7312"])
    parser.add_argument("--levels", type=int, nargs="+", default=[20, 10, 5])
    parser.add_argument("--kinds", nargs="+", help="names of noises; all when not given")
    parser.add_argument("--minutes", type=float, default=None, help="30 of sounds, 60 of speech")
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    if arguments.minutes is None:
        arguments.minutes = 30.0 if arguments.promise == "nonspeech" else 60.0
    commands[arguments.promise](arguments)


if __name__ == "__main__":
    main()
