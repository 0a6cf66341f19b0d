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


def in_tiles(function, *arrays, count):
    """The `count` arrays that `function` returns for arrays of one shape, computed tile by tile.

    The function works element by element. What it computes on the way stays in the cache, which
    is faster than making whole arrays. Arrays of at most one tile are given to it as they are.
    """
    like = arrays[0]
    if like.size <= _TILE:
        return function(*arrays)
    results = [np.empty(like.shape, like.dtype) for _ in range(count)]
    for pieces in tiles(*arrays, *results):
        found = function(*pieces[:-count])
        for target, values in zip(pieces[-count:], found):
            target[...] = values
    return results
