"""Tokens per second of the default model: with the cache and without it, and both in PyTorch.

`python -m benchmarks.sampling [--tokens N] [--batches N ...] [--repeats N] [--store]` lets each
way write the same number of tokens after the same prompt, in turns, each in a process of its own.
PyTorch keeps a cache of the same kind, with the same policy past the context. Run it with nothing
else running.
"""

import argparse
import itertools
import json
import sys
import time
from functools import partial

import numpy as np

import minigrad as mg
from benchmarks import store
from benchmarks.training import VOCABULARY, available
from benchmarks.turns import take_turns
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, generate, next_token_probabilities
from minigrad.support.memory import pack


def default_model():
    mg.manual_seed(0)
    model = GPT2(GPT2Config(vocab_size=VOCABULARY)).eval()
    pack(model.parameters())  # as a model that is loaded to sample from
    return model


def cached(model, batch_size, count):
    """minigrad as `sample` does it."""
    prompt = np.zeros((batch_size, 1), np.int64)
    for _ in itertools.islice(generate(model, prompt), count):
        pass


@mg.no_grad()
def uncached(model, batch_size, count):
    """minigrad computing the whole window again for every token."""
    generator = np.random.default_rng(0)
    tokens = np.zeros((batch_size, 1), np.int64)
    for _ in range(count):
        logits = model(tokens[:, -model.config.context_size :]).data[:, -1]
        ends = next_token_probabilities(logits).cumsum(-1)
        new = (ends <= generator.random((batch_size, 1))).sum(-1, keepdims=True)
        tokens = np.concatenate([tokens, new], axis=1)


def pytorch(model, cache):
    """The same model in PyTorch: a function that writes the tokens of a batch."""
    from benchmarks.torch_gpt2 import TorchGPT2, generate

    theirs = TorchGPT2(model.config).eval()
    theirs.load_minigrad(model)
    return partial(generate, theirs, cache=cache)


WAYS = {
    "minigrad, cache": lambda model: partial(cached, model),
    "minigrad, no cache": lambda model: partial(uncached, model),
    "PyTorch, cache": lambda model: pytorch(model, cache=True),
    "PyTorch, no cache": lambda model: pytorch(model, cache=False),
}


def serve(way, *sizes):
    """Answer each line on the standard input with the seconds that writing took, as JSON."""
    write = WAYS[way](default_model())
    write(*sizes)
    for _ in sys.stdin:
        start = time.perf_counter()
        write(*sizes)
        print(json.dumps(time.perf_counter() - start), flush=True)


def measure(batch_size, count, repeats):
    """{way: {"tokens per second": quartiles, "ratio": to minigrad's cache, turn by turn}}."""
    commands = {
        way: ["-m", "benchmarks.sampling", "--serve", way, str(batch_size), str(count)]
        for way in WAYS
        if "PyTorch" not in way or "PyTorch" in available()
    }
    seconds = {way: [] for way in commands}
    for way, answer in take_turns(commands, repeats):
        seconds[way].append(answer)
    first = np.array(seconds["minigrad, cache"])
    return {
        way: {
            "tokens per second": np.percentile(
                batch_size * count / np.array(times), [25, 50, 75]
            ).tolist(),
            "ratio": np.percentile(np.array(times) / first, [25, 50, 75]).tolist(),
        }
        for way, times in seconds.items()
    }


def promises(results):
    """The speed of each batch, and how many times that of the other ways, as rows for the page."""
    command = "python -m benchmarks.sampling --store"
    for batch, rows in results.items():
        speed = rows["minigrad, cache"]["tokens per second"][1]
        yield store.row(
            f"sampling, {batch}, default model", f"{speed:.0f}", command, "tokens a second"
        )
        for way, found in rows.items():
            if way != "minigrad, cache":
                yield store.row(
                    f"sampling, {batch}: the speed of {way} = 1",
                    f"{found['ratio'][1]:.1f}",
                    command,
                    "times its speed",
                )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokens", type=int, default=256, help="of each text (default: 256)")
    parser.add_argument(
        "--batches",
        type=int,
        nargs="+",
        default=[1, 16],
        metavar="N",
        help="texts at once (default: 1 16)",
    )
    parser.add_argument("--repeats", type=int, default=9, help="runs of each (default: 9)")
    store.add_option(parser, "sampling")
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(options.serve[0], *map(int, options.serve[1:]))
    results = {}
    for batch_size in options.batches:
        results[f"batch {batch_size}"] = rows = measure(batch_size, options.tokens, options.repeats)
        print(f"\nbatch {batch_size}, {options.tokens} tokens each, {options.repeats} runs")
        print(f"{'':20s} {'tokens/s':>9s} {'quartiles':>15s} {'time to minigrad':>17s}")
        for way, row in rows.items():
            low, middle, high = row["tokens per second"]
            ratio = row["ratio"][1]
            print(f"{way:20s} {middle:9.0f} {low:7.0f} – {high:5.0f} {ratio:16.2f}x")
    if options.store:
        store.write(options.store, results, promises(results))


if __name__ == "__main__":
    main()
