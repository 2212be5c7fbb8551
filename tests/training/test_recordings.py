import json
from pathlib import Path

import numpy as np
import pytest
from packs import packed

from subwhisper.errors import InputError
from subwhisper.training.excerpts import RecordedSpeech, is_bare
from subwhisper.training.forced import Timing
from subwhisper.training.recordings import Pack, Recording, Truecaser, open_pack, read_manifest, word_sounds
from subwhisper.training.synthesis import Espeak

BOOKS = ("We saw Mister Long in Paris.", "They say that Paris is long.", "I know a long way to Paris.")


@pytest.mark.parametrize(
    ("capitals", "written"),
    [
        ("I'VE SEEN PARIS", "I've seen Paris."),
        ("PARIS AND I", "Paris and I."),
        ("IT IS A LONG WAY", "It is a long way."),
    ],
)
def test_capitals_are_written_as_a_book_would(capitals: str, written: str) -> None:
    assert Truecaser(BOOKS).restore(capitals) == written


def test_a_manifest_gives_clips_with_restored_text_and_no_long_ones(tmp_path: Path) -> None:
    entries = [
        {"path": "a.opus", "duration": 3.0, "text": "SEE PARIS", "speaker": 7, "corpus": "c"},
        {"path": "b.opus", "duration": 3.0, "text": 'He said, "go."', "speaker": 8, "corpus": "c"},
        {"path": "c.opus", "duration": 300.0, "text": "TOO LONG", "speaker": 9, "corpus": "c"},
    ]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_text("\n".join(map(json.dumps, entries)))
    clips = list(read_manifest(manifest, Truecaser(BOOKS)))
    assert clips == [
        (tmp_path / "a.opus", "See Paris.", "7", "c"),
        (tmp_path / "b.opus", "He said, go.", "8", "c"),
    ]


def test_each_word_knows_its_sounds(espeak: Espeak) -> None:
    sounds = word_sounds(espeak, "See the sun.")
    assert [len(word) >= 2 for word in sounds] == [True] * 3
    assert sounds[0][0] == sounds[2][0] == "s"


def test_a_pack_holds_every_sample_of_every_clip(espeak: Espeak, tmp_path: Path) -> None:
    pack = packed(espeak, tmp_path, ["See the sun.", "Hold the door."])
    assert [recording.text for recording in pack.recordings] == ["See the sun.", "Hold the door."]
    assert sum(recording.n_samples for recording in pack.recordings) == len(pack.samples)
    second = pack.recordings[1]
    np.testing.assert_allclose(
        pack.sound(second, 0.1, 0.2), pack.samples[second.first :][1600:3200].astype(np.float32) / 32768
    )


def test_a_folder_without_a_pack_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no packed recordings"):
        open_pack(tmp_path)


RECORDING = Recording("We go and see.", "reader", "test", 0, 4 * 16000, (("w", "i:"), ("g",), ("a",), ("s", "i:")))
TIMING = Timing(np.array([10, 15, 30, 80, 120, 130], np.int32), np.array([15, 25, 60, 90, 130, 150], np.int32), -0.3)


def speech(seed: int) -> RecordedSpeech:
    pack = Pack((RECORDING,), np.ones(4 * 16000, np.int16))
    return RecordedSpeech(pack, [TIMING], np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(20))
def test_an_excerpt_is_a_run_of_whole_words_that_fits(seed: int) -> None:
    excerpt = speech(seed).excerpt(2.0)
    assert excerpt is not None
    assert excerpt.text.replace(",", "") in "We go and see."
    assert excerpt.duration <= 2.0
    assert all(0 <= word.start < word.end <= excerpt.duration + 0.02 for word in excerpt.words)
    assert [word.start for word in excerpt.words] == sorted(word.start for word in excerpt.words)


def test_a_long_pause_becomes_a_comma_where_a_transcript_has_no_marks() -> None:
    texts = {excerpt.text for seed in range(40) if (excerpt := speech(seed).excerpt(3.9))}
    assert "We go, and, see." in texts
    assert not is_bare("He said, go.")


def test_nothing_is_cut_out_of_a_word() -> None:
    assert speech(0).excerpt(0.15) is None
