"""`subwhisper layout` and `subwhisper check`: captions laid out by a profile, and held to it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli import profile as cap
from subwhisper.cli.console import Console, one_line, report, write_data
from subwhisper.cli.values import parse_language
from subwhisper.errors import OptionError
from subwhisper.subtitles.choices import CHOICES

if TYPE_CHECKING:
    from subwhisper.subtitles.check import Certificate
    from subwhisper.subtitles.formats.losses import Loss
    from subwhisper.subtitles.layout.frames import Picture
    from subwhisper.subtitles.track import Track

BROKEN = 1
"""Exit code of `check` when a required rule is broken, as of linters."""

_CAPTIONS, _OUTPUT = "Captions", "Output"

Words = Annotated[
    str,
    typer.Argument(help="A transcript (.json), or subtitles in any format we read: a file, or a URL.", metavar="FILE"),
]
TextLanguage = Annotated[
    str | None,
    opt.option(
        "--language", "-l", panel=_CAPTIONS, metavar="CODE|NAME", parser=parse_language,
        help="Of the text (default: as the file or its name says).",
    ),
]  # fmt: skip
Video = Annotated[
    str | None,
    typer.Option(
        "--video", help="The video, a file or a URL: its frame rate and shot changes.", rich_help_panel=_CAPTIONS
    ),
]
FrameRate = Annotated[
    float | None,
    opt.option(
        "--frame-rate", "--fps", panel=_CAPTIONS, metavar="X",
        help="Frames per second (default: the video's; to check, also that of the captions' times).",
    ),
]  # fmt: skip
Shots = Annotated[
    str | None,
    opt.option("--shots", panel=_CAPTIONS, metavar="SECONDS", help="Where shots begin, with commas between."),
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CaptionArguments:
    """What both commands are told."""

    file: Words

    profile: cap.ProfileName = "netflix"
    max_line_width: cap.MaxLineWidth = None
    max_line_count: cap.MaxLineCount = None
    max_words_per_line: cap.MaxWordsPerLine = None
    min_duration: cap.MinDuration = None
    max_duration: cap.MaxDuration = None
    min_gap: cap.MinGap = None
    reading_speed: cap.ReadingSpeed = None
    language: TextLanguage = None
    video: Video = None
    frame_rate: FrameRate = None
    shots: Shots = None
    encoding: opt.Encoding = None
    json: opt.Json = False
    quiet: opt.Quiet = False

    def picture(self, console: Console) -> "Picture":
        """What is known of the video.

        Raises:
            OptionError: a time is no number.
            MediaError: the video cannot be read.
        """
        from dataclasses import replace

        from subwhisper.subtitles.layout.frames import NO_PICTURE

        picture = NO_PICTURE
        if self.video is not None:
            from subwhisper.pipeline.inputs import as_file, the_source
            from subwhisper.pipeline.picture import picture_of

            video = the_source(self.video)
            with console.working(), as_file(video, on_progress=console.progress) as path:
                picture = picture_of(path, shots=self.shots is None, on_progress=console.progress)
        if self.frame_rate is not None:
            picture = replace(picture, frame_rate=self.frame_rate)
        return picture if self.shots is None else replace(picture, shots=_seconds(self.shots))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayoutArguments(CaptionArguments):
    """What was typed after `layout`."""

    formats: opt.Formats = "srt"
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write (default: beside the input).", rich_help_panel=_OUTPUT),
    ] = None
    overwrite: opt.Overwrite = True
    highlight_words: opt.HighlightWords = False
    disfluencies: cap.Disfluencies = CHOICES["disfluencies"][0]
    numbers: cap.Numbers = CHOICES["numbers"][0]
    profanity: cap.Profanity = CHOICES["profanity"][0]
    casing: cap.Casing = CHOICES["casing"][0]
    sdh: cap.Sdh = CHOICES["sdh"][0]
    replacements: cap.Replacements = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CheckArguments(CaptionArguments):
    """What was typed after `check`."""

    html: Annotated[
        bool, typer.Option("--html/--no-html", help="Print the certificate as a web page.", rich_help_panel=_OUTPUT)
    ] = False


def run_layout(arguments: LayoutArguments) -> None:
    """Lay words out as captions, by a profile: a transcript's, or those of subtitles there already.

    A transcript is what transcribe -f json writes, so that trying another profile needs no model. talk.en.json
    becomes talk.en.srt; film.en.srt becomes film.en.reflowed.srt.
    """
    from subwhisper.pipeline.captions import Reading, lay_out_file
    from subwhisper.pipeline.edit import Destination
    from subwhisper.pipeline.inputs import as_text, the_source
    from subwhisper.subtitles.check import check

    source = the_source(arguments.file)
    with Console(quiet=arguments.quiet) as console, as_text(source) as file:
        profile, picture = cap.chosen_profile(arguments), arguments.picture(console)
        track, written = lay_out_file(
            file,
            profile,
            Destination(arguments.output, overwrite=arguments.overwrite, folder=source.folder),
            formats=_formats(arguments.formats),
            picture=picture,
            reading=Reading(language=arguments.language, encoding=arguments.encoding),
            highlighted=arguments.highlight_words,
            wording=cap.chosen_wording(arguments),
        )
        certificate = check(track, profile, picture)
        losses = {path: _lost(shown, path) for path, shown in written.items()}
        for path, lost in losses.items():
            console.line(f"wrote {path}: {summary(certificate)}")
            if lost:
                console.line(f"  {path.suffix[1:]} cannot hold: {', '.join(map(str, lost))}")
    if arguments.json:
        told = {str(path): [loss.to_dict() for loss in lost] for path, lost in losses.items() if lost}
        report({"outputs": [*map(str, written)], "losses": told, "certificate": certificate.to_dict()})


def _lost(track: "Track", path: Path) -> "tuple[Loss, ...]":
    """What a file that was just written cannot hold."""
    from subwhisper.subtitles.formats.losses import lost_from_captions

    return lost_from_captions(track, path.suffix[1:], path.read_bytes(), timed_words=False)


def run_check(arguments: CheckArguments) -> None:
    """Check captions by the rules of a profile: every rule, how many cues keep it, which break it and why.

    Ends with 0 when all required rules are kept and with 1 when one is broken. The words of a transcript (.json) are
    laid out first; then the reasons are told as well, which subtitles alone do not show.
    """
    from subwhisper.pipeline.captions import Reading
    from subwhisper.pipeline.inputs import as_text, the_source
    from subwhisper.subtitles.check import check
    from subwhisper.subtitles.check_html import certificate_page

    if arguments.json and arguments.html:
        raise OptionError("--json and --html cannot both be given")
    source = the_source(arguments.file)
    with Console(quiet=arguments.quiet) as console, as_text(source) as file:
        profile, picture = cap.chosen_profile(arguments), arguments.picture(console)
        reading = Reading(language=arguments.language, encoding=arguments.encoding)
        certificate = check(reading.captions(file, profile, picture), profile, picture)
    if arguments.json:
        report({"input": arguments.file} | certificate.to_dict())
    elif arguments.html:
        write_data(certificate_page(certificate, source.name))
    elif not arguments.quiet:
        for line in _lines(certificate, arguments.file):
            write_data(one_line(line))
    if not certificate.passes:
        raise typer.Exit(BROKEN)


def summary(certificate: "Certificate") -> str:
    """How captions keep their profile, in a few words."""
    cues = "1 cue" if certificate.cues == 1 else f"{certificate.cues} cues"
    if certificate.passes:
        return f"{cues}, all by the rules of {certificate.profile}"
    broken = {v.title.lower(): len(v.findings) for v in certificate.verdicts if v.required and v.findings}
    rules = ", ".join(f"{title} {count}" for title, count in broken.items())
    return f"{cues}, {len(certificate.broken)} not by the rules of {certificate.profile} ({rules})"


def _lines(certificate: "Certificate", name: str) -> list[str]:
    """A row per rule and a row per finding."""
    from subwhisper.subtitles.check import UNKNOWN
    from subwhisper.subtitles.formats.clock import clock

    known = f"{certificate.frame_rate:.6g} a second" if certificate.frame_rate else "not known (see --fps, --video)"
    lines = [f"{name}: {summary(certificate)}", f"frames: {known}"]
    if certificate.language == UNKNOWN:
        lines.append("language: not known, and its own limits with it (see --language)")
    lines.append("")
    for verdict in certificate.verdicts:
        advice = "" if verdict.required else "  (advice)"
        lines.append(f"{verdict.rate:7.1%}  {verdict.title}: {verdict.limit}{advice}")
    for verdict in certificate.verdicts:
        if verdict.findings:
            lines += ["", f"{verdict.title}: {verdict.limit}"]
        for finding in verdict.findings:
            cause = f"; {finding.cause}" if finding.cause else ""
            lines.append(
                f"  cue {finding.cue} at {clock(finding.start_ms, point='.', hours=True)}: {finding.what}{cause}"
            )
            lines.append(f"      {finding.text}")
    return lines


def _formats(text: str) -> tuple[str, ...]:
    from subwhisper.pipeline.outputs import formats_among
    from subwhisper.subtitles.formats import FORMATS

    return formats_among(tuple(FORMATS), text, common=("srt", "vtt", "ass", "txt", "tsv"))


def _seconds(text: Any) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in str(text).split(",") if part.strip())
    except ValueError as error:
        raise OptionError(f"--shots: {text!r} is not a list of seconds", hint="such as 12.5,31,40.04") from error


layout = opt.as_command(LayoutArguments, run_layout)
check = opt.as_command(CheckArguments, run_check)
