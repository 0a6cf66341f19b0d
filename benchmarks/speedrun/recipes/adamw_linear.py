"""GPT-2 with AdamW, and the line of the recipe `fast` in the place of lesson 8's cosine."""

import math
from dataclasses import dataclass

from minigrad.apps.fast_training import linear_cooldown
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig
from minigrad.optim import clip_grad_norm_


@dataclass(frozen=True)
class Config(TrainingConfig):
    """Lesson 8's settings, and the share of the steps in which the rate falls."""

    cooldown: float = 0.6


class LinearTrainer(Trainer):
    """Lesson 8's trainer with another schedule."""

    def step(self):
        self.model.train()
        self.optimizer.zero_grad()
        loss = self._backward(*self.batch())
        if not math.isfinite(clip_grad_norm_(self.optimizer.parameters, self.config.max_norm)):
            return math.nan
        self.optimizer.lr = self.config.lr * linear_cooldown(self.steps, self.config)
        self.optimizer.step()
        self.steps += 1
        return loss


def make_trainer(model, training, dataset):
    return LinearTrainer(GPT2(GPT2Config(**model)), dataset, Config(**training))
