"""What a training step costs on several ranks: `mpirun -n 2 python -m benchmarks.distributed measure`.

    measure [--store]   on the ranks that mpirun started (or on one, without it): the seconds of a
                        step, those of them in which gradients are added, and the bytes that are sent
    workers [--store]   the same batch on one process with 1 and with 2 workers, for comparison
    model [OPTIONS]     from a step's seconds on one rank: what 8, 64 and 1000 ranks would take over
                        several networks, and how many ranks are the fastest

Seconds are medians, by the clock and of the processor: the clock says something only where nothing
else runs. The model of cost, for S seconds of computing on one rank, G bytes of gradients, and a
network that sends B bytes a second to another machine after a delay of D seconds:

    step on R ranks = S / R + 2 (R - 1) (G / (R B) + D) + G / M

Each rank sends R - 1 parts of G / R bytes, gets as many, adds them (M bytes of memory a second),
and the sums are sent around in the same way. Where each rank has a whole batch of its own, S / R
is S.
"""

import argparse
import json
import statistics
import sys
import time

import numpy as np

from benchmarks import store
from benchmarks.training import VOCABULARY, dataset
from minigrad.apps.distributed import DistributedTrainer, communicator
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig

BATCH = TrainingConfig().batch_size
NETWORKS = {  # bytes a second, seconds of delay
    "1 Gbit/s": (0.125e9, 50e-6),
    "10 Gbit/s": (1.25e9, 30e-6),
    "100 Gbit/s": (12.5e9, 5e-6),
}
MEMORY = 5e9  # bytes of gradients that one rank adds in a second
RANKS = (1, 2, 8, 64, 1000)


def step_seconds(compute, ranks, size, network, whole_batch=False):
    """The model of cost: a step's seconds."""
    bandwidth, delay = network
    own = compute if whole_batch else compute / ranks
    if ranks == 1:
        return own
    return own + 2 * (ranks - 1) * (size / ranks / bandwidth + delay) + size / MEMORY


def fastest(compute, size, network):
    """How many ranks make a step of one batch the shortest; no more than it has sequences."""
    return min(range(1, BATCH + 1), key=lambda n: step_seconds(compute, n, size, network))


# --- Measuring ---


def timed(function, count):
    """Medians of (seconds by the clock, seconds of the processor) of a call."""
    found = []
    for _ in range(count):
        clock, cpu = time.perf_counter(), time.process_time()
        function()
        found.append((time.perf_counter() - clock, time.process_time() - cpu))
    return [round(statistics.median(column), 4) for column in zip(*found)]


def model():
    return GPT2(GPT2Config(vocab_size=VOCABULARY))


def measure(steps):
    """The table of this run's ranks; on the other ranks, None."""
    ranks = communicator()
    trainer = DistributedTrainer(model(), dataset(), TrainingConfig(), ranks)
    timed(trainer.step, 2)
    step = timed(trainer.step, steps)
    adding = timed(trainer._add_over_ranks, steps)
    number = ranks.Get_size()
    every = ranks.gather((step, adding))
    if every is None:
        return None
    size = trainer._flat.nbytes
    slowest = np.max(np.array(every), axis=0)
    return {
        "ranks": number,
        "gradients in bytes": size,
        "bytes that a rank sends in a step": 2 * (number - 1) * (size // number),
        "step, seconds by the clock": slowest[0][0],
        "step, cpu seconds of a rank": slowest[0][1],
        "adding, seconds by the clock": slowest[1][0],
        "adding, cpu seconds of a rank": slowest[1][1],
    }


def measure_workers(steps):
    """Workers -> (seconds by the clock, cpu seconds) of a step of the same batch in one process."""
    found = {}
    for workers in (1, 2):
        trainer = Trainer(model(), dataset(), TrainingConfig(workers=workers))
        timed(trainer.step, 2)
        found[str(workers)] = timed(trainer.step, steps)
    return found


def modelled(compute, size):
    """Rows of the table of docs/distributed.md."""
    rows = []
    for name, network in NETWORKS.items():
        batch = [step_seconds(compute, min(n, BATCH), size, network) for n in RANKS]
        more = [compute / step_seconds(compute, n, size, network, True) for n in RANKS]
        rows.append((name, batch, more, fastest(compute, size, network)))
    return rows


def main(arguments):
    parser = argparse.ArgumentParser(
        "python -m benchmarks.distributed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in ("measure", "workers"):
        kind = kinds.add_parser(name)
        kind.add_argument("--steps", type=int, default=10)
        store.add_option(kind, f"distributed_{name}")
    kind = kinds.add_parser("model")
    kind.add_argument("--seconds", type=float, required=True, help="of a step on one rank")
    options = parser.parse_args(arguments)
    if options.kind == "model":
        size = 4 * sum(p.size for p in model().parameters())
        print(f"{size / 1e6:.1f} MB of gradients, {options.seconds:g} s a step on one rank")
        print(f"{'network':12s}" + "".join(f"{n:>16d}" for n in RANKS) + "   fastest")
        for name, batch, more, best in modelled(options.seconds, size):
            cells = (f"{s:8.3f} s {share:5.0%}" for s, share in zip(batch, more))
            print(f"{name:12s}" + "".join(f"{cell:>16s}" for cell in cells) + f"{best:>10d}")
        print(
            f"seconds of a step that shares one batch of {BATCH} (at most {BATCH} ranks), and how "
            "much of\nits speed a rank keeps where each has a whole batch of its own"
        )
        return 0
    try:
        kind = measure if options.kind == "measure" else measure_workers
        found = kind(options.steps)
    except (ModuleNotFoundError, RuntimeError) as error:  # no mpi4py, or no MPI beside it
        print(f"Nothing measured: {error}", file=sys.stderr)
        return 2
    if found is None:
        return 0
    print(json.dumps(found, indent=1))
    if options.store:
        call = f"python -m benchmarks.distributed {options.kind} --store"
        rows = []
        if options.kind == "measure" and found["ranks"] > 1:
            call = f"mpirun -n {found['ranks']} {call}"
            seconds = f"{1000 * found['adding, seconds by the clock']:.0f}"
            rows = [store.row(f"adding gradients over {found['ranks']} ranks", seconds, call, "ms")]
        store.write(options.store, found, rows)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
