"""The step in C gives the network's own numbers, and without it there is torch."""

import copy
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from subwhisper.engine import alignment
from subwhisper.engine.dtw import _backtrace, _sums
from subwhisper.model.compiled import numbers
from subwhisper.model.compiled.decoder import CompiledDecoder, can_compile
from subwhisper.model.compiled.library import has_long_vectors, library
from subwhisper.model.dims import ModelDims
from subwhisper.model.fusion import fuse
from subwhisper.model.quantization import Int8Linear
from subwhisper.model.stand_ins import replace_linears
from subwhisper.model.whisper import Whisper

DIMS = ModelDims(80, 60, 64, 2, 2, 611, 40, 64, 2, 2)
needs_library = pytest.mark.skipif(library() is None, reason="no compiler, or no AVX2, on this machine")


@pytest.fixture
def three_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def networks(*, half: bool = True, int8: bool = False) -> tuple[Whisper, Whisper]:
    """The plain one, and the same with a compiled decoder."""
    torch.manual_seed(3)
    plain = Whisper(DIMS).eval().requires_grad_(False)
    if half:
        for weights in plain.parameters():
            weights.copy_(weights.half())
    compiled = copy.deepcopy(plain)
    fuse(compiled.encoder)
    assert can_compile(compiled.decoder)
    compiled.decoder = CompiledDecoder(compiled.decoder, int8=int8)
    return plain, compiled


def off(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@needs_library
@pytest.mark.parametrize(("int8", "tolerance"), [(False, 1e-5), (True, 0.02)])
@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("rows_per_window", [1, 3])
@pytest.mark.parametrize("n_windows", [1, 5])
def test_a_compiled_decoder_reads_as_the_plain_one(
    int8: bool, tolerance: float, half: bool, rows_per_window: int, n_windows: int, three_threads: None
) -> None:
    plain, compiled = networks(half=half, int8=int8)
    features = plain.encode(torch.randn(n_windows, 80, 120))
    tokens = torch.randint(611, (n_windows * rows_per_window, 15))
    known, stepped = (one.start(one.hear(features), rows_per_window=rows_per_window) for one in (plain, compiled))
    for first, end in ((0, 4), (4, 5), (5, 6), (6, 15)):
        expected = plain.decode(tokens[:, first:end], known)
        assert off(compiled.decode(tokens[:, first:end], stepped), expected) < tolerance
    assert stepped.length == 15


@needs_library
def test_rows_may_begin_with_filler_and_only_some_logits_be_wanted() -> None:
    plain, compiled = networks()
    features = plain.encode(torch.randn(2, 80, 120))
    tokens, filler = torch.randint(611, (4, 7)), torch.tensor([0, 3, 2, 0])
    known, stepped = (one.start(one.hear(features), rows_per_window=2, filler=filler) for one in (plain, compiled))
    expected = plain.decode(tokens, known, at=(3, 6))
    torch.testing.assert_close(compiled.decode(tokens, stepped, at=(3, 6)), expected, atol=1e-4, rtol=1e-4)
    expected = plain.decode(tokens[:, :1], known)
    torch.testing.assert_close(compiled.decode(tokens[:, :1], stepped), expected, atol=1e-4, rtol=1e-4)


@needs_library
def test_windows_that_go_on_alone_read_as_before() -> None:
    _, compiled = networks()
    features = compiled.encode(torch.randn(3, 80, 120))
    tokens, kept = torch.randint(611, (6, 7)), torch.tensor([2, 3, 4, 5])
    every, some = (compiled.start(compiled.hear(features), rows_per_window=2) for _ in range(2))
    for cache in (every, some):
        compiled.decode(tokens[:, :5], cache)
    some.keep(kept)
    expected = compiled.decode(tokens[:, 5:6], every)[kept]
    assert torch.equal(compiled.decode(tokens[kept, 5:6], some), expected)


@needs_library
def test_texts_do_not_depend_on_their_company_or_the_threads(three_threads: None) -> None:
    _, compiled = networks(int8=True)
    features = compiled.encode(torch.randn(7, 80, 120))
    tokens = torch.randint(611, (7, 5))
    together = compiled.decode(tokens, compiled.start(compiled.hear(features)))
    torch.set_num_threads(1)
    assert torch.equal(compiled.decode(tokens, compiled.start(compiled.hear(features))), together)
    alone = compiled.decode(tokens[2:3], compiled.start(compiled.hear(features[2:3])))
    torch.testing.assert_close(alone, together[2:3], atol=1e-5, rtol=1e-5)


@needs_library
def test_a_compiled_decoder_tells_where_heads_look() -> None:
    plain, compiled = networks(half=False)
    features, tokens = plain.encode(torch.randn(2, 80, 120)), torch.randint(611, (2, 13))
    heads = ((1, 1), (0, 0))
    expected, looked = plain.attention_scores(tokens, plain.hear(features), heads)
    logits, scores = compiled.attention_scores(tokens, compiled.hear(features), heads)
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scores, looked, atol=1e-5, rtol=1e-5)
    assert compiled.attention_scores(tokens, compiled.hear(features), ())[1].shape == (2, 0, 13, 60)


