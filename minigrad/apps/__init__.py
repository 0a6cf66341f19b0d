"""What stands on the model: command lines, checkpoints, the shipped model, the sampler's widget."""
