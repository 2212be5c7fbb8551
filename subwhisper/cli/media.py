"""`subwhisper probe`, `extract` and `mux`: what a media file holds, and its tracks out of it and into it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli import sound as snd
from subwhisper.cli.console import Console, one_line, report, write_data
from subwhisper.cli.verdict import verdict
from subwhisper.errors import OptionError

if TYPE_CHECKING:
    from subwhisper.media.probe import AudioStream, MediaInfo, Stream, SubtitleStream, VideoStream
    from subwhisper.pipeline.mux import Addition


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ProbeArguments:
    """What was typed."""

    inputs: opt.Inputs
    json: opt.Json = False


def run_probe(arguments: ProbeArguments) -> None:
    """Show what media files hold: streams, languages, durations, offsets.

    Tracks are numbered from 0 within their kind, as --audio-track and the other options count them.
    An offset is the time by which a track starts after its file does.
    """
    from subwhisper.pipeline.probe import probe_all  # brings ffmpeg's libraries: keep it in here

    rows, problems = [], []
    with Console() as console:
        for probed in probe_all(arguments.inputs):
            rows.append(probed.to_dict())
            if probed.error:
                problems.append(probed.error)
            elif probed.media and not arguments.json:
                write_data("\n".join([*([""] if len(rows) > 1 else []), *_table(probed.source, probed.media)]))
        for problem in problems if len(rows) > 1 else []:  # an only input's error is what the command ends with
            console.fail(problem)
    if arguments.json:
        report({"files": rows})
    if problems:
        raise verdict(problems, len(rows))


def _table(name: str, media: "MediaInfo") -> Iterator[str]:
    facts = [media.format, clock(media.duration), *([f"clock from {media.start:.3f} s"] if media.start else [])]
    titled = f"  {media.title}" if media.title else ""
    yield one_line(f"{name}: {' · '.join(facts)}{titled}")
    rows = [
        *(("video", number, it, _picture(it)) for number, it in enumerate(media.video)),
        *(("audio", number, it, _sound(it)) for number, it in enumerate(media.audio)),
        *(("subtitles", number, it, _text(it)) for number, it in enumerate(media.subtitles)),
        *((it.kind, number, it, "") for number, it in enumerate(media.others)),
    ]
    if rows:
        yield f"  {'track':<13}{'language':<10}{'codec':<18}{'offset':>9}{'duration':>15}  what"
    for kind, number, stream, detail in rows:
        yield one_line(_row(f"{kind} {number}", stream, detail, media.origin))
    for number, chapter in enumerate(media.chapters):
        yield one_line(f"  chapter {number:<5}{clock(chapter.start)} to {clock(chapter.end)}  {chapter.title or ''}")


def _row(track: str, stream: "Stream", detail: str, origin: float) -> str:
    offset = "-" if stream.start is None else f"{round(stream.start - origin, 3) + 0.0:+.3f}"
    said = [detail, f'"{stream.title}"' if stream.title else "", *stream.flags]
    shown = ", ".join(part for part in said if part)
    language = stream.language or "-"
    return f"  {track:<13}{language:<10}{stream.codec:<18}{offset:>9}{clock(stream.duration):>15}  {shown}"


def _picture(stream: "VideoStream") -> str:
    parts = [f"{stream.width}x{stream.height}"]
    if stream.frame_rate:
        parts.append(f"{stream.frame_rate:.5g} frames/s")
    if stream.interlaced:
        parts.append("interlaced")
    if stream.rotation:
        parts.append(f"turned by {stream.rotation} degrees")
    if stream.pixel_aspect != 1:
        parts.append("shown as {}x{}".format(*stream.display_size))
    if stream.bit_depth > 8:
        parts.append(f"{stream.bit_depth} bit")
    if stream.hdr:
        parts.append(f"HDR ({stream.hdr.upper()})")
    if stream.timecode:
        parts.append(f"time code {stream.timecode}")
    return ", ".join(parts)


def _sound(stream: "AudioStream") -> str:
    layout = stream.layout or ("1 channel" if stream.channels == 1 else f"{stream.channels} channels")
    return f"{layout}, {stream.sample_rate} Hz"


def _text(stream: "SubtitleStream") -> str:
    return "text" if stream.is_text else "pictures"


def clock(seconds: float | None) -> str:
    """Seconds as 1:02:03.456; a hyphen where nobody knows."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds * 1000), 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 1000:06.3f}"


