"""Make welcome.mp4, the film of the README: a narrator over a moving picture, and the truth about its words.

Needs espeak-ng (`apt-get install espeak-ng`) and `pip install 'subwhisper[train]'`. Run it in this folder.
The narrator's voice is one that the bundled model has never heard.
"""

import json
import re
import subprocess
import wave
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from subwhisper.audio import SAMPLE_RATE
from subwhisper.media.ffmpeg import find_ffmpeg
from subwhisper.training.synthesis import Espeak, Voice

NARRATOR = Voice("en-us+m5", rate=165, pitch=50, pitch_range=50)
PAUSE, LEAD_IN = 0.4, 0.6  # seconds
PICTURE = "gradients=s=960x540:r=25:c0=0x0b2545:c1=0x13315c:c2=0x8da9c4:c3=0x134074:nb_colors=4:speed=0.012:seed=5"
WAVES = "showwaves=s=960x180:mode=cline:rate=25:colors=0xeef4ed@0.75:scale=sqrt"


def narrate(text: str) -> tuple[np.ndarray, list[dict[str, object]]]:
    """Speak the sentences one by one; return the samples and each word with its start and end in seconds."""
    espeak, pieces, words, clock = Espeak(), [np.zeros(int(LEAD_IN * SAMPLE_RATE), np.float32)], [], LEAD_IN
    for sentence in re.findall(r"[^.]+\.", text):
        spoken = espeak.speak(sentence.strip(), NARRATOR)
        words += [{"word": w.text.strip(), "start": clock + w.start, "end": clock + w.end} for w in spoken.words]
        pieces += [spoken.samples, np.zeros(int(PAUSE * SAMPLE_RATE), np.float32)]
        clock += (len(pieces[-2]) + len(pieces[-1])) / SAMPLE_RATE
    return np.concatenate(pieces), words


def main() -> None:
    samples, words = narrate(Path("welcome.txt").read_text(encoding="utf-8"))
    rounded = [w | {key: round(float(w[key]), 3) for key in ("start", "end")} for w in words]
    Path("welcome.words.json").write_text(json.dumps(rounded, indent=0) + "\n", encoding="utf-8")
    with TemporaryDirectory() as folder:
        narration = Path(folder) / "narration.wav"
        with wave.open(str(narration), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes((samples * 32767 * 0.8).astype("<i2").tobytes())
        graph = f"{PICTURE}[sky];[0:a]asplit[voice][drawn];[drawn]{WAVES},format=rgba[waves];"
        graph += "[sky][waves]overlay=y=140:shortest=1,format=yuv420p[v]"
        command = [str(find_ffmpeg()), "-y", "-loglevel", "error", "-i", str(narration), "-filter_complex", graph]
        command += ["-map", "[v]", "-map", "[voice]", "-c:v", "libx264", "-preset", "slow", "-crf", "36"]
        command += [
            "-c:a",
            "aac",
            "-b:a",
            "64k",
            "-metadata:s:a:0",
            "language=eng",
            "-movflags",
            "+faststart",
            "-shortest",
        ]
        subprocess.run([*command, "welcome.mp4"], check=True)


if __name__ == "__main__":
    main()
