"""Large arrays in flat pieces that fit into the cache of a processor core."""

import numpy as np

_TILE = 1 << 15  # elements: a few tiles of float32 fit into a core's second-level cache


def tiles(*arrays):
    """Arrays of one shape in flat pieces that are small enough for the cache.

    Yields lists with one piece of each array, the same elements of all. The pieces of a contiguous
    array are views, so what is written into them is written into the array; of any other array
    they are parts of a copy.
    """
    flat = [np.ascontiguousarray(x).reshape(-1) for x in arrays]
    for start in range(0, flat[0].size, _TILE):
        yield [x[start : start + _TILE] for x in flat]


def in_tiles(function, x, count):
    """The `count` arrays that `function` returns for `x`, computed one tile of x at a time.

    The function works element by element. What it computes on the way stays in the cache, which
    is faster than making whole arrays.
    """
    results = [np.empty(x.shape, x.dtype) for _ in range(count)]
    for piece, *targets in tiles(x, *results):
        for target, values in zip(targets, function(piece)):
            target[...] = values
    return results
