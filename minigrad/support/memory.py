"""Where arrays lie in memory, and whether the process reuses the memory of freed arrays."""

import ctypes
import functools
import sys

import numpy as np

# The numbers of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


@functools.cache
def keep_freed_memory():
    """Let this process reuse the memory of freed arrays; returns whether that could be set.

    By default the C library of Linux returns the memory of a large array to the system as soon as
    it is freed, and the system clears it, page by page, before the next array gets it: more than a
    tenth of the time of a training step. Peak memory stays the same. On other systems nothing
    changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # this C library has no mallopt, or cannot be loaded
        return False
    settings = {
        _MMAP_THRESHOLD: 32 << 20,  # arrays below it come from the heap (the most it allows)
        _TRIM_THRESHOLD: (1 << 31) - 1,  # and the heap does not shrink
        _ARENA_MAX: 1,  # one heap for all threads
    }
    return all([mallopt(name, value) for name, value in settings.items()])


def pack(parameters):
    """Move parameters one behind another into a single block of memory, one for each dtype.

    Linux maps such a block in large pages, so that reading all parameters, as sampling does for
    each token, takes less time (docs/speed.md). The values stay the same.
    """
    by_dtype = {}
    for p in parameters:
        by_dtype.setdefault(p.data.dtype, []).append(p)
    for dtype, group in by_dtype.items():
        block = np.empty(sum(p.size for p in group) + 64 // dtype.itemsize, dtype)
        misplaced = -block.ctypes.data % 64  # bytes to the next multiple of 64, a cache line
        block = block[misplaced // dtype.itemsize :]
        for p in group:
            values, block = np.split(block, [p.size])
            values[:] = p.data.reshape(-1)
            p.data = values.reshape(p.shape)
