import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import save_file
from small_models import hub_tensors, small_dims, write_json
from stand_in_hub import COMMIT, Hub

from subwhisper.errors import DownloadError, ModelError
from subwhisper.model import store
from subwhisper.model.checkpoints import read_checkpoint
from subwhisper.model.kept_weights import place_of

TINY = "openai/whisper-tiny"


def weights_of(hub: Hub) -> bytes:
    return hub.repositories[TINY]["model.safetensors"]


def test_a_named_model_is_fetched_and_readable(hub: Hub) -> None:
    heard: list[tuple[int, int | None]] = []
    path = store.locate("tiny", on_progress=lambda done, total: heard.append((done, total)))
    assert path.name == COMMIT
    checkpoint = read_checkpoint(path)
    assert checkpoint.name == "tiny"
    assert {name: (path / name).read_bytes() for name in hub.repositories[TINY]} == hub.repositories[TINY]
    everything = sum(map(len, hub.repositories[TINY].values()))
    assert heard[-1] == (everything, everything)
    assert heard == sorted(heard)


def test_a_present_model_needs_no_request(hub: Hub) -> None:
    path = store.locate("tiny")
    hub.requests.clear()
    assert store.locate("tiny") == path
    assert store.locate("tiny", offline=True) == path
    assert hub.requests == []


def test_only_exact_names_are_fetched_and_weights_last(hub: Hub) -> None:
    """A hub repository can hold the same weights three times over; a pattern would take them all."""
    hub.repositories[TINY] |= {
        "model.fp32-00001-of-00002.safetensors": b"x",
        "pytorch_model.bin": b"x",
        "flax_model.msgpack": b"x",
        "tokenizer.json": b"{}",
        "README.md": b"x",
    }
    store.locate("tiny")
    assert sorted(hub.fetched()[:-1]) == [
        "added_tokens.json",
        "config.json",
        "generation_config.json",
        "merges.txt",
        "vocab.json",
    ]
    assert hub.fetched()[-1] == "model.safetensors"


