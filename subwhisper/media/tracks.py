"""Which of a file's tracks is meant: by number or by language."""

from collections.abc import Sequence

from subwhisper.errors import MediaError, OptionError
from subwhisper.languages import LANGUAGES, language_code
from subwhisper.media.probe import AudioStream, MediaInfo, Stream, SubtitleStream

# Containers state three letters of ISO 639-2 (some languages have two forms), people two of ISO 639-1.
_ISO_639 = """
    afr:af alb:sq amh:am ara:ar arm:hy asm:as aze:az bak:ba baq:eu bel:be ben:bn bod:bo bos:bs bre:br bul:bg bur:my
    cat:ca ces:cs chi:zh cmn:zh cym:cy cze:cs dan:da deu:de dut:nl ell:el eng:en est:et eus:eu fao:fo fas:fa fil:tl
    fin:fi fra:fr fre:fr geo:ka ger:de glg:gl gre:el guj:gu hat:ht hau:ha heb:he hin:hi hrv:hr hun:hu hye:hy ice:is
    ind:id isl:is ita:it jav:jw jpn:ja jv:jw kan:kn kat:ka kaz:kk khm:km kor:ko lao:lo lat:la lav:lv lin:ln lit:lt
    ltz:lb mac:mk mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi msa:ms mya:my nb:no nep:ne nld:nl
    nno:nn nob:no nor:no oci:oc pan:pa per:fa pol:pl por:pt pus:ps ron:ro rum:ro rus:ru san:sa sin:si slk:sk slo:sk
    slv:sl sna:sn snd:sd som:so spa:es sqi:sq srp:sr sun:su swa:sw swe:sv tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th
    tib:bo tuk:tk tur:tr ukr:uk urd:ur uzb:uz vie:vi wel:cy yid:yi yor:yo zho:zh
"""
_TWO_LETTERS = dict(pair.split(":") for pair in _ISO_639.split())
_BIBLIOGRAPHIC = frozenset(  # ISO 639-2/B: the other form of languages that have two
    "alb arm baq bur chi cze dut fre geo ger gre ice mac mao may per rum slo tib wel".split()  # noqa: SIM905
)
_THREE_LETTERS = {two: three for three, two in _TWO_LETTERS.items() if len(three) == 3 and three not in _BIBLIOGRAPHIC}

UNSTATED = "und"
"""What containers state where they state no language."""


def track_number(media: MediaInfo, wanted: int | str) -> int:
    """Find the sound track that is meant.

    Args:
        media: a file with at least one sound track.
        wanted: its number, counted from 0 among the sound tracks, or its language in any usual writing.

    Returns:
        The number of the track; the first of several in the same language.

    Raises:
        MediaError: the file has no such track; the error lists those it has.
    """
    return _number(media, media.audio, wanted, "sound")


def subtitle_number(media: MediaInfo, wanted: int | str) -> int:
    """Find the subtitle track that is meant, as `track_number` finds sound.

    Raises:
        MediaError: the file has no such track; the error lists those it has.
    """
    return _number(media, media.subtitles, wanted, "subtitle")


def preferred_sound(media: MediaInfo) -> int:
    """The number of the sound track that a player takes: one marked as default, else that with most channels."""
    ranked = [("default" in stream.flags, stream.channels) for stream in media.audio]
    return ranked.index(max(ranked))


def same_language(stated: str | None, wanted: str) -> bool:
    """Whether a track's language is the one that is meant; "de", "ger", "deu", "de-AT" and "German" are the same."""
    return stated is not None and _code(stated) == _code(wanted)


def container_language(language: str) -> str:
    """A language as containers state it: three letters of ISO 639-2/T; "und" where it has none there."""
    code = _code(language)
    return _THREE_LETTERS.get(code, code if len(code) == 3 and code.isascii() and code.isalpha() else UNSTATED)


def named_language(name: str) -> str | None:
    """The language that a part of a file's name states, such as "en", "deu" or "pt-BR"; None where it states none."""
    bare = name.lower().replace("_", "-").partition("-")[0]
    return _TWO_LETTERS.get(bare, bare if bare in LANGUAGES else None)


def _number(media: MediaInfo, streams: Sequence[Stream], wanted: int | str, kind: str) -> int:
    if isinstance(wanted, str) and not wanted.strip().isdigit():
        for number, stream in enumerate(streams):
            if same_language(stream.language, wanted):
                return number
    elif 0 <= int(wanted) < len(streams):
        return int(wanted)
    if not streams:
        raise MediaError(f"{media.path} has no {kind} track")
    raise MediaError(
        f"{media.path} has no {kind} track {wanted!r}",
        hint="it has: " + "; ".join(f"{number} ({_described(stream)})" for number, stream in enumerate(streams)),
    )


def _code(language: str) -> str:
    """One writing for one language: "de", "ger", "deu", "de-AT" and "German" are the same."""
    bare = language.strip().lower().replace("_", "-").partition("-")[0]
    if bare in _TWO_LETTERS:
        return _TWO_LETTERS[bare]
    try:
        return language_code(bare)
    except OptionError:  # a language that Whisper does not know can still be a track's
        return bare


def _described(stream: Stream) -> str:
    parts = [stream.language or "no language stated", stream.title or "", stream.codec]
    if isinstance(stream, AudioStream):
        parts.append("1 channel" if stream.channels == 1 else f"{stream.channels} channels")
    if isinstance(stream, SubtitleStream) and not stream.is_text:
        parts.append("pictures")
    return ", ".join(part for part in parts if part)
