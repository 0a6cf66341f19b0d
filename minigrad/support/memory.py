"""Where arrays lie in memory, and whether the process keeps what they leave behind."""

import ctypes
import functools
import sys

import numpy as np

# The numbers of glibc's mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


@functools.cache
def keep_freed_memory():
    """Let this process reuse the memory of freed arrays; returns whether it does from now on.

    By default the C library of Linux gives a large array's memory back to the system as soon as it
    is freed, and the next array pays for it again, page by page: a tenth of a training step and
    more. Peak memory stays what it was. On other systems nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # a C library without it, or one that may not be asked
        return False
    settings = {
        _MMAP_THRESHOLD: 32 << 20,  # arrays below it come from the heap (the most it allows)
        _TRIM_THRESHOLD: (1 << 31) - 1,  # and the heap does not shrink
        _ARENA_MAX: 1,  # one heap for all threads
    }
    return all([mallopt(name, value) for name, value in settings.items()])


def pack(parameters):
    """Move float32 parameters one behind another into one block of memory.

    Linux maps it in large pages: what is read for every token is then read faster (docs/speed.md).
    """
    block = np.empty(sum(p.size for p in parameters) + 15, np.float32)
    block = block[-block.ctypes.data // 4 % 16 :]  # to begin at a multiple of 64 bytes
    for p in parameters:
        values, block = np.split(block, [p.size])
        values[:] = p.data.reshape(-1)
        p.data = values.reshape(p.shape)