Media = Annotated[str, typer.Argument(help="Audio or video: a file, a URL, or - for standard input.", metavar="INPUT")]
SubtitleTrack = Annotated[
    str | None,
    typer.Option(
        "--subtitle-track", metavar="NUMBER|LANGUAGE", rich_help_panel="What is heard",
        help="Take this subtitle track instead of sound: its number from 0, or its language.",
    ),
]  # fmt: skip
Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", rich_help_panel="Output", help="The file to write (default: beside the input)."),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="FORMAT", rich_help_panel="Output",
        help="wav, flac, opus, ogg, mp3, m4a or mka for sound (default: wav); srt, vtt, ass ... for subtitles "
        "(default: what they are).",
    ),
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ExtractArguments:
    """What was typed."""

    input: Media
    audio_track: opt.AudioTrack = None
    subtitle_track: SubtitleTrack = None
    output: Target = None
    to: To = None
    channel: snd.Channel = None
    mix: snd.Mix = None
    sample_rate: snd.Rate = None
    loudness: snd.Loudness = None
    high_pass: snd.HighPass = None
    denoise: snd.Denoise = False
    overwrite: opt.Overwrite = False
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_extract(arguments: ExtractArguments) -> None:
    """Write one track of a media file to a file of its own: sound, or subtitles.

    Sound is copied as it is where the file can hold it and nothing was asked of it. Sound that starts late in the
    film begins with silence, so that captions made from it fit.
    """
    from subwhisper.media.extract import SoundChoice
    from subwhisper.media.sound import SoundOptions
    from subwhisper.pipeline.extract import ExtractJob, extract
    from subwhisper.pipeline.inputs import the_source

    chosen = SoundChoice(
        track=arguments.audio_track,
        mix=arguments.mix,
        sample_rate=arguments.sample_rate,
        sound=SoundOptions(
            channel=arguments.channel,
            high_pass=arguments.high_pass,
            denoise=arguments.denoise,
            loudness=arguments.loudness,
        ),
    )
    if arguments.subtitle_track is not None and chosen != SoundChoice():
        raise OptionError("--subtitle-track takes subtitles, and the other options are about sound")
    job = ExtractJob(
        subtitles=arguments.subtitle_track,
        audio=chosen,
        output=arguments.output,
        format=arguments.to,
        overwrite=arguments.overwrite,
    )
    with Console(quiet=arguments.quiet) as console:
        with console.working():
            written = extract(the_source(arguments.input), job, on_progress=console.progress)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


def _track_option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="Tracks", **more)


Texts = Annotated[
    list[str] | None,
    typer.Argument(
        help="Subtitle files or URLs to put in; film.de.forced.srt says its language itself.", metavar="SUBTITLES"
    ),
]
Languages = Annotated[
    list[str] | None,
    _track_option("--track-language", metavar="LANGUAGE", help="Of the first, second ... of SUBTITLES; repeatable."),
]
Titles = Annotated[
    list[str] | None,
    _track_option("--title", metavar="TEXT", help="Of the first, second ... of SUBTITLES; repeatable."),
]
Remove = Annotated[
    list[str] | None,
    _track_option(
        "--remove", metavar="NUMBER|LANGUAGE", help="Leave these subtitle tracks out: number from 0, language, or all."
    ),
]
Default = Annotated[
    str | None,
    _track_option(
        "--default", metavar="NUMBER|LANGUAGE", help="The subtitle track of the result that is shown unasked, or none."
    ),
]
Forced = Annotated[
    str | None,
    _track_option(
        "--forced", metavar="NUMBER|LANGUAGE", help="The one for foreign words only, which is always shown, or none."
    ),
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class MuxArguments:
    """What was typed."""

    video: Annotated[str, typer.Argument(help="A video: mp4, mkv, webm or other; or a URL.", metavar="VIDEO")]
    subtitles: Texts = None
    output: Target = None
    track_language: Languages = None
    title: Titles = None
    remove: Remove = None
    default: Default = None
    forced: Forced = None
    encoding: opt.Encoding = None
    overwrite: opt.Overwrite = False
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_mux(arguments: MuxArguments) -> None:
    """Put subtitles into a video as tracks that a player can switch on and off, or take such tracks out.

    Picture, sound and metadata are copied as they are. The result is .mp4, .m4v, .mov, .mkv or .webm, as it is named
    (default: STEM.muxed beside the video); tracks are rewritten where the new container wants it.
    """
    from subwhisper.pipeline.inputs import the_source
    from subwhisper.pipeline.mux import MuxJob, mux_subtitles

    job = MuxJob(
        additions=tuple(_additions(arguments)),
        remove=tuple(arguments.remove or ()),
        default=arguments.default,
        forced=arguments.forced,
        output=arguments.output,
        encoding=arguments.encoding,
        overwrite=arguments.overwrite,
    )
    with Console(quiet=arguments.quiet) as console:
        with console.working():
            written = mux_subtitles(the_source(arguments.video), job, on_progress=console.progress)
        console.line(f"wrote {written}")
    if arguments.json:
        report({"outputs": [str(written)]})


def _additions(arguments: MuxArguments) -> "Iterator[Addition]":
    from subwhisper.pipeline.inputs import the_source
    from subwhisper.pipeline.mux import Addition

    files, languages, titles = arguments.subtitles or [], arguments.track_language or [], arguments.title or []
    for option, values in (("--track-language", languages), ("--title", titles)):
        if len(values) > len(files):
            raise OptionError(f"{option} is given {len(values)} times for {len(files)} subtitle files")
    for name, language, title in zip_longest(files, languages, titles):
        yield Addition.of(the_source(name), language=language, title=title)


probe = opt.as_command(ProbeArguments, run_probe)
extract = opt.as_command(ExtractArguments, run_extract)
mux = opt.as_command(MuxArguments, run_mux)
