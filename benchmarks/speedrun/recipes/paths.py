"""The recipe `fast` with more paths around the blocks, with weights that start at no effect.

Each block after the first also gets a share of the embedding, and of the first block's values (Zhou
et al., "Value Residual Learning", 2024). There is no cache: the model is for training and measuring.

With `models` above 1, as many models are trained one after another, each with its share of the
steps, and the prediction is the mean of their probabilities. What the models learned by heart
differs and averages out (Lakshminarayanan et al., "Deep Ensembles", 2017).
"""

from dataclasses import dataclass, replace

import numpy as np

from minigrad import nn
from minigrad.apps.ensemble import mean_prediction
from minigrad.apps.fast import FastAttention, FastBlock, FastGPT, FastGPTConfig
from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig
from minigrad.attention import causal_attention
from minigrad.init import normal_
from minigrad.shapes import cat


class PathsAttention(FastAttention):
    """Attention that also takes the first block's values, and gives its own: both (B, T, C)."""

    def __init__(self, config):
        super().__init__(config)
        self.shares = nn.Parameter(np.array([1.0, 0.0], np.float32))  # of its own and of the first

    def forward(self, x, first):
        C = x.shape[-1]
        qkv = self._qkv(x)
        values = qkv[..., 2 * C :]
        if first is not None:
            mixed = values * self.shares[0] + first * self.shares[1]
            qkv = cat([qkv[..., : 2 * C], mixed], axis=-1)
        return self.out_proj(causal_attention(qkv, self.num_heads)), values


class PathsBlock(FastBlock):
    """A block that also takes the first block's values, and gives its own."""

    def __init__(self, config):
        super().__init__(config)
        self.attn = PathsAttention(config)

    def forward(self, x, first):
        attended, values = self.attn(self.into_attention(x), first)
        x = x + self.dropout(attended)
        return x + self.dropout(self.ffn(self.into_mlp(x))), values


class PathsGPT(FastGPT):
    """A FastGPT of such blocks."""

    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.Sequential(*(PathsBlock(config) for _ in self.blocks))
        self.shares = nn.Parameter(np.zeros(config.num_blocks, np.float32))  # of the embedding
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2 and name.startswith("blocks."):
                normal_(parameter, std=self._std(name, parameter))

    def forward(self, tokens):
        x = embedded = self.dropout(self.embedded(tokens))
        first = None
        for number, block in enumerate(self.blocks):
            if number:
                x = x + embedded * self.shares[number]
            x, values = block(x, first)
            first = values if first is None else first
        return self.output_projection(self.output_ln(x))


@dataclass(frozen=True)
class Config(FastTrainingConfig):
    """The recipe's settings, and how many models."""

    models: int = 1


class Mean(nn.Module):
    """The mean of the probabilities that some models give, as logits (B, T, V)."""

    def __init__(self, models):
        self.models = nn.Sequential(*models)

    def forward(self, tokens):
        return mean_prediction([model(tokens) for model in self.models])


class OneAfterAnother:
    """Trainers that are used as one: each is finished before the next one begins."""

    def __init__(self, trainers, config):
        self.trainers, self.config = trainers, config
        self.model = Mean([trainer.model for trainer in trainers])

    @property
    def steps(self):
        return sum(trainer.steps for trainer in self.trainers)

    def step(self):
        waiting = (t for t in self.trainers if t.steps < t.config.num_steps)
        return next(waiting).step()


def make_trainer(model, training, dataset):
    config, trainers = Config(**training), []
    for number in range(config.models):
        steps = config.num_steps // config.models
        own = replace(config, num_steps=steps, seed=config.seed + 100 * number)
        trainers.append(FastTrainer(PathsGPT(FastGPTConfig(**model)), dataset, own))
    return trainers[0] if config.models == 1 else OneAfterAnother(trainers, config)
