"""Does memory grow with the length of a recording? `python benchmarks/memory.py [--minutes 10 180]`.

Each length is transcribed in a process of its own, with the plan and the speech detector of the command line, greedy
and capped at a few tokens a window, since what is decoded matters less here than how long the file is. The model has
random weights of Whisper tiny's size, or is the one given with `--model`; the sound is the example film's, again and
again. Prints the peak resident memory of each process and their ratio, as JSON.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def transcribe(media: Path, weights: str) -> None:
    """Run in the child: transcribe and print this process's peak memory."""
    from subwhisper import DecodeOptions, FallbackOptions, TranscribeOptions, load_model, open_audio
    from subwhisper.pipeline.figures import peak_memory

    options = TranscribeOptions(
        language="en",
        word_timestamps=True,
        decode=DecodeOptions(beam_size=1, sample_len=8),
        fallback=FallbackOptions(temperatures=(0.0,), logprob_threshold=None, no_speech_threshold=None),
    )
    started = time.monotonic()
    transcript = load_model(weights, compute="float32").transcribe(open_audio(media), options)
    print(
        json.dumps(
            {
                "audio_minutes": round((transcript.duration or 0) / 60, 2),
                "segments": len(transcript.segments),
                "seconds": round(time.monotonic() - started, 1),
                "peak_mb": round(peak_memory() / 2**20, 1),
            }
        )
    )


def random_tiny(folder: Path) -> Path:
    """A checkpoint of Whisper tiny's shape with random weights."""
    import torch

    from subwhisper.model.checkpoints.writer import save_directory
    from subwhisper.model.dims import ModelDims
    from subwhisper.model.vocabulary import public_vocabulary
    from subwhisper.model.whisper import Whisper

    torch.manual_seed(1)
    dims = ModelDims(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=384,
        n_audio_head=6,
        n_audio_layer=4,
        n_vocab=51865,
        n_text_ctx=448,
        n_text_state=384,
        n_text_head=6,
        n_text_layer=4,
    )
    save_directory(
        folder,
        dims=dims,
        tensors=Whisper(dims).state_dict(),
        vocabulary=public_vocabulary(dims.n_vocab),
        alignment_heads=[(2, 2), (3, 0), (3, 2)],
        is_multilingual=True,
    )
    return folder


def make_sound(path: Path, minutes: float) -> Path:
    """The speech of the example film, as long as asked."""
    from subwhisper.media.ffmpeg import find_ffmpeg

    film = Path(__file__).parent.parent / "examples" / "welcome.mp4"
    command = [str(find_ffmpeg()), "-loglevel", "error", "-stream_loop", "-1", "-i", str(film), "-vn", "-ac", "1"]
    subprocess.run([*command, "-ar", "16000", "-t", str(minutes * 60), "-c:a", "flac", str(path)], check=True)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, nargs="+", default=[10, 180])
    parser.add_argument("--model", help="a model's name or path instead of random weights")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        media_path, weights = arguments.child
        transcribe(Path(media_path), weights)
        return
    with tempfile.TemporaryDirectory() as scratch:
        weights = arguments.model or str(random_tiny(Path(scratch) / "tiny"))
        rows = []
        for minutes in arguments.minutes:
            media = make_sound(Path(scratch) / f"{minutes:g}.flac", minutes)
            command = [sys.executable, __file__, "--child", str(media), weights]
            rows.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"runs": rows, "ratio": round(rows[-1]["peak_mb"] / rows[0]["peak_mb"], 3)}, indent=2))


if __name__ == "__main__":
    main()
