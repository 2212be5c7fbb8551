"""The options that say how captions are laid out, and the profile they mean."""

from typing import TYPE_CHECKING, Annotated, Protocol

from subwhisper.cli.options import option

if TYPE_CHECKING:
    from subwhisper.subtitles.layout.profile import Profile

_CAPTIONS = "Captions"

ProfileName = Annotated[
    str,
    option(
        "--profile", "--standard", panel=_CAPTIONS, metavar="NAME|FILE.toml",
        help="The rules to keep: netflix, netflix-children, netflix-sdh, bbc, bbc-vertical, ebu, dcmp, ted, prime, "
        "arte, youtube, shorts (9:16), one-word, plain; or a file of your own.",
    ),
]  # fmt: skip
MaxLineWidth = Annotated[
    int | None, option("--max-line-width", panel=_CAPTIONS, min=1, help="Columns of a line (default: the profile's).")
]
MaxLineCount = Annotated[
    int | None, option("--max-line-count", panel=_CAPTIONS, min=1, help="Lines of a caption (default: the profile's).")
]
MaxWordsPerLine = Annotated[
    int | None,
    option("--max-words-per-line", panel=_CAPTIONS, min=1, help="Words on a line, where no width is given."),
]
MinDuration = Annotated[
    float | None,
    option("--min-duration", panel=_CAPTIONS, metavar="SECONDS", help="A caption stays at least so long."),
]
MaxDuration = Annotated[
    float | None, option("--max-duration", panel=_CAPTIONS, metavar="SECONDS", help="A caption stays at most so long.")
]
MinGap = Annotated[
    float | None, option("--min-gap", panel=_CAPTIONS, metavar="SECONDS", help="Time between two captions.")
]
ReadingSpeed = Annotated[
    float | None,
    option("--reading-speed", "--max-cps", panel=_CAPTIONS, metavar="N", help="Characters per second at most."),
]
ShotChanges = Annotated[
    bool,
    option(
        "--shot-changes/--no-shot-changes", panel=_CAPTIONS,
        help="Look for cuts in the picture and keep captions to them; takes a while.",
    ),
]  # fmt: skip

_SINGLE = ("min_duration", "max_duration", "min_gap", "reading_speed")


class ProfileArguments(Protocol):
    """What a command that lays captions out has among its options."""

    @property
    def profile(self) -> str: ...
    @property
    def max_line_width(self) -> int | None: ...
    @property
    def max_line_count(self) -> int | None: ...
    @property
    def max_words_per_line(self) -> int | None: ...
    @property
    def min_duration(self) -> float | None: ...
    @property
    def max_duration(self) -> float | None: ...
    @property
    def min_gap(self) -> float | None: ...
    @property
    def reading_speed(self) -> float | None: ...


def chosen_profile(arguments: ProfileArguments) -> "Profile":
    """The named profile with the single options over it.

    Raises:
        OptionError: there is no such profile, or a value cannot be.
        ConfigError: the profile's file is wrong.
    """
    from subwhisper.subtitles.layout.standards import load_profile

    stated = {name: value for name in _SINGLE if (value := getattr(arguments, name)) is not None}
    profile = load_profile(arguments.profile).limited(
        max_line_width=arguments.max_line_width,
        max_line_count=arguments.max_line_count,
        max_words_per_line=arguments.max_words_per_line,
    )
    return profile.changed(**stated)
