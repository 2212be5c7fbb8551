"""Tell when a word is said: `python find_a_word.py VIDEO WORD` (default: "story")."""

import sys
from pathlib import Path

import subwhisper

video, wanted = Path(sys.argv[1]), (sys.argv[2] if len(sys.argv) > 2 else "story")
transcriber = subwhisper.load_model("bundled")
options = subwhisper.TranscribeOptions(language="en", word_timestamps=True)
for segment in transcriber.segments(subwhisper.open_audio(video), options):  # as they are recognised
    for word in segment.words:
        if word.text.strip(" .,?!").lower() == wanted.lower():
            print(f"{word.start:7.2f} s  {segment.text.strip()}")
