import pytest

from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.errors import ModelError, OptionError
from subwhisper.model.vocabulary import Vocabulary, public_vocabulary, special_token_table

from .vocabularies import BYTES, byte_tokenizer


@pytest.fixture(scope="module")
def multilingual() -> Tokenizer:
    return Tokenizer(public_vocabulary(51865), is_multilingual=True)


def test_text_survives_encoding(multilingual: Tokenizer) -> None:
    text = " Grüße, 世界! It's <|endoftext|> 3.50 €"
    tokens = multilingual.encode(text)
    assert max(tokens) < multilingual.eot  # names of special tokens in a text are only text
    assert multilingual.decode(tokens) == text


def test_timestamps_are_written_only_when_asked_for(multilingual: Tokenizer) -> None:
    tokens = [multilingual.timestamp_begin + 54, *multilingual.encode(" Yes")]
    assert multilingual.decode(tokens) == " Yes"
    assert multilingual.decode_with_timestamps(tokens) == "<|1.08|> Yes"


def test_a_window_begins_with_language_and_task(multilingual: Tokenizer) -> None:
    start = multilingual.start_sequence("de", "translate")
    assert multilingual.decode_with_timestamps(start) == "<|startoftranscript|><|de|><|translate|>"
    assert byte_tokenizer().start_sequence("en", "transcribe") == (byte_tokenizer().sot,)


def test_an_unknown_language_of_a_model_is_named() -> None:
    with pytest.raises(OptionError, match="does not know German"):
        byte_tokenizer(languages=("en", "es")).start_sequence("de", "transcribe")


def test_language_tokens_follow_the_checkpoint() -> None:
    assert list(byte_tokenizer(languages=("es", "en")).language_tokens) == ["es", "en"]
    assert byte_tokenizer().language_tokens == {}


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        ("en", " Hello there, you.", [" Hello", " there", ",", " you", "."]),
        ("de", ' Er sagt "so"', [" Er", " sagt", ' "so', '"']),
        ("ja", "今日は", ["今日", "は"]),
    ],
)
def test_words_are_cut_at_spaces_or_between_characters(
    multilingual: Tokenizer, language: str, text: str, words: list[str]
) -> None:
    tokens = multilingual.encode(text)
    cut = multilingual.split_to_word_tokens([*tokens, multilingual.eot], language)
    assert "".join(word for word, _ in cut) == text + "<|endoftext|>"
    assert [token for _, piece in cut for token in piece] == [*tokens, multilingual.eot]
    if language != "ja":
        assert [word for word, _ in cut[:-1]] == words


def test_a_character_of_several_tokens_is_not_cut() -> None:
    tokenizer = byte_tokenizer(languages=("ja",))
    assert [word for word, _ in tokenizer.split_to_word_tokens(list("日本".encode()), "ja")] == ["日", "本"]


def test_broken_bytes_do_not_stop_the_cutting() -> None:
    tokenizer = byte_tokenizer()
    cut = tokenizer.split_to_word_tokens([0xE6, ord("a"), 0xE6], "en")
    assert sum((piece for _, piece in cut), ()) == (0xE6, ord("a"), 0xE6)


def test_unspoken_symbols_of_a_small_vocabulary_leave_space_and_letters_alone() -> None:
    """In bytes, " ♪" begins with a space and ♪ shares its first byte with quotation marks."""
    assert {chr(token) for token in byte_tokenizer().non_speech_tokens} <= set('"#()*+/:;<=>@[\\]^_`{|}~')


def test_a_vocabulary_without_an_end_is_refused() -> None:
    special = {name: at for name, at in special_token_table(256, ["en"]).items() if name != "<|endoftext|>"}
    with pytest.raises(ModelError, match="endoftext"):
        Tokenizer(Vocabulary(BYTES, special), is_multilingual=False)
