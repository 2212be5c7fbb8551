"""The options that say what is done to sound."""

from typing import Annotated, Any

import typer

from subwhisper.errors import OptionError


def option(*names: str, help: str, **more: Any) -> Any:
    """An option of the panel of sound."""
    return typer.Option(*names, help=help, rich_help_panel="Sound", **more)


def parse_channel(value: Any) -> int | str:
    """A channel's number, or its name."""
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() else text


Channel = Annotated[
    Any,
    option(
        "--channel", metavar="NUMBER|NAME", parser=parse_channel,
        help="Only this channel: its number from 0, or left, right, centre, LFE ...",
    ),
]  # fmt: skip
Mix = Annotated[str | None, option("--mix", metavar="NAME", help="Mix all channels down: mono or stereo.")]
Rate = Annotated[int | None, option("--sample-rate", metavar="HZ", help="(default: as it is)")]
Loudness = Annotated[
    float | None,
    option("--loudness", metavar="LUFS", help="Bring it to this loudness: -16 for the web, -23 for broadcast."),
]
HighPass = Annotated[
    float | None, option("--high-pass", metavar="HZ", help="Weaken what lies below, such as rumble: 80.")
]
Denoise = Annotated[bool, option("--denoise/--no-denoise", help="Weaken steady noise.")]
Channels = Annotated[
    str,
    option(
        "--channels", metavar="HOW",
        help="mix hears all channels as one; split hears each for itself and takes each for a speaker.",
    ),
]  # fmt: skip


def parse_channels(name: str) -> str:
    """How several channels are heard.

    Raises:
        OptionError: it is none of the ways.
    """
    from subwhisper.pipeline.channels import CHANNELS

    if name not in CHANNELS:
        raise OptionError(f"--channels cannot be {name!r}", hint=" or ".join(CHANNELS))
    return name
