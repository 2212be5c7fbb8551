"""Languages Whisper knows: codes, names, aliases, scripts.

The order is that of the language tokens of the multilingual models, which must not change.
"""

from difflib import get_close_matches

from subwhisper.errors import OptionError

_TABLE = """
en English, zh Chinese, de German, es Spanish, ru Russian, ko Korean, fr French, ja Japanese, pt Portuguese,
tr Turkish, pl Polish, ca Catalan, nl Dutch, ar Arabic, sv Swedish, it Italian, id Indonesian, hi Hindi, fi Finnish,
vi Vietnamese, he Hebrew, uk Ukrainian, el Greek, ms Malay, cs Czech, ro Romanian, da Danish, hu Hungarian, ta Tamil,
no Norwegian, th Thai, ur Urdu, hr Croatian, bg Bulgarian, lt Lithuanian, la Latin, mi Maori, ml Malayalam, cy Welsh,
sk Slovak, te Telugu, fa Persian, lv Latvian, bn Bengali, sr Serbian, az Azerbaijani, sl Slovenian, kn Kannada,
et Estonian, mk Macedonian, br Breton, eu Basque, is Icelandic, hy Armenian, ne Nepali, mn Mongolian, bs Bosnian,
kk Kazakh, sq Albanian, sw Swahili, gl Galician, mr Marathi, pa Punjabi, si Sinhala, km Khmer, sn Shona, yo Yoruba,
so Somali, af Afrikaans, oc Occitan, ka Georgian, be Belarusian, tg Tajik, sd Sindhi, gu Gujarati, am Amharic,
yi Yiddish, lo Lao, uz Uzbek, fo Faroese, ht Haitian Creole, ps Pashto, tk Turkmen, nn Nynorsk, mt Maltese,
sa Sanskrit, lb Luxembourgish, my Myanmar, bo Tibetan, tl Tagalog, mg Malagasy, as Assamese, tt Tatar, haw Hawaiian,
ln Lingala, ha Hausa, ba Bashkir, jw Javanese, su Sundanese, yue Cantonese
"""

LANGUAGES: dict[str, str] = {
    code: name for code, _, name in (entry.strip().partition(" ") for entry in _TABLE.replace("\n", " ").split(","))
}
"""Code to English name, in the order of the language tokens."""

ALIASES: dict[str, str] = {
    "burmese": "my",
    "castilian": "es",
    "filipino": "tl",
    "flemish": "nl",
    "haitian": "ht",
    "jv": "jw",  # ISO's code; Whisper was trained with the older one
    "letzeburgesch": "lb",
    "mandarin": "zh",
    "moldavian": "ro",
    "moldovan": "ro",
    "panjabi": "pa",
    "pushto": "ps",
    "sinhalese": "si",
    "valencian": "ca",
}
"""Other names in use, in lower case, to code."""

SPACELESS = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Codes of languages written without spaces between words."""

_CODES = {**{code: code for code in LANGUAGES}, **{name.lower(): code for code, name in LANGUAGES.items()}, **ALIASES}


def language_code(language: str) -> str:
    """The code of a language given by code or English name, in any case.

    Raises:
        OptionError: Whisper does not know it; the hint names the nearest.
    """
    key = language.strip().lower()
    if key in _CODES:
        return _CODES[key]
    near = get_close_matches(key, _CODES, n=3, cutoff=0.6)
    hint = f"did you mean {' or '.join(near)}?" if near else "give a code such as en, or an English name"
    raise OptionError(f"unknown language {language!r}", hint=hint)
