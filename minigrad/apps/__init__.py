"""Programs that use the model: command line, checkpoints, sampler, playground, chat."""

from pathlib import Path

SHIPPED = Path(__file__).with_name("pretrained.safetensors")  # the model that comes with the course
ORIGIN = SHIPPED.with_suffix(".txt")  # how it was trained, in words