def test_sharded_weights_are_fetched_by_their_index(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUBWHISPER_CACHE", str(tmp_path / "cache"))
    files = hub.repositories[TINY]
    tensors = list(hub_tensors(small_dims(n_vocab=1771)).items())
    del files["model.safetensors"]
    weight_map = {}
    for number, part in enumerate((tensors[:20], tensors[20:]), start=1):
        name = f"model-0000{number}-of-00002.safetensors"
        save_file(dict(part), tmp_path / name)
        files[name] = (tmp_path / name).read_bytes()
        weight_map |= {tensor: name for tensor, _ in part}
    write_json(tmp_path / "index.json", {"weight_map": weight_map})
    files["model.safetensors.index.json"] = (tmp_path / "index.json").read_bytes()
    path = store.locate("tiny")
    assert len(read_checkpoint(path).tensors) > 0
    assert store.locate("tiny", offline=True) == path
    rounded = place_of(read_checkpoint(path).fingerprint)
    assert rounded is not None
    rounded.parent.mkdir(parents=True)
    rounded.write_bytes(b"8-bit weights")
    (path / "model-00002-of-00002.safetensors").rename(path / "aside")
    assert store.installed() == []
    (path / "aside").rename(path / "model-00002-of-00002.safetensors")
    store.remove("tiny")
    assert not rounded.exists()


def test_pickled_weights_and_tokenizer_json_are_the_second_choice(hub: Hub) -> None:
    files = hub.repositories[TINY]
    files["pytorch_model.bin"] = files.pop("model.safetensors")
    for name in ("vocab.json", "merges.txt"):
        del files[name]
    files["tokenizer.json"] = b"{}"
    store.locate("tiny")
    assert set(hub.fetched()) == {"config.json", "generation_config.json", "tokenizer.json", "pytorch_model.bin"}


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """huggingface_hub writes every 10 MB; the models here are smaller than that."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 10_000)


@pytest.mark.usefixtures("small_blocks")
def test_a_cut_connection_is_continued(hub: Hub) -> None:
    hub.cut_after["model.safetensors"] = 100_000
    path = store.locate("tiny")
    assert (path / "model.safetensors").read_bytes() == weights_of(hub)
    assert hub.ranges() == ["bytes=100000-"]


def test_the_next_call_continues_where_an_interrupted_one_stopped(hub: Hub) -> None:
    class Interrupted(Exception):
        pass

    def interrupt(done: int, total: int | None) -> None:
        if total is not None and done > total - 1000:
            raise Interrupted

    with pytest.raises(Interrupted):
        store.locate("tiny", on_progress=interrupt)
    assert store.installed() == []
    blobs = store.cache_folder() / "models--openai--whisper-tiny" / "blobs"
    left = next(blobs.glob("*.subwhisper-part"))
    left.write_bytes(weights_of(hub)[:123_456])  # what the call got onto the disk
    hub.requests.clear()
    heard: list[tuple[int, int | None]] = []
    path = store.locate("tiny", on_progress=lambda done, total: heard.append((done, total)))
    assert hub.ranges() == ["bytes=123456-"]
    assert hub.fetched() == ["model.safetensors"]
    assert heard[-1][0] == heard[-1][1]
    assert (path / "model.safetensors").read_bytes() == weights_of(hub)
    assert list(blobs.glob("*part*")) == []


@pytest.mark.usefixtures("small_blocks")
def test_a_server_that_cannot_continue_starts_again(hub: Hub) -> None:
    hub.cut_after["model.safetensors"] = 100_000
    hub.no_ranges = True
    heard: list[tuple[int, int | None]] = []
    path = store.locate("tiny", on_progress=lambda done, total: heard.append((done, total)))
    assert (path / "model.safetensors").read_bytes() == weights_of(hub)
    assert heard[-1][0] == heard[-1][1]


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.json"])
def test_a_file_with_the_wrong_checksum_never_counts_as_present(hub: Hub, name: str) -> None:
    hub.corrupt.add(name)
    with pytest.raises(DownloadError, match=f"{name} arrived damaged"):
        store.locate("tiny")
    assert store.installed() == []
    hub.corrupt.clear()
    path = store.locate("tiny")
    assert (path / name).read_bytes() == hub.repositories[TINY][name]


def test_installed_lists_complete_models(hub: Hub) -> None:
    assert store.installed() == []
    path = store.locate("tiny")
    assert [entry.name for entry in store.installed()] == ["tiny"]
    (path / "vocab.json").unlink()
    assert store.installed() == []


def test_offline_says_what_to_put_where(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DownloadError, match=r"model tiny is not on this machine.*model\.safetensors.*--model FOLDER"):
        store.locate("tiny", offline=True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="downloads are off"):
        store.locate("tiny")
    assert hub.requests == []


def one_line(error: pytest.ExceptionInfo[DownloadError]) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_hub_that_is_not_there_is_explained(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadError, match=r"model tiny could not be fetched from http://127\.0\.0\.1:9") as caught:
        store.locate("tiny")
    assert "--model FOLDER" in one_line(caught)


@pytest.mark.parametrize("endpoint", ["no address", "ftp://127.0.0.1"])
def test_an_endpoint_that_is_none_is_explained(hub: Hub, monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(DownloadError, match="HF_ENDPOINT must begin with https://") as caught:
        store.locate("tiny")
    one_line(caught)


@pytest.mark.parametrize("status", [403, 404, 418])
def test_a_refusing_server_is_explained(hub: Hub, status: int) -> None:
    hub.status = status
    with pytest.raises(DownloadError, match="tiny") as caught:
        store.locate("tiny")
    one_line(caught)


@pytest.mark.parametrize("tag", ["../../../elsewhere", "", "a/b", ".."])
def test_a_hub_cannot_write_outside_the_cache(hub: Hub, tag: str) -> None:
    hub.etag = tag
    with pytest.raises(DownloadError, match="no model hub") as caught:
        store.locate("tiny")
    one_line(caught)


def test_a_gated_model_is_explained(hub: Hub) -> None:
    hub.gated = True
    with pytest.raises(DownloadError, match=r"consent.*hf auth login"):
        store.locate("tiny")


def test_any_repository_can_be_named(hub: Hub) -> None:
    hub.repositories["someone/whisper-mine"] = hub.repositories[TINY]
    assert read_checkpoint(store.locate("someone/whisper-mine")).name == "someone/whisper-mine"
    with pytest.raises(DownloadError, match="someone/nothing is no file or folder here, and no public model"):
        store.locate("someone/nothing")


@pytest.mark.parametrize(
    ("lost", "complaint"),
    [
        ({"config.json"}, "no config.json"),
        ({"vocab.json", "merges.txt"}, "no vocabulary"),
        ({"model.safetensors"}, "no weights"),
    ],
)
def test_a_repository_of_another_kind_is_refused_before_any_download(hub: Hub, lost: set[str], complaint: str) -> None:
    files = hub.repositories[TINY]
    hub.repositories["Systran/faster-whisper-tiny.en"] = {n: c for n, c in files.items() if n not in lost}
    with pytest.raises(ModelError, match=complaint):
        store.locate("Systran/faster-whisper-tiny.en")
    assert hub.fetched() == []


def test_a_path_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hub: Hub) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pt").touch()
    (tmp_path / "tiny").mkdir()
    assert store.locate("mine.pt") == Path("mine.pt")
    assert store.locate("./tiny") == Path("tiny")
    assert store.locate(str(tmp_path)) == tmp_path
    assert store.locate("tiny").name == COMMIT  # the catalog wins over a folder of that name
    for missing in ("other.pt", "models/other.pt", "./nothing", "/nowhere/at/all", "a/b/c"):
        with pytest.raises(ModelError, match="does not exist"):
            store.locate(missing)


@pytest.mark.parametrize(("wrong", "right"), [("larg-v3", "large-v3"), ("Tiny", "tiny"), ("bundle", "bundled")])
def test_an_unknown_name_brings_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(ModelError, match=f"no model named '{wrong}'.*did you mean .*{right}"):
        store.locate(wrong)


def test_a_name_like_nothing_brings_the_list() -> None:
    with pytest.raises(ModelError, match=r"known models: tiny, .*turbo"):
        store.locate("qqqqqqqqqq")


def test_the_bundled_model_lies_in_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "BUNDLED_FOLDER", tmp_path)
    with pytest.raises(ModelError, match="no bundled model"):
        store.locate("bundled")
    (tmp_path / "config.json").touch()
    assert store.locate("bundled") == tmp_path


def test_the_cache_is_found_as_huggingface_hub_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    code = "from huggingface_hub.constants import HF_HUB_CACHE; print(HF_HUB_CACHE)"
    for name in (None, "XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE"):  # each wins over the one before
        if name is not None:
            monkeypatch.setenv(name, str(tmp_path / name))
        theirs = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
        assert str(store.cache_folder()) == theirs


def test_asking_for_names_loads_neither_torch_nor_the_hub() -> None:
    code = (
        "import sys; from subwhisper.model import catalog, store; store.installed(); catalog.find('tiny');"
        "print(*sys.modules)"
    )
    loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
    assert not loaded & {"torch", "numpy", "huggingface_hub"}
