"""The recipe `fast` with a context that grows: 16 characters, then 32, then all, in larger batches.

Each step takes the same number of characters.
"""

from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig
from minigrad.data import TextDataset

STAGES = (0.3, 16), (0.6, 32)  # up to this share of the steps, this context


class GrowingTrainer(FastTrainer):
    """A FastTrainer whose first steps see short windows."""

    def batch(self):
        full, progress = self.dataset.context_size, self.steps / self.config.num_steps
        context = next((length for end, length in STAGES if progress < end), full)
        size = self.config.batch_size * full // context
        return TextDataset(self.dataset.tokens, context).sample(size, self._generator(0))


def make_trainer(model, training, dataset):
    return GrowingTrainer(FastGPT(FastGPTConfig(**model)), dataset, FastTrainingConfig(**training))
