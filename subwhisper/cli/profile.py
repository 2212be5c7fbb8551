"""The options that say how captions are laid out, and the profile they mean."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from subwhisper.cli.options import option
from subwhisper.subtitles.choices import CHOICES

if TYPE_CHECKING:
    from subwhisper.subtitles.layout.profile import Profile
    from subwhisper.subtitles.wording import Wording

_CAPTIONS, _WORDING = "Captions", "Wording"

ProfileName = Annotated[
    str,
    option(
        "--profile", "--standard", panel=_CAPTIONS, metavar="NAME|FILE.toml",
        help="The rules to keep: netflix, netflix-strict, netflix-children, netflix-sdh, bbc, bbc-vertical, ebu, dcmp, "
        "ted, prime, arte, youtube, shorts (9:16), one-word, plain; or a file of your own.",
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


def _wording(name: str, help: str) -> Any:
    return option(f"--{name}", panel=_WORDING, metavar="|".join(CHOICES[name]), help=help)


Disfluencies = Annotated[str, _wording("disfluencies", "Keep um and uh, or leave them out.")]
Numbers = Annotated[str, _wording("numbers", "Keep digits, or spell one to ten.")]
Profanity = Annotated[str, _wording("profanity", "Keep strong language, or mask all but its first letters.")]
Casing = Annotated[str, _wording("casing", "Capitals.")]
Sdh = Annotated[str, _wording("sdh", "Keep \\[sounds] in brackets and marks of music, or leave them out.")]
Replacements = Annotated[
    Path | None,
    option("--replacements", panel=_WORDING, metavar="FILE", help="Corrections, a line each: right: wrong1 | wrong2."),
]

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


class WordingArguments(Protocol):
    """What a command that words captions has among its options."""

    @property
    def disfluencies(self) -> str: ...
    @property
    def numbers(self) -> str: ...
    @property
    def profanity(self) -> str: ...
    @property
    def casing(self) -> str: ...
    @property
    def sdh(self) -> str: ...
    @property
    def replacements(self) -> Path | None: ...


def chosen_wording(arguments: WordingArguments) -> "Wording":
    """How captions are to be worded.

    Raises:
        OptionError: a value cannot be.
        InputError: the file of corrections cannot be read or is wrong.
    """
    from subwhisper.subtitles.wording import Wording, read_replacements

    file = arguments.replacements
    return Wording(
        **{name: getattr(arguments, name) for name in CHOICES},
        replacements=read_replacements(file) if file else (),
    )
