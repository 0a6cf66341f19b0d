"""How long each row of the ladder takes: all rows in turns, in one run.

`python -m benchmarks.speedrun.pace TEXT` measures the core-seconds of a step of each and writes the
page. What a whole training took says as much of the day on which it ran as of its recipe.
"""

import sys
import time
from statistics import median

from benchmarks.speedrun import page
from benchmarks.speedrun.ladder import RECIPES, everything
from benchmarks.speedrun.rules import WINDOW, Refused, checked
from benchmarks.speedrun.run import make_trainer, shakespeare, two_cores
from minigrad import random
from minigrad.data import TextDataset

TURNS, STEPS = 10, 2  # steps of each row in a turn; the turns are spread over its training


def paces(recipes, text):
    """{name: core-seconds of a step}: the median of the turns, after one that does not count."""
    trainers = {}
    for name, recipe in recipes.items():
        random.manual_seed(0)
        dataset = TextDataset(text.training, recipe.model.get("context_size", WINDOW))
        trainers[name] = make_trainer(recipe, dataset, text.vocab_size, seed=0)
    found = {name: [] for name in trainers}
    for turn in [0, *range(TURNS)]:
        for name, trainer in trainers.items():
            trainer.steps = turn * trainer.config.num_steps // TURNS
            start = time.process_time()
            for _ in range(STEPS):
                trainer.step()
            found[name].append((time.process_time() - start) / STEPS)
    return {name: round(median(seconds[1:]), 5) for name, seconds in found.items()}


def main(arguments):
    if len(arguments) != 1:
        print(__doc__)
        return 2
    try:
        text = shakespeare(arguments[0])
    except Refused as error:
        print(f"pace: {error}", file=sys.stderr)
        return 2
    two_cores()
    recipes = {
        name: checked(name, {"track": "1.617", **recipe}, RECIPES)
        for name, recipe in everything().items()
    }
    page.keep_paces(paces(recipes, text))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
