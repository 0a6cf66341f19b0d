"""The recipe `fast`, with the mean of the weights of the last steps at the end."""

from dataclasses import dataclass

from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig


@dataclass(frozen=True)
class Config(FastTrainingConfig):
    """The recipe's settings, and the share of the steps whose weights are averaged."""

    averaged: float = 0.1


class AveragingTrainer(FastTrainer):
    """A FastTrainer that ends with the mean of its last weights."""

    total, count = None, 0

    def step(self):
        loss = super().step()
        if self.steps > (1 - self.config.averaged) * self.config.num_steps:
            parameters = self.optimizer.parameters
            if self.total is None:
                self.total = [p.data.copy() for p in parameters]
            else:
                for total, p in zip(self.total, parameters):
                    total += p.data
            self.count += 1
        return loss

    def finish(self):
        for total, p in zip(self.total, self.optimizer.parameters):
            p.data[...] = total / self.count


def make_trainer(model, training, dataset):
    return AveragingTrainer(FastGPT(FastGPTConfig(**model)), dataset, Config(**training))
