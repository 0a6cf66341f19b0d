"""The recipe `fast` with the Newton-Schulz iteration at every second step only.

The step between uses the orthogonal matrices of the one before it again.
"""

from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.apps.fast_training import BatchedMuon, FastTrainer, FastTrainingConfig


class EverySecondMuon(BatchedMuon):
    """A BatchedMuon that computes its orthogonal matrices at every second step."""

    def _orthogonal(self, by_shape):
        if self.steps % 2:  # the first step has number 1
            self.kept = [matrices for _, _, matrices in super()._orthogonal(by_shape)]
        for (shape, places), matrices in zip(by_shape.items(), self.kept):
            yield shape, places, matrices.copy()


class EverySecondTrainer(FastTrainer):
    """A FastTrainer with this Muon."""

    def make_optimizer(self):
        optimizer, config = super().make_optimizer(), self.config
        optimizer.muon = EverySecondMuon(
            optimizer.muon.param_groups,
            lr=config.lr,
            momentum=config.momentum,
            newton_schulz_steps=config.newton_schulz_steps,
            workers=config.workers,
        )
        return optimizer


def make_trainer(model, training, dataset):
    model, config = FastGPT(FastGPTConfig(**model)), FastTrainingConfig(**training)
    return EverySecondTrainer(model, dataset, config)
