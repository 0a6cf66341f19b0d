"""What a recipe of the speed-run is, and what is refused: the rules of docs/speedrun.md."""

import ast
import json
import sys
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig
from minigrad.op import as_array
from minigrad.support.settings import whole_number

CORES = 2
WINDOW = 64  # characters in a window of the evaluation
BATCHES, BATCH_SIZE = 200, 32  # of the evaluation
TRACKS = {  # name: (bar, most parameters)
    "1.88": (1.88, 1_000_000),
    "1.617": (1.617, None),
}
BASES = {
    "gpt2": (GPT2Config, TrainingConfig, GPT2, Trainer),
    "fast": (FastGPTConfig, FastTrainingConfig, FastGPT, FastTrainer),
}
OURS = {"model": {"vocab_size"}, "training": {"seed"}}  # set by the run, not by the recipe
PARTS = {"track", "base", "model", "training", "module"}


class Refused(Exception):
    """A recipe or a run breaks a rule; the words say which."""


@dataclass(frozen=True)
class Recipe:
    """Plain settings, and the module beside them if there is one."""

    name: str
    track: str
    base: str
    model: dict
    training: dict
    module: Path | None = None


def read_recipe(path):
    """The recipe in a JSON or TOML file, or Refused."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Refused(f"{path} is no {path.suffix[1:] or 'JSON'} file: {error}") from None
    return checked(path.stem, content, path.parent)


def checked(name, content, folder):
    """The recipe that a dictionary describes; Refused where a rule is broken."""
    if not isinstance(content, dict):
        raise Refused(f"{name}: a recipe is a table of settings, not {type(content).__name__}")
    if unknown := sorted(set(content) - PARTS):
        raise Refused(
            f"{name}: {', '.join(unknown)} is unknown; there are {', '.join(sorted(PARTS))}"
        )
    track, base = content.get("track"), content.get("base", "fast")
    if track not in TRACKS:
        raise Refused(f"{name}: the track is one of {', '.join(TRACKS)}, in quotes, not {track!r}")
    if base not in BASES:
        raise Refused(f"{name}: the base is one of {', '.join(BASES)}, not {base!r}")
    module = _checked_module(name, content["module"], folder) if "module" in content else None
    recipe = Recipe(
        name, track, base, content.get("model", {}), content.get("training", {}), module
    )
    for part in ("model", "training"):
        _check_settings(recipe, part)
    return recipe


def _check_settings(recipe, part):
    settings = getattr(recipe, part)
    if not isinstance(settings, dict):
        raise Refused(f"{recipe.name}: {part} is a table of settings, not {settings!r}")
    if ours := sorted(OURS[part] & set(settings)):
        raise Refused(f"{recipe.name}: {part}.{ours[0]} is set by the run: leave it out")
    kind = BASES[recipe.base][part == "training"]
    known = {field.name for field in fields(kind)}
    if recipe.module is None and (unknown := sorted(set(settings) - known)):
        raise Refused(f"{recipe.name}: {part}.{unknown[0]} is no setting of {kind.__name__}")
    try:
        kind(**{name: value for name, value in settings.items() if name in known})
        if part == "training":
            whole_number("training.workers", settings.get("workers", CORES), 1, CORES)
        else:
            whole_number("model.context_size", settings.get("context_size", WINDOW), WINDOW)
    except (TypeError, ValueError) as error:
        raise Refused(f"{recipe.name}: {error}") from None


def _checked_module(name, file, folder):
    """The path of a recipe's module, which imports NumPy, minigrad and Python's own library only."""
    if not isinstance(file, str) or Path(file).name != file or not file.endswith(".py"):
        raise Refused(f"{name}: the module is a Python file beside the recipe, not {file!r}")
    path = folder / file
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError) as error:
        raise Refused(f"{name}: {file} cannot be read: {error}") from None
    allowed = {"numpy", "minigrad"} | sys.stdlib_module_names
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        for module in names:
            if module.partition(".")[0] not in allowed:
                raise Refused(
                    f"{name}: {file} imports {module}: NumPy alone, beside minigrad and Python's "
                    "own library"
                )
    return path


# --- What a finished run must be ---


def check_model(recipe, model):
    """Refused where a trained model has too many parameters, other numbers, or sees the future."""
    bar, most = TRACKS[recipe.track]
    count = model.num_parameters()
    if most and count > most:
        raise Refused(f"{recipe.name}: {count:,} parameters, and track {bar} allows {most:,}")
    for name, parameter in model.named_parameters():
        if parameter.dtype != np.float32:
            raise Refused(f"{recipe.name}: {name} is {parameter.dtype}, and the rule is float32")
    vocabulary = as_array(model(np.zeros((1, 1), np.int64))).shape[-1]
    tokens = np.random.default_rng(1).integers(vocabulary, size=(2, WINDOW))
    changed = tokens.copy()
    changed[:, WINDOW // 2 :] = (changed[:, WINDOW // 2 :] + 1) % vocabulary
    before, after = (as_array(model(x))[:, : WINDOW // 2] for x in (tokens, changed))
    if not np.allclose(before, after, rtol=1e-3, atol=1e-3):
        raise Refused(
            f"{recipe.name}: the model's predictions change with the characters after them"
        )


def check_losses(recipe, losses):
    """Refused where the mean of the seeds does not reach the bar of the track."""
    bar, mean = TRACKS[recipe.track][0], sum(losses) / len(losses)
    if not mean <= bar:
        listed = ", ".join(f"{loss:.4f}" for loss in losses)
        raise Refused(f"{recipe.name}: the mean {mean:.4f} ({listed}) does not reach {bar}")
