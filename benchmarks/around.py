"""What stands around a training: the import, the tokenizing, the batches.

`python -m benchmarks.around [--store]` prints what `import minigrad` adds to importing NumPy
(new processes in turns), how long the plays take to become tokens, and which part of a step of the
default model the making of its batch is. Run it with nothing else running.
"""

import argparse
import statistics
import subprocess
import sys
import time

from benchmarks import store
from benchmarks.training import CORES, minigrad_step
from minigrad.data import CharTokenizer, load_shakespeare

TURNS = 21
# All of the library that a training needs; the package alone loads its modules when first used.
IMPORTS = {
    "numpy": "import numpy",
    "minigrad": "import numpy, minigrad",
    "everything": "import numpy, minigrad.gpt2_shakespeare",
}
TIMED = "import time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def fastest(run, times=5):
    """Seconds of the fastest of a few runs."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def import_times():
    """{what: the median of its milliseconds over new processes}."""
    seconds = {what: [] for what in IMPORTS}
    for _ in range(TURNS):
        for what, code in IMPORTS.items():
            command = [sys.executable, "-c", TIMED.format(code)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seconds[what].append(float(done.stdout))
    return {what: 1000 * statistics.median(times) for what, times in seconds.items()}


def promises(found):
    """All of it, as rows for the page."""
    for what, value in found.items():
        text = f"{value:,.3g}" if value < 1000 else f"{value:,.0f}"
        yield store.row(what, text, "python -m benchmarks.around --store")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    store.add_option(parser, "around")
    options = parser.parse_args(arguments)
    imports = import_times()
    plays = load_shakespeare()
    step, trainer = minigrad_step("default", CORES)
    step()
    batch, whole = fastest(trainer.batch, 50), fastest(step)
    found = {
        "import minigrad adds, ms": imports["minigrad"] - imports["numpy"],
        "with all that a training needs, ms": imports["everything"] - imports["numpy"],
        "characters": len(plays),
        "tokenizing them, ms": 1000 * fastest(lambda: CharTokenizer(plays).encode(plays)),
        "a batch, % of a step": 100 * batch / whole,
    }
    for what, value in found.items():
        print(f"{what:40s} {value:14,.3f}")
    if options.store:
        store.write(options.store, found, promises(found))


if __name__ == "__main__":
    main()
