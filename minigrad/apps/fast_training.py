"""The training of the recipe `fast`: Muon on the matrices of the blocks, AdamW on the rest.

The learning rates stay at their highest and then fall in a line. The rest is lesson 8's trainer.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.gpt2_shakespeare import Trainer, TrainingConfig
from minigrad.optim import AdamW, Muon, newton_schulz
from minigrad.support.optimizer_state import check_optimizer_state
from minigrad.support.settings import number, of_class, whole_number
from minigrad.support.state import check_state
from minigrad.support.threads import side_by_side

# --- The optimizer: Muon for the blocks, AdamW for the rest ---


class BatchedMuon(Muon):
    """Lesson 5's Muon, with all matrices of one shape in one product, shared by some threads."""

    def __init__(self, parameters, newton_schulz_steps=5, workers=1, **options):
        super().__init__(parameters, **options)
        steps = whole_number("BatchedMuon: newton_schulz_steps", newton_schulz_steps, 0)
        self.newton_schulz_steps = steps
        self.workers = whole_number("BatchedMuon: workers", workers, 1)

    def step(self):
        """One step of every parameter that has a gradient."""
        self._check()
        self.steps += 1
        by_shape = {}  # (rows, columns) -> places (parameter, group, direction)
        groups = [(p, group) for group in self.param_groups for p in group["params"]]
        for i, (p, group) in enumerate(groups):
            if p.grad is None:
                continue
            self.update_counts[i] += 1
            velocity, momentum = self.velocity[i], group["momentum"]
            velocity *= momentum
            velocity += p.grad
            direction = momentum * velocity
            direction += p.grad
            rows, columns = p.shape[0] // group["parts"], p.shape[1]
            place = (p, group, direction.reshape(-1, rows, columns))
            by_shape.setdefault((rows, columns), []).append(place)
        for (rows, columns), places, steps in self._orthogonal(by_shape):
            steps *= self.lr * math.sqrt(max(1, rows / columns))
            for p, group, _ in places:
                own, steps = steps[: group["parts"]], steps[group["parts"] :]
                if group["weight_decay"]:
                    p.data *= 1 - self.lr * group["weight_decay"]
                p.data -= own.reshape(p.shape)

    def _orthogonal(self, by_shape):
        """Triples (shape, places, orthogonal matrices of all their directions)."""
        stacks = [
            np.array_split(np.concatenate([direction for _, _, direction in places]), self.workers)
            for places in by_shape.values()
        ]
        shares = zip(*stacks)  # for each thread, a part of the stack of each shape
        found = zip(*side_by_side([partial(self._share, share) for share in shares]))
        for (shape, places), parts in zip(by_shape.items(), found):
            yield shape, places, np.concatenate(parts)

    def _share(self, stacks):
        return [newton_schulz(stack, self.newton_schulz_steps) for stack in stacks]


