"""Phrases that Whisper models write where nobody speaks, learned from the credits of subtitles.

People say some of them too, so a phrase alone proves nothing: `invention.known_phrase` wants other evidence beside it.
"""

import re
import unicodedata

KNOWN: dict[str, tuple[str, ...]] = {
    "ar": ("ترجمة نانسي قنقر", "اشتركوا في القناة", "شكرا على المشاهدة"),
    "de": (
        "untertitel der amara org community",
        "untertitel im auftrag des zdf",
        "untertitelung des zdf",
        "untertitel von stephanie geiges",
        "vielen dank fürs zuschauen",
        "copyright wdr",
        "swr",
    ),
    "en": (
        "thank you",
        "thank you for watching",
        "thanks for watching",
        "thank you very much for watching",
        "please subscribe",
        "please subscribe to my channel",
        "like and subscribe",
        "see you in the next video",
        "subtitles by the amara org community",
        "transcription by castingwords",
    ),
    "es": (
        "subtítulos realizados por la comunidad de amara org",
        "subtítulos por la comunidad de amara org",
        "gracias por ver el video",
        "suscríbete al canal",
    ),
    "fr": (
        "sous titres réalisés par la communauté d amara org",
        "sous titres réalisés para la communauté d amara org",
        "sous titrage société radio canada",
        "merci d avoir regardé cette vidéo",
        "abonnez vous",
    ),
    "it": ("sottotitoli creati dalla comunità amara org", "sottotitoli e revisione a cura di qtss", "grazie a tutti"),
    "ja": ("ご視聴ありがとうございました", "チャンネル登録をお願いします", "字幕視聴ありがとうございました"),
    "ko": ("시청해주셔서 감사합니다", "구독과 좋아요 부탁드립니다", "mbc 뉴스"),
    "nl": ("ondertiteld door de amara org gemeenschap", "ondertiteling door de amara org gemeenschap", "tv gelderland"),
    "pl": ("napisy stworzone przez społeczność amara org", "dziękuję za uwagę", "dziękuję za oglądanie"),
    "pt": ("legendas pela comunidade amara org", "obrigado por assistir", "inscreva se no canal"),
    "ru": (
        "субтитры сделал dimatorzok",
        "субтитры создавал dimatorzok",
        "субтитры подогнал симон",
        "редактор субтитров",
        "продолжение следует",
        "спасибо за просмотр",
    ),
    "tr": ("izlediğiniz için teşekkür ederim", "altyazı m k", "abone olmayı unutmayın"),
    "uk": ("дякую за перегляд", "субтитри створені спільнотою amara org"),
    "zh": (
        "请不吝点赞订阅转发打赏支持明镜与点点栏目",
        "字幕由amara org社区提供",
        "谢谢观看",
        "感谢观看",
        "中文字幕志愿者",
    ),
}
"""Language code to phrases, without case and marks; a year or name may follow them."""


def plain(text: str) -> str:
    """Lower case, without marks, one space between words; none in scripts that write none."""
    words = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).strip()
    return re.sub(r"(?<=[^\x00-\u1100]) (?=[^\x00-\u1100])", "", words)


def is_known_phrase(text: str, language: str) -> bool:
    """Decide whether a text is one of these phrases and little else, in its language or in English."""
    said = plain(text)
    known = map(plain, (*KNOWN.get(language, ()), *KNOWN["en"]))
    return any(said == phrase or (len(phrase) > 12 and said.startswith(f"{phrase} ")) for phrase in known)