@needs_library
def test_a_head_may_be_asked_for_twice() -> None:
    plain, compiled = networks(half=False)
    features, tokens = plain.encode(torch.randn(2, 80, 120)), torch.randint(611, (2, 5))
    heads = ((1, 0), (1, 1), (1, 0))
    _, expected = plain.attention_scores(tokens, plain.hear(features), heads)
    _, scores = compiled.attention_scores(tokens, compiled.hear(features), heads)
    torch.testing.assert_close(scores, expected, atol=1e-5, rtol=1e-5)


@needs_library
def test_logits_behind_the_last_token_are_refused() -> None:
    _, compiled = networks()
    cache = compiled.start(compiled.hear(compiled.encode(torch.randn(1, 80, 120))))
    with pytest.raises(IndexError):
        compiled.decode(torch.randint(611, (1, 4)), cache, at=(7,))


@needs_library
def test_a_thread_that_begins_while_another_takes_steps_has_all_threads_afterwards(three_threads: None) -> None:
    _, compiled = networks()
    seen = []

    def begin() -> None:
        with compiled.decoder.stepping():
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())

    with compiled.decoder.stepping():
        other = threading.Thread(target=begin)
        other.start()
        other.join()
        with compiled.decoder.stepping():  # within itself it changes nothing
            seen.append(torch.get_num_threads())
        seen.append(torch.get_num_threads())
    assert seen == [1, 3, 1, 1]
    assert torch.get_num_threads() == 3


@needs_library
def test_windows_may_be_heard_by_quantised_layers() -> None:
    """As on processors with instructions for 8-bit products."""
    plain, compiled = networks(int8=True)
    replace_linears(compiled.decoder, lambda path, weight: Int8Linear)
    features, tokens = plain.encode(torch.randn(2, 80, 120)), torch.randint(611, (2, 6))
    expected = plain.decode(tokens, plain.start(plain.hear(features)))
    assert off(compiled.decode(tokens, compiled.start(compiled.hear(features))), expected) < 0.03


@needs_library
def test_a_full_cache_is_refused() -> None:
    _, compiled = networks()
    cache = compiled.start(compiled.hear(compiled.encode(torch.randn(1, 80, 120))), capacity=3)
    with pytest.raises(ValueError, match="3 tokens"):
        compiled.decode(torch.randint(611, (1, 4)), cache)


@needs_library
def test_what_was_heard_is_let_go_with_its_last_reader() -> None:
    _, compiled = networks(int8=True)
    cache = compiled.start(compiled.hear(compiled.encode(torch.randn(1, 80, 120))))
    compiled.decode(torch.randint(611, (1, 4)), cache)
    heard = weakref.ref(cache.cross[0])
    del cache
    assert heard() is None


@pytest.mark.parametrize("n_numbers", [7, 16, 1500, 51865])
@pytest.mark.parametrize("count", [1, 6])
def test_the_best_of_many_numbers(n_numbers: int, count: int) -> None:
    logits = torch.randn(3, n_numbers)
    logits[1, 2:] = float("-inf")
    logits[1, :2] = torch.tensor([-5.0, 80.0])
    values, places, total = numbers.best(logits, count)
    torch.testing.assert_close(values, logits.topk(count, dim=-1).values)
    torch.testing.assert_close(logits.gather(1, places), values)
    torch.testing.assert_close(total, logits.logsumexp(dim=-1))


