"""Colours as subtitle formats write them, to and from `#rrggbb`."""

import re

# HTML 4's sixteen and the commonest others. SubRip files use any name a browser knows, but hardly another.
NAMES = {
    "black": "#000000", "silver": "#c0c0c0", "gray": "#808080", "grey": "#808080", "white": "#ffffff",
    "maroon": "#800000", "red": "#ff0000", "purple": "#800080", "fuchsia": "#ff00ff", "magenta": "#ff00ff",
    "green": "#008000", "lime": "#00ff00", "olive": "#808000", "yellow": "#ffff00", "navy": "#000080",
    "blue": "#0000ff", "teal": "#008080", "aqua": "#00ffff", "cyan": "#00ffff", "orange": "#ffa500",
    "brown": "#a52a2a", "pink": "#ffc0cb", "gold": "#ffd700", "violet": "#ee82ee", "crimson": "#dc143c",
    "salmon": "#fa8072", "turquoise": "#40e0d0", "skyblue": "#87ceeb", "lightblue": "#add8e6",
    "lightgreen": "#90ee90", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3", "lightyellow": "#ffffe0",
    "darkblue": "#00008b", "darkgreen": "#006400", "darkred": "#8b0000", "darkgray": "#a9a9a9",
    "darkgrey": "#a9a9a9", "darkorange": "#ff8c00", "indigo": "#4b0082", "beige": "#f5f5dc", "coral": "#ff7f50",
    "khaki": "#f0e68c", "tan": "#d2b48c", "transparent": "#00000000",
}  # fmt: skip
_HEX = re.compile(r"#?([0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3})$")
_FUNCTION = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*(\d{1,3}(?:\.\d{1,4})?)\s*)?\)$")
_ASS = re.compile(r"&?h?([0-9a-f]{1,8})&?$", re.IGNORECASE)


def parse_colour(text: str, *, alpha_is_byte: bool = False) -> str | None:
    """Read a colour of HTML, CSS or TTML: a name, `#rgb`, `#rrggbb`, `#rrggbbaa`, `rgb(…)`.

    Args:
        text: the colour.
        alpha_is_byte: the fourth number of `rgba(…)` goes to 255, as in TTML, and not to 1, as in CSS.

    Returns:
        `#rrggbb`, or `#rrggbbaa` where it is not opaque; `None` when it is no colour we know.
    """
    text = text.strip().strip("\"'").lower()
    if text in NAMES:
        return NAMES[text]
    if match := _HEX.match(text):
        digits = match[1] if len(match[1]) > 3 else "".join(digit * 2 for digit in match[1])
        return _named(digits)
    if match := _FUNCTION.match(text):
        parts = [min(int(part), 255) for part in match.group(1, 2, 3)]
        if match[4] is not None:
            parts.append(min(round(float(match[4]) * (1 if alpha_is_byte else 255)), 255))
        return _named("".join(f"{part:02x}" for part in parts))
    return None


def _named(digits: str) -> str:
    return f"#{digits[:6]}" if digits[6:] in ("", "ff") else f"#{digits}"


def parse_ass_colour(text: str) -> str | None:
    """Read `&HBBGGRR&` or `&HAABBGGRR`, where 00 is opaque; `None` when it is neither."""
    match = _ASS.match(text.strip())
    if not match:
        return None
    digits = match[1].rjust(8, "0").lower()
    return _named(digits[6:8] + digits[4:6] + digits[2:4] + f"{255 - int(digits[:2], 16):02x}")


def ass_colour(colour: str) -> str:
    """Write `&HBBGGRR&`, without its transparency."""
    return f"&H{colour[5:7]}{colour[3:5]}{colour[1:3]}&".upper()


def ass_alpha(colour: str) -> str:
    """Write the transparency of a colour as `&HAA&`, 00 opaque."""
    return f"&H{255 - int(colour[7:9] or 'ff', 16):02X}&"
