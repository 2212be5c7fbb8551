"""`subwhisper fetch`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from subwhisper.cli import options as opt
from subwhisper.cli.console import Console, report
from subwhisper.errors import PartialFailure


def _fetch_option(*names: str, help: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel="What is fetched", **more)


Url = Annotated[str, typer.Argument(help="Of a media file, a stream, or a page that shows one.", metavar="URL")]
Folder = Annotated[
    Path,
    typer.Option("--output-dir", "-o", rich_help_panel="Output", help="Folder for what comes (default: this one)."),
]
AudioOnly = Annotated[bool, _fetch_option("--audio-only/--no-audio-only", help="Only the sound, where it is apart.")]
Subtitles = Annotated[
    str | None,
    _fetch_option(
        "--subtitles", metavar="LANGUAGES",
        help="Also the subtitles that people wrote in these languages, with commas between: en,de; or all.",
    ),
]  # fmt: skip
Largest = Annotated[
    float | None, _fetch_option("--max-size", metavar="MEGABYTES", min=0.001, help="Fetch nothing that is larger.")
]
Cookies = Annotated[
    Path | None,
    _fetch_option("--cookies", metavar="FILE", help="Cookies in Netscape's format, where a login is wanted."),
]


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FetchArguments:
    """What was typed."""

    url: Url
    output_dir: Folder = Path()
    audio_only: AudioOnly = False
    subtitles: Subtitles = None
    max_size: Largest = None
    cookies: Cookies = None
    overwrite: opt.Overwrite = False
    json: opt.Json = False
    quiet: opt.Quiet = False


def run_fetch(arguments: FetchArguments) -> None:
    """Fetch a recording from the network.

    Other commands take a URL wherever they take a file; this one keeps what comes. Subtitles that people wrote are
    fetched when asked for, those that machines made never.
    """
    from subwhisper.media.fetch import FetchOptions
    from subwhisper.pipeline.fetch import fetch_to

    languages = tuple(part.strip() for part in (arguments.subtitles or "").split(",") if part.strip())
    options = FetchOptions(
        audio_only=arguments.audio_only,
        subtitles=languages,
        largest=None if arguments.max_size is None else round(arguments.max_size * 1e6),
        cookies=arguments.cookies,
        overwrite=arguments.overwrite,
    )
    with Console(quiet=arguments.quiet) as console:
        with console.working():
            fetched = fetch_to(arguments.url, arguments.output_dir, options, on_progress=console.progress)
        written = [fetched.path, *fetched.subtitles.values()]
        for path in written:
            console.line(f"wrote {path}")
    if arguments.json:
        subtitles = {language: str(path) for language, path in fetched.subtitles.items()}
        report({"outputs": [str(path) for path in written], "title": fetched.title, "subtitles": subtitles})
    if languages and not fetched.subtitles:
        there = f"there are: {', '.join(fetched.offered)}" if fetched.offered else "there are none at all"
        raise PartialFailure(f"nobody wrote subtitles of it in {arguments.subtitles}", hint=there)


fetch = opt.as_command(FetchArguments, run_fetch)
