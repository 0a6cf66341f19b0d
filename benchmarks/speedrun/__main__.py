"""`python -m benchmarks.speedrun RECIPE --text FILE`: run a recipe of the speed-run.

RECIPE is a JSON or TOML file; FILE is tinyshakespeare's input.txt. The rules are in docs/speedrun.md.
"""

import argparse
import sys

from benchmarks.speedrun import page
from benchmarks.speedrun.rules import TRACKS, Refused, check_losses, read_recipe
from benchmarks.speedrun.run import machine, run, settings, shakespeare, two_cores

RULE = 3  # seeds: 0, 1 and 2
LIKE = 0.01  # how far a loss may be from the record's on another machine, which rounds otherwise


def main(arguments=None):
    """Run the command; returns its exit code: 0, 1 where the entry does not hold, 2 for bad input."""
    options = _parser().parse_args(arguments)
    try:
        recipe, text = read_recipe(options.recipe), shakespeare(options.text)
    except Refused as error:
        print(f"speedrun: {error}", file=sys.stderr)
        return 2
    cores = two_cores()
    bar, most = TRACKS[recipe.track]
    print(f"{recipe.name}: track {bar}{f', at most {most:,} parameters' if most else ''}")
    entered = options.verify or options.store
    seeds = max(options.seeds, RULE) if entered else options.seeds
    try:
        if entered and cores != 2:
            raise Refused(f"{recipe.name}: this process may use {cores} cores, the rule is 2")
        runs = []
        for seed in range(seeds):
            runs.append(run(recipe, seed, text))
            shown = "seed {seed}: loss {loss:.4f} in {seconds:.1f} s, {steps} steps".format(
                **runs[-1]
            )
            print(shown, flush=True)
        losses = [found["loss"] for found in runs]
        seconds = [found["seconds"] for found in runs]
        mean = sum(losses) / seeds
        print(f"mean: loss {mean:.4f} in {sum(seconds) / seeds:.1f} s on {machine()}")
        if entered:
            check_losses(recipe, losses)
            _compare(recipe, losses)
            print(f"{recipe.name} holds: the mean of {seeds} seeds reaches {bar}")
    except Refused as error:
        print(f"speedrun: {error}", file=sys.stderr)
        return 1
    if options.store:
        page.keep_record({"recipe": settings(recipe), "machine": machine(), "runs": runs})
    return 0


def _compare(recipe, losses):
    """Refused where the record holds other losses for the same settings under this name."""
    kept = page.records().get(recipe.name)
    if kept and kept["recipe"] == settings(recipe):
        for found, loss in zip(kept["runs"], losses):
            if abs(found["loss"] - loss) > LIKE:
                raise Refused(
                    f"{recipe.name}: seed {found['seed']} reached {loss:.4f}, the record says "
                    f"{found['loss']:.4f}: more than {LIKE} apart"
                )


def _seeds(text):
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to 100, not {text!r}")
    return int(text)


def _parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speedrun", description=__doc__)
    parser.add_argument("recipe", metavar="RECIPE", help="a JSON or TOML file")
    parser.add_argument("--text", required=True, metavar="FILE", help="tinyshakespeare's input.txt")
    parser.add_argument("--seeds", type=_seeds, default=RULE, metavar="N", help="how many (3)")
    text = "fail where the entry breaks a rule, misses its bar or is not like its record"
    parser.add_argument("--verify", action="store_true", help=text)
    text = "verify, then keep it in the record table"
    parser.add_argument("--store", action="store_true", help=text)
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
