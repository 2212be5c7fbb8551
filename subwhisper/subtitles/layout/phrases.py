"""Where phrases begin in Chinese, Japanese and Thai, which write no spaces: BudouX (github.com/google/budoux)."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

LONGEST_RUN = 200
"""Characters parsed at once; a longer run without any space or full stop is parsed in parts."""

_STOPS = "。！？!?"
_PARSERS = {
    "ja": "load_default_japanese_parser",
    "th": "load_default_thai_parser",
    "yue": "load_default_traditional_chinese_parser",
    "zh": "load_default_simplified_chinese_parser",
    "zh-hant": "load_default_traditional_chinese_parser",
    "zh-hk": "load_default_traditional_chinese_parser",
    "zh-tw": "load_default_traditional_chinese_parser",
}


def has_phrases(language: str) -> bool:
    """Whether phrases of this language are known."""
    return _key(language) in _PARSERS


def inside_phrase(parts: Sequence[str], language: str) -> list[bool]:
    """For each part of a run of text without spaces: whether it goes on with the phrase of the part before."""
    parse = _parser(_key(language))
    inside: list[bool] = []
    run: list[str] = []
    length = 0
    for part in parts:
        run.append(part)
        length += len(part)
        if length >= LONGEST_RUN or part[-1] in _STOPS:
            inside += _parsed(run, parse)
            run, length = [], 0
    return inside + _parsed(run, parse)


def _parsed(run: list[str], parse: Callable[[str], list[str]]) -> list[bool]:
    begins, position = {0}, 0
    for phrase in parse("".join(run)) if run else ():
        position += len(phrase)
        begins.add(position)
    inside, position = [], 0
    for part in run:
        inside.append(position not in begins)
        position += len(part)
    return inside


def _key(language: str) -> str:
    code = language.lower()
    return code if code in _PARSERS else code.split("-")[0]


@cache
def _parser(key: str) -> Callable[[str], list[str]]:
    import budoux  # its models are read when they are needed

    load: Any = getattr(budoux, _PARSERS[key])
    parse: Callable[[str], list[str]] = load().parse
    return parse
