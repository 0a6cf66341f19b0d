"""What the real models take in memory: while they are loaded, and with a long text before them.

`python -m benchmarks.memory [--store]` loads GPT-2 (its 124 million numbers drawn at random) and
SmolLM2 (`python -m minigrad.apps.data chat`), each in a process of its own, and then lets them read
a text into their caches: GPT-2 all of it at once, as `generate` does, and SmolLM2 512 tokens at a
time, as `Chat` does. It prints the peaks in MB, counted from the start of the process. Other
programs may run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import minigrad as mg
from benchmarks import store
from benchmarks.real_models import NAMES, forget_peak, load, prepare
from benchmarks.training import own_peak
from minigrad.chat import Chat

TEXTS = {"gpt2": (1024,), "smollm2": (1024, 8192)}  # tokens


def megabytes():
    """The peak memory of this process, in millions of bytes."""
    return 1.048576 * own_peak()


def measure_here(model, folder, length):
    """{what: MB} of this process, which loads a model and lets it read a text.

    Memory is largest at the end of the text: what stands before the last piece goes into the caches
    as zeros, and the last piece through the model.
    """
    started = megabytes()
    loaded = load(model, Path(folder))
    found = {"numbers": 4e-6 * loaded.num_parameters(), "loading": megabytes() - started}
    forget_peak()
    c, piece = loaded.config, min(length, Chat.CHUNK) if model == "smollm2" else length
    heads = (c.num_kv_heads, 1) if model == "smollm2" else (c.num_heads,)
    zeros = np.zeros((1, *heads, piece, c.embedding_dim // c.num_heads), np.float32)
    caches = loaded.new_caches(1)
    for _ in range(length // piece - 1):
        for cache in caches:
            cache.extend(zeros, zeros)
    with mg.no_grad():
        loaded(np.random.default_rng(0).integers(200, size=(1, piece)), caches, last=True)
    stores = [array for cache in caches for array in (cache.keys, cache.values)]
    cache = 1e-6 * sum(array.nbytes for array in stores)
    return found | {"the cache": cache, "reading": megabytes() - started}


def measure(model, folder, length):
    """The same, of a new process."""
    code = (
        "import json; from benchmarks.memory import measure_here; "
        f"print(json.dumps(measure_here({model!r}, {str(folder)!r}, {length})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return json.loads(done.stdout)


def promises(results):
    """Peaks, as rows for the page."""
    command = "python -m benchmarks.memory --store"
    for model, lengths in results.items():
        name, first = NAMES[model], next(iter(lengths.values()))
        peak = f"{first['loading']:.0f}"
        yield store.row(f"{name}, memory at the peak of loading", peak, command, "MB")
        for length, found in lengths.items():
            words, peak = f"{name}, a text of {length} tokens", f"{found['reading']:.0f}"
            yield store.row(f"{words}: its cache", f"{found['the cache']:.0f}", command, "MB")
            yield store.row(f"{words}: memory at the peak, model included", peak, command, "MB")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--small", action="store_true", help="tiny models, to see that it runs")
    store.add_option(parser, "memory")
    options = parser.parse_args(arguments)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for model, lengths in TEXTS.items():
            prepare(model, Path(folder), options.small)
            results[model] = {}
            for length in (40,) if options.small else lengths:
                found = results[model][length] = measure(model, folder, length)
                print(f"\n{NAMES[model]}, {length} tokens")
                for what, megabytes in found.items():
                    print(f"{what:24s} {megabytes:6.0f} MB", flush=True)
    if options.store:
        store.write(options.store, results, promises(results))


if __name__ == "__main__":
    main()
