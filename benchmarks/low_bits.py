"""How long a product takes whose weights have few bits, beside one in float32.

`python -m benchmarks.low_bits [--store]` multiplies one row and 128 rows by a matrix of SmolLM2's MLP
(1536 × 576): in float32, in half precision, as whole numbers of 8 bits, and with the weights of
lesson 10's formats, which become float32 each time that they are needed. All ways take turns in one
thread, and a ratio is the median of a turn's.
"""

import argparse
import time

import numpy as np

from benchmarks import store
from minigrad.quantised import dequantise, quantise
from minigrad.support.threads import blas_threads

SHAPE = 1536, 576
ROWS = 1, 128
TURNS = 51


def ways(rows):
    """{name: a function that computes x W.T}, the first in float32."""
    random = np.random.default_rng(0)
    W = random.standard_normal(SHAPE).astype(np.float32)
    x = random.standard_normal((rows, SHAPE[1])).astype(np.float32)
    halves = x.astype(np.float16), W.astype(np.float16)
    small, weights = (np.rint(127 * a / abs(a).max()).astype(np.int8) for a in (x, W))
    found = {
        "float32": lambda: x @ W.T,
        "half precision": lambda: halves[0] @ halves[1].T,
        "8-bit whole numbers": lambda: np.matmul(small, weights.T, dtype=np.int32),
    }
    for kind in ("Q8_0", "Q4_1", "Q4_0"):
        stored = quantise(W, kind)
        found[f"{kind}, unpacked each time"] = lambda stored=stored: x @ dequantise(stored).T
    return found


def seconds(function):
    """The time of one call, as the mean over a few milliseconds."""
    begun, calls = time.perf_counter(), 0
    while (spent := time.perf_counter() - begun) < 5e-3:
        function()
        calls += 1
    return spent / calls


def measure(rows):
    """{way: its time, float32's = 1}."""
    functions = ways(rows)
    for function in functions.values():
        function()
    turns = [[seconds(function) for function in functions.values()] for _ in range(TURNS)]
    table = np.array(turns)
    return dict(zip(functions, np.median(table / table[:, :1], axis=0).tolist()))


def promises(results):
    """The ratios, as rows for the page."""
    for rows, found in results.items():
        for way, ratio in found.items():
            if way != "float32":
                name = f"a product of {rows} × 576 and 576 × 1536, {way}: time, float32's = 1"
                yield store.row(
                    name, f"{ratio:.1f}", "python -m benchmarks.low_bits --store", "times"
                )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    store.add_option(parser, "low_bits")
    options = parser.parse_args(arguments)
    with blas_threads(1):
        results = {rows: measure(rows) for rows in ROWS}
    for rows, found in results.items():
        print(f"\n{rows} row{'s' * (rows > 1)}: time, float32's = 1")
        for way, ratio in found.items():
            print(f"{way:28s} {ratio:8.1f}")
    if options.store:
        store.write(options.store, results, promises(results))


if __name__ == "__main__":
    main()
