"""GPT-2 and SmolLM2 here, in a lean PyTorch loop and in transformers, on the same weights.

`python -m benchmarks.real_models [--models …] [--tasks …] [--turns N] [--store]` lets each way load,
write greedily with its cache, read a prompt, and train, each in a process of its own, in turns.
GPT-2 has its 124 million numbers drawn at random; SmolLM2-135M-Instruct is lesson 10's
(`python -m minigrad.apps.data chat`). Run it with nothing else running. `--small` takes tiny models,
to see that everything runs.
"""

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import minigrad as mg
from benchmarks import store
from benchmarks.training import CORES, own_peak
from benchmarks.turns import take_turns
from minigrad import llama, real_gpt2
from minigrad.chat import ChatTokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig, generate
from minigrad.lora import add_lora
from minigrad.optim import AdamW, clip_grad_norm_
from minigrad.support.datafolder import command, find_data
from minigrad.support.memory import keep_freed_memory

PROMPT = 16  # tokens before those that are written
LR = 1e-5
SIZES = {  # tokens written, tokens read, the batch (B, T) of a step
    "gpt2": {"write": 64, "read": 512, "train": (4, 64)},
    "smollm2": {"write": 64, "read": 512, "train": (1, 128)},
}
TINY = {"write": 8, "read": 40, "train": (2, 16)}
TASKS = {
    "gpt2": ("load", "write", "read", "train"),
    "smollm2": ("load", "write", "read", "train", "lora"),
}


# --- The weights, as files ---


def prepare(model, folder, small):
    """Write a model into a folder, for everybody to read."""
    (prepare_gpt2 if model == "gpt2" else prepare_smollm2)(folder, small)


def prepare_gpt2(folder, small):
    sizes = (64, 2, 2, 32) if small else (1024, 12, 12, 768)
    config = GPT2Config(*sizes, vocab_size=300 if small else 50257, bias=True, tie_weights=True)
    mg.manual_seed(0)
    real_gpt2.save_gpt2(folder / "gpt2", GPT2(config))


def prepare_smollm2(folder, small):
    path = folder / "smollm2.gguf"
    if small:
        tokenizer = ChatTokenizer.train("the cat sat on the mat " * 9, 280)
        tiny = llama.LlamaConfig(tokenizer.vocab_size, 64, 2, 4, 2, 32, 64)
        llama.save_llama(path, llama.Llama(tiny), tokenizer)
    else:
        found = find_data("chat")
        if found is None:
            raise SystemExit(f"the chat model is not here: {command('chat')}")
        path.symlink_to(next(found.glob("*.gguf")))
    save_for_the_hub(folder / "smollm2", llama.load_llama(path)[0])


