"""The same training in minigrad and in PyTorch: are the losses the same?

`python -m benchmarks.parity [--store]` trains 100 steps in float64, from the same weights on the same
batches, prints the largest difference of the losses, and keeps both curves.
"""

import sys

import numpy as np

import minigrad as mg
from benchmarks import store
from minigrad.data import CharTokenizer, TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig


def double_precision(model):
    """The parameters of a minigrad model as float64."""
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    return model


def losses_of_both(steps=100, **sizes):
    """The losses of minigrad and of PyTorch, step by step."""
    from benchmarks.torch_gpt2 import TorchGPT2, TorchTrainer

    text = mg.load_shakespeare()[:500_000]
    tokenizer = CharTokenizer(text)
    dataset = TextDataset(tokenizer.encode(text), sizes.get("context_size", 64))
    config = GPT2Config(vocab_size=tokenizer.vocab_size, **sizes)
    training = TrainingConfig(num_steps=steps, batch_size=12, warmup_steps=10)
    mg.manual_seed(0)
    trainer = Trainer(double_precision(GPT2(config)), dataset, training)
    theirs = TorchGPT2(config).double()
    theirs.load_minigrad(trainer.model)
    their_trainer = TorchTrainer(theirs, training)
    curves = [], []
    for _ in range(steps):
        inputs, targets = trainer.batch()
        curves[1].append(their_trainer.step(inputs.data, targets.data))
        curves[0].append(trainer.step())
    return curves


def promises(found):
    """How far the losses are apart at most, as a row for the page."""
    steps = len(found["minigrad"])
    difference = float(np.abs(np.subtract(found["minigrad"], found["pytorch"])).max())
    yield store.row(
        f"largest difference to PyTorch's loss in {steps} steps (promised: 1e-6)",
        f"{difference:.0e}",
        "python -m benchmarks.parity --store",
    )


def main(arguments):
    sizes = {"num_blocks": 4, "num_heads": 4, "embedding_dim": 128}
    ours, theirs = losses_of_both(**sizes)
    difference = float(np.abs(np.subtract(ours, theirs)).max())
    print(f"{len(ours)} steps, from {ours[0]:.4f} to {ours[-1]:.4f}: differ by {difference:.1e}")
    if arguments == ["--store"]:
        found = {"model": sizes, "minigrad": ours, "pytorch": theirs}
        store.write("parity", found, promises(found))


if __name__ == "__main__":
    main(sys.argv[1:])
