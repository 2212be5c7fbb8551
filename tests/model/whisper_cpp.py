"""Asks whisper.cpp itself what it reads in ggml files: `python whisper_cpp.py MEL FILE...` prints JSON.

A program of its own, because whisper.cpp ends the process when it meets something it did not expect.
"""

import ctypes
import json
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np

PROMPT = (3, 77, 400, 12)


def library(name: str) -> ctypes.CDLL:
    """`libwhisper` or `libggml-base`, of the package pywhispercpp."""
    spec = find_spec("_pywhispercpp")
    assert spec is not None
    assert spec.origin is not None
    return ctypes.CDLL(str(Path(spec.origin).with_name(f"{name}.so")))


def read(whisper: ctypes.CDLL, file: str, mel: np.ndarray) -> dict[str, object]:
    """Its special tokens, some of its words, and the logits after `PROMPT`."""
    context = ctypes.c_void_p(whisper.whisper_init_from_file(file.encode()))
    assert context.value is not None, f"whisper.cpp refuses {file}"
    n_vocab = whisper.whisper_model_n_vocab(context)
    names = ("eot", "sot", "translate", "transcribe", "prev", "solm", "not", "nosp", "beg")
    told: dict[str, object] = {
        "special": {name: getattr(whisper, f"whisper_token_{name}")(context) for name in names},
        "words": [whisper.whisper_token_to_str(context, number).hex() for number in range(0, 50000, 99)],
    }
    if not file.endswith("f32.bin"):  # its convolutions on a CPU are for float16 only
        whisper.whisper_set_mel(context, mel.ctypes.data_as(ctypes.c_void_p), mel.shape[1], mel.shape[0])
        whisper.whisper_encode(context, 0, 1)
        whisper.whisper_decode(context, (ctypes.c_int * len(PROMPT))(*PROMPT), len(PROMPT), 0, 1)
        logits = np.ctypeslib.as_array(whisper.whisper_get_logits(context), (len(PROMPT), n_vocab))
        told["logits"] = logits[-1].tolist()  # only of the last token are they computed
    whisper.whisper_free(context)
    return told


if __name__ == "__main__":
    loaded = library("libwhisper")
    loaded.whisper_init_from_file.restype = ctypes.c_void_p
    loaded.whisper_get_logits.restype = ctypes.POINTER(ctypes.c_float)
    loaded.whisper_token_to_str.restype = ctypes.c_char_p
    frames = np.ascontiguousarray(np.load(sys.argv[1]))
    print(json.dumps([read(loaded, file, frames) for file in sys.argv[2:]]))
