"""Large arrays in flat pieces that fit into the cache of a processor core."""

import numpy as np

_TILE = 1 << 15  # elements: a few tiles of float32 fit into a core's second-level cache


def tiles(*arrays):
    """Arrays of one shape in flat pieces that are small enough for the cache.

    Yields lists with one piece of each array, the same elements of all; where an array is None, so
    is its piece. The pieces of a contiguous array are views, so what is written into them is
    written into the array; of any other array they are parts of a copy.
    """
    flat = [x if x is None else np.ascontiguousarray(x).reshape(-1) for x in arrays]
    for start in range(0, flat[0].size, _TILE):
        yield [x if x is None else x[start : start + _TILE] for x in flat]
