"""Several models of `--recipe fast` that are used as one: the mean of their predictions."""

from dataclasses import dataclass, fields

import numpy as np

from minigrad import nn
from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.functional import log_softmax
from minigrad.shapes import stack
from minigrad.support.settings import whole_number


@dataclass(frozen=True)
class EnsembleConfig(FastGPTConfig):
    """The size of each model of an Ensemble, and how many models there are."""

    num_models: int = 2

    def __post_init__(self):
        super().__post_init__()
        whole_number("EnsembleConfig: num_models", self.num_models, 1)

    def of_one(self):
        """The FastGPTConfig of each model."""
        return FastGPTConfig(**{f.name: getattr(self, f.name) for f in fields(FastGPTConfig)})


class Ensemble(nn.Module):
    """The mean of the probabilities that some FastGPTs give: tokens (B, T) -> logits (B, T, V).

    What each model learned by heart is different and averages out, what all have understood stays.
    Source: Lakshminarayanan et al., "Simple and Scalable Predictive Uncertainty Estimation using
    Deep Ensembles", 2017, section 2.4.
    """

    def __init__(self, config):
        self.config = config
        self.models = nn.Sequential(*(FastGPT(config.of_one()) for _ in range(config.num_models)))

    def forward(self, tokens, caches=None, last=False):
        """Logits (B, T, V) for tokens (B, T); with `last`, (B, 1, V): those of the last position.

        With caches (see `new_caches`) these tokens follow those of earlier calls.
        """
        own = caches or [None] * len(self.models)
        return mean_prediction([model(tokens, c, last) for model, c in zip(self.models, own)])

    def attention(self, tokens):
        """The attention weights, the heads of each model behind those of the one before it.

        (blocks, B, models · H, T, T), as an array.
        """
        return np.concatenate([model.attention(tokens) for model in self.models], axis=2)

    def new_caches(self, batch_size):
        """The empty caches of each model."""
        return [model.new_caches(batch_size) for model in self.models]


def mean_prediction(logits):
    """The logits of the mean of the probabilities that some logits stand for: each (…, V)."""
    logs = stack([log_softmax(x) for x in logits])  # (models, …, V)
    largest = logs.data.max(0)  # with it taken off, no mean is so small that it has no logarithm
    return (logs - largest).exp().mean(0).log() + largest