class MuonAndAdamW:
    """Two optimizers that are used as one: Muon for `matrices`, AdamW for `others`.

    A step takes both learning rates times `factor`. (Lesson 8's trainer sets `lr`, which has no
    meaning for two rates and is not used.)
    """

    def __init__(self, matrices, others, config):
        self.muon = BatchedMuon(
            matrices,
            lr=config.lr,
            momentum=config.momentum,
            weight_decay=config.weight_decay,
            newton_schulz_steps=config.newton_schulz_steps,
            workers=config.workers,
        )
        self.adamw = AdamW(others, lr=config.other_lr, betas=config.betas, weight_decay=0.0)
        self.parameters = [*self.muon.parameters, *self.adamw.parameters]
        self.rates, self.factor = (config.lr, config.other_lr), 1.0

    def zero_grad(self):
        """Forget the gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self):
        """One step of every parameter that has a gradient."""
        for (_, optimizer), rate in zip(self._both(), self.rates):
            optimizer.lr = self.factor * rate
            optimizer.step()

    def state_dict(self):
        """A copy of what the two remember, under the names "muon.…" and "adamw.…"."""
        return {
            f"{name}.{key}": value
            for name, optimizer in self._both()
            for key, value in optimizer.state_dict().items()
        }

    def load_state_dict(self, state):
        """Take over `state`, as `state_dict` gives it, all of it or none."""
        check_state(state, self.state_dict(), "MuonAndAdamW")
        parts = {name: _part(state, f"{name}.") for name, _ in self._both()}
        for name, optimizer in self._both():
            check_optimizer_state(parts[name], optimizer.state_dict(), type(optimizer).__name__)
        for name, optimizer in self._both():
            optimizer.load_state_dict(parts[name])

    def _both(self):
        return ("muon", self.muon), ("adamw", self.adamw)


def _part(state, prefix):
    """The entries whose names begin with `prefix`, without it."""
    return {key.removeprefix(prefix): x for key, x in state.items() if key.startswith(prefix)}


# --- The training ---


@dataclass(frozen=True)
class FastTrainingConfig(TrainingConfig):
    """How a FastTrainer trains. `lr`, `momentum` and `weight_decay` are Muon's."""

    num_steps: int = 450
    lr: float = 0.02
    min_lr: float = 0.0
    warmup_steps: int = 0
    weight_decay: float = 0.0
    betas: tuple = (0.8, 0.95)  # AdamW's
    other_lr: float = 0.01  # AdamW's learning rate
    momentum: float = 0.9
    cooldown: float = 0.6  # the share of the steps in which the rates fall to min_lr
    newton_schulz_steps: int = 5

    def __post_init__(self):
        super().__post_init__()
        kind = type(self).__name__
        number(f"{kind}: lr", self.lr, 0, above=True, below=True)
        number(f"{kind}: min_lr", self.min_lr, 0, self.lr)
        number(f"{kind}: other_lr", self.other_lr, 0, below=True)
        number(f"{kind}: momentum", self.momentum, 0, 1, below=True)
        number(f"{kind}: cooldown", self.cooldown, 0, 1)
        whole_number(f"{kind}: newton_schulz_steps", self.newton_schulz_steps, 0)


def linear_cooldown(step, config):
    """The factor of the learning rates at a step (from 0): warm-up, 1, then down in a line."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    left = (config.num_steps - step) / max(1, config.num_steps)
    if left >= config.cooldown:
        return 1.0
    lowest = config.min_lr / config.lr
    return lowest + (1 - lowest) * max(0.0, left) / config.cooldown


class FastTrainer(Trainer):
    """Lesson 8's trainer with Muon on the matrices of the blocks and AdamW on the rest.

    It trains any model whose blocks are in `blocks`, so a GPT2 too.
    """

    def __init__(self, model, dataset, config=FastTrainingConfig()):
        of_class("FastTrainer: config", config, FastTrainingConfig)
        super().__init__(model, dataset, config)
        self.optimizer = self.make_optimizer()

    def make_optimizer(self):
        """The optimizer: `in_proj`, which is three matrices one on another, is given as such."""
        whole, stacked, others = [], [], []
        for name, p in self.model.named_parameters():
            if p.ndim != 2 or not name.startswith(("blocks.", "bigram_projection.")):
                others.append(p)
            elif name.endswith("in_proj.weight"):
                stacked.append(p)
            else:
                whole.append(p)
        matrices = [{"params": whole}, {"params": stacked, "parts": 3}]
        return MuonAndAdamW(matrices, others, self.config)

    def step(self):
        """One step of training; returns its loss, or nan or inf where nothing was changed."""
        self.optimizer.factor = linear_cooldown(self.steps, self.config)
        return super().step()


def trainer_of(options, vocab_size, dataset):
    """The trainer that the command line's options ask for with `--recipe fast`."""
    config = FastGPTConfig(
        context_size=options.context_size,
        num_blocks=options.num_blocks,
        num_heads=options.num_heads,
        embedding_dim=options.embedding_dim,
        dropout=options.dropout,
        vocab_size=vocab_size,
    )
    training = FastTrainingConfig(
        num_steps=options.num_steps,
        batch_size=options.batch_size,
        lr=options.lr,
        other_lr=options.lr / 2,
        weight_decay=options.weight_decay,
        seed=options.seed,
        workers=options.workers,
    )
    return FastTrainer(FastGPT(config), dataset, training)
