"""Tokens per second of the default model: with the cache, without it, and in PyTorch.

`python -m benchmarks.sampling [--repeats N] [--json FILE]` lets each way write the same number of
tokens after the same prompt, in turns, so that all meet the same machine. PyTorch keeps a cache of
the same kind, with the same policy past the context. Run it with nothing else running.
"""

import argparse
import itertools
import json
import time

import numpy as np

import minigrad as mg
from benchmarks.training import VOCABULARY, available
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, generate, next_token_probabilities

TOKENS = 256  # four times the context: the start again from its half is in the figures
BATCH = 16


def default_model():
    mg.manual_seed(0)
    return GPT2(GPT2Config(vocab_size=VOCABULARY)).eval()


def cached(model, batch_size):
    """minigrad as `sample` does it."""
    prompt = np.zeros((batch_size, 1), np.int64)
    for _ in itertools.islice(generate(model, prompt), TOKENS):
        pass


@mg.no_grad()
def uncached(model, batch_size):
    """minigrad computing the whole window again for every token."""
    generator = np.random.default_rng(0)
    tokens = np.zeros((batch_size, 1), np.int64)
    for _ in range(TOKENS):
        logits = model(tokens[:, -model.config.context_size :]).data[:, -1]
        ends = next_token_probabilities(logits).cumsum(-1)
        new = (ends <= generator.random((batch_size, 1))).sum(-1, keepdims=True)
        tokens = np.concatenate([tokens, new], axis=1)


def ways(batch_size):
    """{way: a function that writes the tokens}."""
    model = default_model()
    found = {
        "minigrad, cache": lambda: cached(model, batch_size),
        "minigrad, no cache": lambda: uncached(model, batch_size),
    }
    if "PyTorch" in available():
        from benchmarks.torch_gpt2 import TorchGPT2, generate_cached

        theirs = TorchGPT2(model.config).eval()
        theirs.load_minigrad(model)
        found["PyTorch, cache"] = lambda: generate_cached(theirs, batch_size, TOKENS)
    return found


def measure(batch_size, repeats):
    """{way: {"tokens per second": quartiles, "ratio": to minigrad's cache, pair by pair}}."""
    functions = ways(batch_size)
    for function in functions.values():
        function()
    seconds = {way: [] for way in functions}
    for _ in range(repeats):
        for way, function in functions.items():
            start = time.perf_counter()
            function()
            seconds[way].append(time.perf_counter() - start)
    first = np.array(seconds["minigrad, cache"])
    return {
        way: {
            "tokens per second": np.percentile(
                batch_size * TOKENS / np.array(times), [25, 50, 75]
            ).tolist(),
            "ratio": np.percentile(np.array(times) / first, [25, 50, 75]).tolist(),
        }
        for way, times in seconds.items()
    }


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9, help="runs of each (default: 9)")
    parser.add_argument("--json", metavar="FILE", help="write the table as JSON")
    options = parser.parse_args(arguments)
    results = {}
    for batch_size in (1, BATCH):
        results[f"batch {batch_size}"] = rows = measure(batch_size, options.repeats)
        print(f"\nbatch {batch_size}, {TOKENS} tokens each, {options.repeats} runs")
        print(f"{'':20s} {'tokens/s':>9s} {'quartiles':>15s} {'time to minigrad':>17s}")
        for way, row in rows.items():
            low, middle, high = row["tokens per second"]
            ratio = row["ratio"][1]
            print(f"{way:20s} {middle:9.0f} {low:7.0f} – {high:5.0f} {ratio:16.2f}x")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
