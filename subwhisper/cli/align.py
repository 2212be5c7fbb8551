"""`subwhisper align`."""

from dataclasses import dataclass
from typing import Annotated

import typer

from subwhisper.cli import options as opt
from subwhisper.cli import profile as cap
from subwhisper.cli.console import Console, report
from subwhisper.cli.subtitles import EditArguments


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class AlignArguments(EditArguments):
    """What was typed."""

    recording: Annotated[str, typer.Argument(help="Audio or video with the speech: a file, or a URL.", metavar="MEDIA")]
    text: Annotated[
        str, typer.Argument(help="What is said, plain text or subtitles: a file, or a URL.", metavar="TEXT|SUBTITLES")
    ]

    model: opt.Model = None
    model_dir: opt.ModelFolder = None
    offline: opt.Offline = False
    device: opt.Device = "auto"
    compute: opt.Compute = "auto"
    threads: opt.Threads = None

    language: opt.OneLanguage = None
    audio_track: opt.AudioTrack = None
    refine: opt.Refine = True

    profile: cap.ProfileName = "netflix"
    max_line_width: cap.MaxLineWidth = None
    max_line_count: cap.MaxLineCount = None
    max_words_per_line: cap.MaxWordsPerLine = None
    min_duration: cap.MinDuration = None
    max_duration: cap.MaxDuration = None
    min_gap: cap.MinGap = None
    reading_speed: cap.ReadingSpeed = None
    shot_changes: cap.ShotChanges = False


def run_align(arguments: AlignArguments) -> None:
    """Find when a text you already have is spoken: a script, or subtitles whose times are wrong.

    The text stays as it is. Subtitles keep their cues and get new times; a plain text is laid out as captions.
    Passages that nobody speaks are left out of those, and told.
    """
    from subwhisper.pipeline.quickstart import quick_imports

    with quick_imports([str(arguments.recording)]):
        from subwhisper.pipeline.align import AlignJob, align_file  # brings torch: keep it in here
        from subwhisper.pipeline.inputs import the_source
        from subwhisper.pipeline.models import ModelChoice

    job = AlignJob(
        model=ModelChoice(
            name=arguments.model,
            folder=arguments.model_dir,
            offline=arguments.offline,
            device=arguments.device,
            compute=arguments.compute,
            threads=arguments.threads or None,
        ),
        language=arguments.language,
        refine=arguments.refine,
        profile=cap.chosen_profile(arguments),
        shot_changes=arguments.shot_changes,
        audio_track=arguments.audio_track,
        encoding=arguments.encoding,
    )
    with Console(quiet=arguments.quiet) as console:
        with console.working(), arguments.opened(arguments.text) as (text, destination):
            aligned = align_file(the_source(arguments.recording), text, destination, job, on_progress=console.progress)
        console.line(f"wrote {aligned.output}: {aligned.n_timed} of {aligned.n_words} words are spoken")
    if arguments.json:
        report(aligned.to_dict())


align = opt.as_command(AlignArguments, run_align)
