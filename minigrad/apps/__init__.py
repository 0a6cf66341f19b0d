"""What uses the model: command line, checkpoints, the shipped model, sampler and playground."""

from pathlib import Path

SHIPPED = Path(__file__).with_name("pretrained.safetensors")  # the model that comes with the course
