"""`subwhisper detect`: which language is spoken."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subwhisper.cli import decoding as dec
from subwhisper.cli import options as opt
from subwhisper.cli import speech
from subwhisper.cli.console import Console, one_line, report, write_data
from subwhisper.cli.verdict import verdict
from subwhisper.engine.options import TranscribeOptions, VadOptions
from subwhisper.languages import LANGUAGES

if TYPE_CHECKING:
    from subwhisper.engine.language import HeardLanguage

_SHOWN = 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DetectArguments:
    """What was typed."""

    inputs: opt.Inputs

    json: opt.Json = False
    quiet: opt.Quiet = False

    model: opt.Model = None
    model_dir: opt.ModelFolder = None
    offline: opt.Offline = False
    device: opt.Device = "auto"
    compute: opt.Compute = "auto"
    threads: opt.Threads = None

    language: dec.Candidates = None
    language_detection_segments: dec.LanguageDetectionSegments = TranscribeOptions.language_detection_segments
    language_detection_threshold: dec.LanguageDetectionThreshold = TranscribeOptions.language_detection_threshold
    vad: speech.Vad = VadOptions.detector
    audio_track: opt.AudioTrack = None


def run_detect(arguments: DetectArguments) -> None:
    """Tell the language of recordings, and how sure that is.

    By default the first window in which someone speaks decides; more of them help where several languages are spoken.
    """
    rows, problems = [], []
    with Console(quiet=arguments.quiet) as console:
        options = TranscribeOptions(
            languages=tuple(name.strip() for name in (arguments.language or "").split(",") if name.strip()),
            language_detection_segments=arguments.language_detection_segments,
            language_detection_threshold=arguments.language_detection_threshold,
            vad=VadOptions(detector=arguments.vad),  # type: ignore[arg-type]  # checked there
        )
        from subwhisper.pipeline.quickstart import quick_imports

        with quick_imports(arguments.inputs):
            from subwhisper.pipeline.detect import DetectJob, detect_languages  # brings torch: keep it in here
            from subwhisper.pipeline.models import ModelChoice

        model = ModelChoice(
            name=arguments.model,
            folder=arguments.model_dir,
            offline=arguments.offline,
            device=arguments.device,
            compute=arguments.compute,
            threads=arguments.threads or None,
        )
        job = DetectJob(model=model, options=options, audio_track=arguments.audio_track)
        with console.working():
            for detected in detect_languages(arguments.inputs, job, on_progress=console.progress):
                rows.append(detected.to_dict())
                if detected.error:
                    problems.append(detected.error)
                elif detected.heard and not arguments.json:
                    write_data(one_line(_row(detected.heard, detected.source)))
        for problem in problems if len(rows) > 1 else []:  # an only input's error is what the command ends with
            console.fail(problem)
    if arguments.json:
        report({"inputs": rows})
    if problems:
        raise verdict(problems, len(rows))


def _row(heard: "HeardLanguage", source: str) -> str:
    """The language, how sure it is, and what else it might be."""
    others = [code for code in heard.ranked if code != heard.language][: _SHOWN - 1]
    rest = ", ".join(f"{code} {heard.ranked[code]:.0%}" for code in others)
    return f"{heard.language:<5}{LANGUAGES[heard.language]:<16}{heard.probability:>5.0%}   {rest:<18}{source}"


detect = opt.as_command(DetectArguments, run_detect)
