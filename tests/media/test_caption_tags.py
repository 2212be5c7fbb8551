import pytest

from subwhisper.media.beside import CaptionTags, caption_tags


@pytest.mark.parametrize(
    ("tags", "told"),
    [
        ("", CaptionTags(None, has_kind=False)),
        ("eng", CaptionTags("en", has_kind=False)),
        ("English.SDH", CaptionTags("en", has_kind=True)),
        ("en.hi", CaptionTags("en", has_kind=True)),
        ("hi", CaptionTags("hi", has_kind=False)),
        ("und", CaptionTags(None, has_kind=False)),
        ("en.forced", None),
        ("bak", None),
        ("en.de", None),
    ],
)
def test_tags_tell_the_language_and_whom_captions_are_for(tags: str, told: CaptionTags | None) -> None:
    assert caption_tags(tags.split(".") if tags else []) == told