def test_where_nothing_is_allowed_all_come_to_nothing() -> None:
    logits = torch.full((1, 67), float("-inf"))
    assert numbers.best(logits, 1)[2].tolist() == [float("-inf")]
    logits[0, 40] = float("nan")
    assert numbers.best(logits, 1)[2].isnan().all()


@pytest.mark.parametrize("place", [0, 3, 40, 66])
def test_what_is_no_number_is_not_hidden(place: int) -> None:
    logits = torch.randn(1, 67)
    logits[0, place] = float("nan")
    assert numbers.best(logits, 1)[2].isnan().all()


@needs_library
@pytest.mark.parametrize("n_positions", [5, 64, 413])
def test_the_map_in_c_is_torchs(monkeypatch: pytest.MonkeyPatch, n_positions: int) -> None:
    scores = torch.randn(3, 17, 500)[:, :, :n_positions] * 5
    found = alignment.attention_map(scores)
    monkeypatch.setattr(numbers, "library", lambda: None)
    torch.testing.assert_close(found, alignment.attention_map(scores), atol=1e-4, rtol=1e-4)


@needs_library
@pytest.mark.parametrize("seed", range(20))
def test_the_path_in_c_is_numpys(seed: int) -> None:
    random = np.random.default_rng(seed)
    cost = random.integers(-3, 3, tuple(random.integers(1, 40, 2))).astype(np.float32)  # many ties
    found = numbers.cheapest_path(cost)
    assert found is not None
    np.testing.assert_array_equal(found, _backtrace(_sums(cost)))


ASK = "from subwhisper.model.compiled.library import library; print(library())"


@pytest.mark.parametrize("wish", [{"SUBWHISPER_COMPILED": "0"}, {"PATH": "/"}, {"PATH": "/", "CC": "no-such-compiler"}])
def test_without_a_library_there_is_torch(wish: dict[str, str], tmp_path: Path) -> None:
    environment = {"SUBWHISPER_CACHE": str(tmp_path), "PATH": "/usr/bin:/bin", **wish}
    told = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout == "None\n"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@needs_library
def test_a_library_that_is_damaged_is_built_again_where_that_can_be(tmp_path: Path) -> None:
    environment = {"SUBWHISPER_CACHE": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, check=True)
    (built,) = tmp_path.rglob("*.so")
    for damaged in (b"", b"no library"):
        built.write_bytes(damaged)
        lonely = environment | {"PATH": "/"}
        told = subprocess.run([sys.executable, "-c", ASK], env=lonely, capture_output=True, text=True, check=True)
        assert told.stdout == "None\n"
        told = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
        assert str(built) in told.stdout


@needs_library
@pytest.mark.parametrize("wish", ["gcc -O1", "no-such-compiler", "false", "'"])
def test_the_compiler_that_is_named_may_have_arguments_or_be_missing(wish: str, tmp_path: Path) -> None:
    environment = {"SUBWHISPER_CACHE": str(tmp_path), "PATH": "/usr/bin:/bin", "CC": wish}
    told = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, check=True)
    assert str(tmp_path) in told.stdout
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


@needs_library
@pytest.mark.parametrize(("n_windows", "n_positions", "n_heads"), [(1, 500, 2), (2, 77, 3), (3, 5, 1)])
@pytest.mark.parametrize("threads", [1, 3])
def test_attention_in_c_is_torchs(n_windows: int, n_positions: int, n_heads: int, threads: int) -> None:
    if not has_long_vectors():
        pytest.skip("left to torch on processors with shorter vectors")
    joined = torch.randn(n_windows, n_positions, 3 * 64 * n_heads) * 2
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    found = numbers.attention(joined, n_heads)
    torch.set_num_threads(before)
    queries, keys, values = joined.view(n_windows, n_positions, 3, n_heads, 64).permute(2, 0, 3, 1, 4)
    expected = torch.nn.functional.scaled_dot_product_attention(queries, keys, values).transpose(1, 2).flatten(2)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
