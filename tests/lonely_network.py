"""Run by a test in a network of its own, where a public address can be this machine's: what may lead where.

Prints a line of JSON for each address that is fetched: what became of it, and whether a private server was asked.
"""

import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from website import CLIP, serving

from subwhisper.errors import SubwhisperError
from subwhisper.media.fetch import fetch

PUBLIC = "8.8.4.4"
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:2.0,\n{}\n#EXT-X-ENDLIST\n"


def main(folder: Path) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", f"{PUBLIC}/32", "dev", "lo"], check=True)
    with serving(folder, PUBLIC) as public, serving(folder) as private:
        inside = f"{private.url}/{CLIP}"
        disguised = f"http://2130706433:{private.server_port}/{CLIP}"  # 127.0.0.1 as one number
        (folder / "inner.m3u8").write_text(PLAYLIST.format(inside))
        (folder / "page.html").write_text(f'<title>A</title><video src="{inside}"></video>')
        addresses = {
            "public": f"{public.url}/{CLIP}",
            "public to public": f"{public.url}/to/{quote(public.url)}/{CLIP}",
            "public to private": f"{public.url}/to/{quote(inside, safe='')}",
            "public to disguised": f"{public.url}/to/{quote(disguised, safe='')}",
            "playlist to private": f"{public.url}/inner.m3u8",
            "page to private": f"{public.url}/page.html",
            "private": inside,
            "private to private": f"{private.url}/to/{quote(inside, safe='')}",
        }
        for name, url in addresses.items():
            private.asked.clear()
            try:
                fetch(url, folder / name)
                said = "fetched"
            except SubwhisperError as error:
                said = error.message
            print(json.dumps([name, said, bool(private.asked)]), flush=True)


main(Path(sys.argv[1]))