def save_for_the_hub(folder, model):
    """Write a Llama as config.json and model.safetensors, in the hub's layout."""
    c = model.config
    folder.mkdir()
    arrays = {
        "model.embed_tokens.weight": model.token_embedding.weight.data,
        "model.norm.weight": model.output_norm.weight.data,
    }
    for number, block in enumerate(model.blocks):
        keys = c.num_kv_heads * c.head_dim
        q, k, v = np.split(
            block.attn.in_proj.weight.data, [c.embedding_dim, c.embedding_dim + keys]
        )
        parts = {
            "input_layernorm": block.norm1.weight.data,
            "self_attn.q_proj": halves(q, c.head_dim),
            "self_attn.k_proj": halves(k, c.head_dim),
            "self_attn.v_proj": v,
            "self_attn.o_proj": block.attn.out_proj.weight.data,
            "post_attention_layernorm": block.norm2.weight.data,
            "mlp.gate_proj": block.ffn.gate_proj.weight.data,
            "mlp.up_proj": block.ffn.up_proj.weight.data,
            "mlp.down_proj": block.ffn.down_proj.weight.data,
        }
        arrays |= {f"model.layers.{number}.{name}.weight": part for name, part in parts.items()}
    real_gpt2.write_safetensors(folder / "model.safetensors", arrays)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "hidden_size": c.embedding_dim,
        "intermediate_size": c.hidden_dim,
        "max_position_embeddings": c.context_size,
        "num_attention_heads": c.num_heads,
        "num_hidden_layers": c.num_blocks,
        "num_key_value_heads": c.num_kv_heads,
        "rms_norm_eps": c.norm_eps,
        "rope_theta": c.rope_base,
        "tie_word_embeddings": c.tie_weights,
        "vocab_size": c.vocab_size,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def halves(weight, head_dim):
    """A weight whose heads turn neighbouring channels, for one that turns their halves."""
    heads = weight.reshape(-1, head_dim // 2, 2, weight.shape[1])
    return heads.swapaxes(1, 2).reshape(weight.shape)


# --- minigrad ---


def load(model, folder):
    if model == "gpt2":
        return real_gpt2.load_gpt2(folder / "gpt2")
    return llama.load_llama(folder / "smollm2.gguf")[0]


@mg.no_grad()
def write(model, prompt, count):
    """The likeliest token, `count` times, after a prompt (1, T): a list."""
    if isinstance(model, GPT2):
        stream = generate(model, prompt, temperature=0)
        return [int(next(stream)[0]) for _ in range(count)]
    tokens, caches, written = prompt, model.new_caches(), []
    while len(written) < count:
        written.append(int(model(tokens, caches, last=True).data[0, -1].argmax()))
        tokens = np.array([[written[-1]]])
    return written


def trainer(model, lora, workers):
    """A function that learns from inputs and targets (B, T) and returns the loss."""
    keep_freed_memory()
    model.train()
    if not lora:

        class Given:  # a data set of one batch, as `Trainer` takes it
            def sample(self, size, generator):
                return self.batch

        given = Given()
        whole = Trainer(model, given, TrainingConfig(lr=LR, workers=workers, warmup_steps=0))

        def step(inputs, targets):
            given.batch = inputs, targets
            return whole.step()

        return step
    learning = add_lora(model)
    optimizer = AdamW(learning, lr=LR, betas=(0.9, 0.99), weight_decay=0.1)

    def step_of_lora(inputs, targets):
        loss = mg.cross_entropy_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(learning, 1.0)
        optimizer.step()
        return loss.item()

    return step_of_lora


# --- One way, in a process of its own ---


def ways(task, model):
    """The ways that can be measured here."""
    found = ["minigrad"]
    threads = importlib.util.find_spec("threadpoolctl")
    if task == "train" and SIZES[model]["train"][0] > 1 and threads:
        found.append("minigrad, workers")
    if importlib.util.find_spec("torch"):
        found.append("PyTorch")
        if importlib.util.find_spec("transformers") and task not in ("train", "lora"):
            found.append("transformers")
    return found


def functions(way, model, folder):
    """Three functions: load the model, write with it, and make a trainer of it."""
    if way.startswith("minigrad"):
        workers = CORES if "workers" in way else 1
        return (
            lambda: load(model, folder),
            write,
            lambda loaded, lora: trainer(loaded, lora, workers),
        )
    from benchmarks import torch_real as theirs

    if way == "transformers":
        return (
            lambda: theirs.load_transformers(model, folder / model),
            theirs.write_transformers,
            None,
        )
    return (
        lambda: theirs.load(model, folder / model),
        theirs.write,
        lambda loaded, lora: theirs.trainer(loaded, lora, LR),
    )


def work(way, model, task, folder, sizes):
    """A function that does a task once and returns what can be compared."""
    loader, writer, make_trainer = functions(way, model, folder)
    if task == "load":
        return lambda: loader() and None
    loaded, random = loader(), np.random.default_rng(0)
    if task in ("write", "read"):
        length, count = (PROMPT, sizes["write"]) if task == "write" else (sizes["read"], 1)
        prompt = random.integers(250, size=(1, length))
        return lambda: writer(loaded, prompt, count)
    step, (B, T) = make_trainer(loaded, task == "lora"), sizes["train"]
    tokens = random.integers(250, size=(B, T + 1))
    return lambda: step(tokens[:, :-1].copy(), tokens[:, 1:].copy())


def forget_peak():
    """From here on the peak of memory is counted anew; nothing happens but on Linux."""
    forget = Path("/proc/self/clear_refs")
    if forget.exists():
        forget.write_text("5", encoding="ascii")


def serve(way, model, task, folder, small):
    """Answer each line on the standard input with the seconds of the task, as JSON."""
    do = work(way, model, task, Path(folder), TINY if small == "small" else SIZES[model])
    result = [do(), do()]  # memory is allocated
    if task != "load":
        forget_peak()
    for _ in sys.stdin:
        start = time.perf_counter()
        do()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "memory": own_peak(), "result": result}), flush=True)


# --- All of them ---


