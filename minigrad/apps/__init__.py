"""What uses the model: command line, checkpoints, the shipped model, sampler and playground."""
