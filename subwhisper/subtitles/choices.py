"""What the options of wording can be: apart, because the command line reads it at every start."""

from collections.abc import Mapping

CHOICES: Mapping[str, tuple[str, ...]] = {
    "disfluencies": ("verbatim", "clean"),
    "numbers": ("keep", "spell"),
    "profanity": ("keep", "mask"),
    "casing": ("keep", "upper", "lower", "sentence"),
    "sdh": ("keep", "remove"),
}
"""Option -> its values, the default first."""