def measure(model, task, folder, turns, small):
    """{way: {"seconds": quartiles, "ratio": of its time to ours, "memory", "agrees"}}."""
    commands = {
        way: ["-m", "benchmarks.real_models", "--serve", way, model, task, str(folder)]
        + ["small" if small else "whole"]
        for way in ways(task, model)
    }
    answers = {way: [] for way in commands}
    for way, answer in take_turns(commands, turns):
        answers[way].append(answer)
    first = np.array([answer["seconds"] for answer in answers["minigrad"]])
    expected = answers["minigrad"][0]["result"]
    return {
        way: {
            "seconds": np.percentile([a["seconds"] for a in found], [25, 50, 75]).tolist(),
            "ratio": np.percentile([a["seconds"] for a in found] / first, [25, 50, 75]).tolist(),
            "memory": found[-1]["memory"],
            "agrees": bool(task == "load" or agree(task, found[0]["result"], expected)),
        }
        for way, found in answers.items()
    }


def agree(task, found, expected):
    """Whether two ways have written the same tokens, or met the same losses."""
    # LoRA draws its matrices at random: what the first step computes is the same.
    return np.allclose(found[:1], expected[:1], atol=1e-3) and (
        task == "lora" or np.allclose(found, expected, atol=1e-3)
    )


UNITS = {
    "load": "to load",
    "write": "for {} tokens, greedily, one text",
    "read": "to the first token after a prompt of {}",
    "train": "for a training step of {} × {} tokens",
    "lora": "for a step with LoRA, {} × {} tokens",
}
NAMES = {"gpt2": "GPT-2 124M", "smollm2": "SmolLM2-135M"}


def about(model, task, small):
    """The words of a task."""
    sizes = (TINY if small else SIZES[model]).get({"lora": "train"}.get(task, task), ())
    return UNITS[task].format(*(sizes if isinstance(sizes, tuple) else [sizes]))


def promises(results):
    """Our speed and memory beside the others', as rows for the page."""
    command = "python -m benchmarks.real_models --store"
    for model, tasks in results.items():
        for task, rows in tasks.items():
            ours, words = rows["minigrad"], f"{NAMES[model]}, {about(model, task, False)}"
            if task == "write":
                speed = SIZES[model]["write"] / ours["seconds"][1]
                name = f"{NAMES[model]}, greedy, one text"
                yield store.row(name, f"{speed:.0f}", command, "tokens a second")
            else:
                yield store.row(words, f"{ours['seconds'][1]:.2f} s", command)
            if ours["memory"] is not None:
                yield store.row(f"{words}: memory", f"{ours['memory']:.0f}", command, "MB")
            for way, found in rows.items():
                if way != "minigrad":
                    ratio = f"{found['ratio'][1]:.2f}"
                    yield store.row(f"{words}: time of {way}, ours = 1", ratio, command, "times")
                    if ours["memory"] is not None:
                        memory = f"{found['memory'] / ours['memory']:.2f}"
                        name = f"{words}: memory of {way}, ours = 1"
                        yield store.row(name, memory, command, "times")


def show(model, task, rows, small):
    print(f"\n{NAMES[model]}{' (tiny)' if small else ''}, {about(model, task, small)}")
    print(f"{'':20s} {'seconds':>9s} {'quartiles':>17s} {'time to ours':>13s} {'MB':>6s}")
    for way, row in rows.items():
        low, middle, high = row["seconds"]
        line = f"{way:20s} {middle:9.3f} {low:8.3f} – {high:.3f} {row['ratio'][1]:12.2f}x"
        line += "" if row["memory"] is None else f" {row['memory']:6.0f}"
        print(line + ("" if row["agrees"] else "  differs from ours!"), flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--tasks", nargs="+", choices=UNITS, default=list(UNITS))
    parser.add_argument("--turns", type=int, default=7, help="turns of each (default: 7)")
    parser.add_argument("--small", action="store_true", help="tiny models, to see that it runs")
    store.add_option(parser, "real_models")
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(*options.serve)
    results = store.read(options.store) if options.store else {}
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models:
            prepare(model, Path(folder), options.small)
            for task in TASKS[model]:
                if task in options.tasks:
                    rows = measure(model, task, folder, options.turns, options.small)
                    results.setdefault(model, {})[task] = rows
                    show(model, task, rows, options.small)
    if options.store:
        store.write(options.store, results, promises(results))
    rows = [row for tasks in results.values() for ways in tasks.values() for row in ways.values()]
    return 0 if all(row["agrees"] for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
