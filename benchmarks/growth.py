"""How time and memory of a training step grow with the context and the batch.

`python -m benchmarks.growth [--store]` trains the default model a few steps for each pair of
context and batch, each in a process of its own, and prints the time for a token and the peak
memory. Run it with nothing else running; the largest needs about 6 GB.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

import minigrad as mg
from benchmarks import store
from benchmarks.training import CORES, VOCABULARY, own_peak
from minigrad.data import TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig

CONTEXTS = (64, 128, 256, 512)
BATCHES = (8, 16, 32, 64)


def measure_here(context_size, batch_size):
    """Microseconds for a token (the best of a few steps) and peak memory in MB, of this process."""
    mg.manual_seed(0)
    tokens = np.random.default_rng(0).integers(VOCABULARY, size=100_000)
    model = GPT2(GPT2Config(vocab_size=VOCABULARY, context_size=context_size))
    training = TrainingConfig(batch_size=batch_size, workers=CORES)
    trainer = Trainer(model, TextDataset(tokens, context_size), training)
    seconds = []
    while len(seconds) < 3 or sum(seconds) < 2 and len(seconds) < 10:
        start = time.perf_counter()
        trainer.step()
        seconds.append(time.perf_counter() - start)
    return 1e6 * min(seconds) / (context_size * batch_size), own_peak()


def measure(context_size, batch_size):
    """The same, of a new process."""
    code = (
        "import json; from benchmarks.growth import measure_here; "
        f"print(json.dumps(measure_here({context_size}, {batch_size})))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    microseconds, memory = json.loads(done.stdout)
    return {"microseconds a token": microseconds, "MB": memory}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    store.add_option(parser, "growth")
    options = parser.parse_args(arguments)
    results = {}
    print("microseconds a token, peak memory in MB")
    print(f"{'context':>8s}" + "".join(f"{'batch ' + str(size):>18s}" for size in BATCHES))
    for context_size in CONTEXTS:
        row = results[context_size] = {size: measure(context_size, size) for size in BATCHES}
        cells = (
            f"{r['microseconds a token']:7.0f} µs {r['MB'] or 0:5.0f} MB" for r in row.values()
        )
        print(f"{context_size:8d}" + "".join(f"{cell:>18s}" for cell in cells))
    if options.store:
        store.write(options.store, results)


if __name__ == "__main__":
    main()
