"""Caption a video: `python caption_a_video.py VIDEO` writes VIDEO's name with .srt into this folder."""

import sys
from pathlib import Path

import subwhisper

video = Path(sys.argv[1])
options = subwhisper.TranscribeOptions(word_timestamps=True)
transcript = subwhisper.transcribe(video, options, model="bundled")
track = subwhisper.lay_out(transcript, subwhisper.Profile(max_line_width=37))
subwhisper.write_track(track, Path(f"{video.stem}.srt"))
print(f"{len(track.cues)} captions, {transcript.duration:.0f} seconds")
