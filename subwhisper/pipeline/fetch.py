"""A recording from the network, kept."""

from pathlib import Path

from subwhisper.media.fetch import Fetched, FetchOptions, fetch
from subwhisper.pipeline import OnProgress, unheard
from subwhisper.pipeline.outputs import check_writable


def fetch_to(
    url: str, folder: Path, options: FetchOptions | None = None, *, on_progress: OnProgress = unheard
) -> Fetched:
    """Fetch the recording behind a URL into a folder, which is made if it is not there.

    Raises:
        InputError, MediaError, OutputError: as `media.fetch.fetch`.
    """
    check_writable(folder)
    stage = f"fetching {url}"
    return fetch(url, folder, options, on_progress=lambda done, total: on_progress(stage, done, total))
