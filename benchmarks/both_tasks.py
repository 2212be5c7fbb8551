"""What does the second text cost? `python benchmarks/both_tasks.py [--windows 3] [--tokens 100]`.

Random weights of Whisper base's size, windows of 30 s of noise, greedy search, and exactly so many tokens in each text:
the end token is suppressed. Times one task, the other, and both at once, in turn; prints the best of several rounds
and the ratio, by the clock and by the time of the processor (the fairer one on a busy machine), as JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

import torch

from subwhisper.engine.decoding.loop import Beginning, WindowDecoder
from subwhisper.engine.options import DecodeOptions
from subwhisper.engine.tokenizer import Tokenizer
from subwhisper.model.dims import ModelDims
from subwhisper.model.vocabulary import public_vocabulary
from subwhisper.model.whisper import Whisper

BASE = ModelDims(
    n_mels=80, n_audio_ctx=1500, n_audio_state=512, n_audio_head=8, n_audio_layer=6,
    n_vocab=51865, n_text_ctx=448, n_text_state=512, n_text_head=8, n_text_layer=6,
)  # fmt: skip


class Reader:
    """Reads windows of noise for some tasks."""

    def __init__(self, n_windows: int, n_tokens: int) -> None:
        torch.manual_seed(1)
        self.model = Whisper(BASE).eval().requires_grad_(False)
        self.tokenizer = Tokenizer(public_vocabulary(BASE.n_vocab), is_multilingual=True)
        self.mels = torch.randn(n_windows, 1, BASE.n_mels, BASE.n_frames)
        self.n_tokens = n_tokens
        options = DecodeOptions(
            beam_size=1, sample_len=n_tokens, without_timestamps=True, suppress_tokens=(-1, self.tokenizer.eot)
        )
        self.decoder = WindowDecoder(self.model, self.tokenizer, options)

    def read(self, tasks: Sequence[str]) -> None:
        beginnings = [Beginning(self.tokenizer.start_sequence("de", task)) for task in tasks]
        with torch.inference_mode():
            for mel in self.mels:
                texts = self.decoder.decode(self.model.hear(self.model.encode(mel)), beginnings)
                assert all(len(text.tokens) == self.n_tokens for text in texts)


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Of the clock, and of this process's processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    reader = Reader(arguments.windows, arguments.tokens)
    reader.read(["transcribe"])  # warms up
    works = {
        "transcribe": lambda: reader.read(["transcribe"]),
        "translate": lambda: reader.read(["translate"]),
        "both": lambda: reader.read(["transcribe", "translate"]),
    }
    took = {name: [] for name in works}
    for _ in range(arguments.rounds):
        for name, work in works.items():
            took[name].append(seconds(work))
        print({name: f"{rounds[-1][0]:.2f} s" for name, rounds in took.items()}, file=sys.stderr, flush=True)
    best = {name: [min(column) for column in zip(*rounds, strict=True)] for name, rounds in took.items()}
    one = [min(best["transcribe"][kind], best["translate"][kind]) for kind in (0, 1)]
    print(
        json.dumps(
            {
                "windows": arguments.windows,
                "tokens": arguments.tokens,
                "threads": torch.get_num_threads(),
                "seconds": {name: round(times[0], 3) for name, times in best.items()},
                "processor_seconds": {name: round(times[1], 3) for name, times in best.items()},
                "both_to_one": round(best["both"][0] / one[0], 3),
                "both_to_one_processor": round(best["both"][1] / one[1], 3),
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
