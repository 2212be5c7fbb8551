"""Windows heard once are read in any order, by any number of searches, and none is lost."""

import torch

from subwhisper.model.cache import CrossAttended, HeardWindows, KeyValueCache

N_WINDOWS = 5


def heard() -> HeardWindows:
    """Two layers of windows that tell their numbers: keys n, values n + 100, in the second layer n + 1000 more."""
    numbers = torch.arange(float(N_WINDOWS))[:, None, None, None].expand(N_WINDOWS, 2, 3, 4)
    layers = (numbers + 1000 * layer for layer in range(2))
    return HeardWindows([CrossAttended(keys.clone(), keys + 100) for keys in layers], torch.float32)


def numbers(layers: tuple[CrossAttended, ...]) -> list[int]:
    """The windows in these layers, all of which must agree."""
    (found,) = {
        tuple((kept - offset - 1000 * layer).flatten(1).unique(dim=1).flatten().int().tolist())
        for layer, cross in enumerate(layers)
        for kept, offset in ((cross.keys, 0), (cross.values, 100))
    }
    return list(found)


def test_any_windows_come_to_the_front_in_any_order() -> None:
    windows = heard()
    for wanted in ([0, 1, 2, 3, 4], [4, 2], [2, 4], [3], [1, 0, 4, 3, 2], [0], [0, 1, 2, 3, 4]):
        assert numbers(windows.in_front(wanted)) == wanted
        assert [numbers(one.in_front([0])) for one in windows.one_by_one()] == [[n] for n in range(N_WINDOWS)]


def test_windows_that_left_a_search_are_still_there_for_the_next() -> None:
    windows = heard()
    cache = KeyValueCache(windows, [3, 1, 4], rows_per_window=2, capacity=6)
    cache.keep(torch.tensor([2, 3, 4, 5]))
    assert numbers(cache.cross) == [1, 4]
    cache.keep(torch.tensor([2, 3]))
    assert numbers(cache.cross) == [4]
    assert cache.known.shape[2] == 2
    assert numbers(KeyValueCache(windows, [3, 0], rows_per_window=1, capacity=6).cross) == [3, 0]
