"""What does it cost to listen again to holes? `python benchmarks/listening_again.py [--noise MINUTES] [FILE …]`.

Pink noise that swells and fades, heard by random weights of Whisper tiny's size, or recordings, heard by the bundled
model. Prints for each: its length, the time it took, the share of that time spent on holes, windows read again, and
what the report says, as JSON.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from subwhisper.audio import SAMPLE_RATE, Audio
from subwhisper.engine.options import DecodeOptions, FallbackOptions, TranscribeOptions
from subwhisper.engine.recording import Recording
from subwhisper.engine.transcriber import Transcriber, load_model
from subwhisper.media.decode import open_audio
from subwhisper.model.checkpoints import Checkpoint
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.model.whisper import Whisper

OPTIONS = TranscribeOptions(
    language="en",
    word_timestamps=True,
    decode=DecodeOptions(beam_size=1),
    fallback=FallbackOptions(temperatures=(0.0,)),
)


def random_tiny() -> Transcriber:
    """A model that has learnt nothing."""
    vocabulary = public_vocabulary(51865)
    dims = ModelDims(
        n_mels=80, n_audio_ctx=1500, n_audio_state=384, n_audio_head=6, n_audio_layer=4,
        n_vocab=51865, n_text_ctx=448, n_text_state=384, n_text_head=6, n_text_layer=4,
    )  # fmt: skip
    torch.manual_seed(1)
    checkpoint = Checkpoint(
        dims=dims,
        tensors=Whisper(dims).state_dict(),
        vocabulary=vocabulary,
        is_multilingual=True,
        alignment_heads=dims.upper_half_heads,
        suppress_tokens=None,
        reads_prompts=True,
        name="random",
        fingerprint="",
    )
    return Transcriber(checkpoint, device="cpu", compute="float32")


def pulsing_noise(minutes: float) -> Audio:
    """Pink noise, loud for two seconds and quiet for one and a half."""
    random = np.random.default_rng(1)
    n_samples = round(minutes * 60 * SAMPLE_RATE)
    spectrum = np.fft.rfft(random.normal(size=n_samples))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(1, np.arange(len(spectrum)))), n_samples)
    is_loud = np.arange(n_samples) % round(3.5 * SAMPLE_RATE) < 2 * SAMPLE_RATE
    return Audio((0.1 * pink / pink.std() * np.where(is_loud, 1.0, 0.05)).astype(np.float32))


def measured(name: str, model: Transcriber, audio: Audio) -> dict[str, Any]:
    """Transcribe, and watch what is read again."""
    spent, n_windows = 0.0, 0
    started = time.perf_counter()
    recording = Recording(model.model, audio, OPTIONS)
    audit = recording._audit
    assert audit is not None
    plain = audit._read_again

    def read_again(windows: Sequence[Any], speech: Any) -> Any:
        nonlocal spent, n_windows
        began = time.perf_counter()
        found = plain(windows, speech)
        spent += time.perf_counter() - began
        n_windows += len(windows)
        return found

    audit._read_again = read_again
    n_words = sum(len(segment.words) for segment in recording.segments())
    took = time.perf_counter() - started
    return {
        "name": name,
        "duration": round(audio.duration, 1),
        "seconds": round(took, 2),
        "on_holes": round(spent / took, 3),
        "windows_again": n_windows,
        "words": n_words,
        **audit.coverage.to_dict(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--noise", type=float, default=10.0, help="minutes of it; 0 leaves it out")
    arguments = parser.parse_args()
    torch.set_num_threads(2)
    if arguments.noise:
        print(json.dumps(measured("noise", random_tiny(), pulsing_noise(arguments.noise))), flush=True)
    model = load_model("bundled", device="cpu") if arguments.files else None
    for path in arguments.files:
        assert model is not None
        audio = Audio(np.concatenate([*open_audio(path).blocks()]))
        print(json.dumps(measured(path.name, model, audio)), flush=True)


if __name__ == "__main__":
    main()
