"""The tables and the chart of docs/speedrun.md, from benchmarks/results/speedrun.json.

`python -m benchmarks.speedrun.page [LOG]` takes the runs of the ladder from LOG, if it is named, and
writes the tables into the page, between its marks, and the chart.
"""

import argparse
import re
from pathlib import Path

import numpy as np

from benchmarks import store
from benchmarks.speedrun.ladder import (
    PAIRS,
    RECIPES,
    climb,
    default_climb,
    everything,
    finished,
    kept,
    tries,
)
from benchmarks.speedrun.rules import TRACKS
from benchmarks.speedrun.run import machine

DOCS = Path(__file__).parents[2] / "docs"
NAME = "speedrun"


def records():
    """{name: record} of the entries that are kept."""
    return store.read(NAME).get("records", {})


def keep_record(record):
    """Keep an entry under the name of its recipe, and write the page again."""
    name = record["recipe"]["name"]
    record = store.measured_now() | record
    _keep({"records": records() | {name: record}})
    write_page()


def keep_ladder(log):
    """Keep the runs of a log beside those that are kept, in the order of the ladder."""
    found = kept() | finished(log)
    ladder = {
        name: [run for (of, _), run in sorted(found.items()) if of == name] for name in everything()
    }
    runs = {
        name: [{key: run[key] for key in run if key != "name"} for run in runs]
        for name, runs in ladder.items()
        if runs
    }
    _keep({"ladder": runs, "ladder_machine": machine()})


def keep_paces(paces):
    """Keep the core-seconds of a step of each row, and write the page and the chart again."""
    _keep({"paces": paces, "paces_machine": machine()})
    write_page()
    write_chart()


def _keep(changes):
    results = store.read(NAME) | changes
    store.write(NAME, results, promises(results))


def promises(results):
    """The records, as rows for the page of promises."""
    for name, record in results.get("records", {}).items():
        when = {key: record[key] for key in ("commit", "date")}  # not those of the newest change
        command = f"python -m benchmarks.speedrun {file_of(record)} --text input.txt --verify"
        title = f"speed-run {name}, mean of {len(record['runs'])}"
        loss = f"{mean(record['runs'], 'loss'):.3f}"
        yield store.row(f"{title}: validation loss", loss, command) | when
        seconds = f"{mean(record['runs'], 'core_seconds'):.0f}"
        yield store.row(f"{title}: time of all cores together", seconds, command, "s") | when


def file_of(record):
    name = record["recipe"]["name"]
    suffix = "toml" if (RECIPES / f"{name}.toml").exists() else "json"
    return f"benchmarks/speedrun/recipes/{name}.{suffix}"


def mean(runs, key):
    """The mean over the seeds."""
    return sum(run[key] for run in runs) / len(runs)


def rows(results, names):
    """{name: runs} of what was measured of `names`: those of the seeds that all of them have."""
    ladder = results.get("ladder", {})
    found = {name: ladder[name] for name in names if name in ladder}
    seeds = [{run["seed"] for run in runs} for runs in found.values()]
    shared = set.intersection(*seeds) if seeds else set()
    return {name: [run for run in runs if run["seed"] in shared] for name, runs in found.items()}


def core_seconds(results, name):
    """What all steps of a row of the ladder take, at the pace that was measured in turns; or None."""
    pace = results.get("paces", {}).get(name)
    return pace and pace * results["ladder"][name][0]["steps"]


# --- The tables ---


def record_table(entries):
    """The entries, the soonest of each track first."""
    lines = [
        "| track | recipe | loss: mean (each seed) | seconds | core-seconds | steps | parameters "
        "| date | machine |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    order = sorted(
        entries.values(),
        key=lambda r: (list(TRACKS).index(r["recipe"]["track"]), mean(r["runs"], "core_seconds")),
    )
    for record in order:
        runs, name = record["runs"], record["recipe"]["name"]
        losses = ", ".join(f"{run['loss']:.3f}" for run in runs)
        lines.append(
            f"| {record['recipe']['track']} | [{name}](../{file_of(record)}) "
            f"| **{mean(runs, 'loss'):.3f}** ({losses}) | {mean(runs, 'seconds'):.0f} "
            f"| {mean(runs, 'core_seconds'):.0f} | {runs[0]['steps']} | {runs[0]['parameters']:,} "
            f"| {record['date']} | {record['machine']} |"
        )
    return "\n".join(lines)


def ladder_table(results, names, last=None):
    """The loss and the seconds of each rung; of tries, against the loss `last`."""
    ladder = rows(results, names)
    head = "| | loss: mean (each seed) | change | core-seconds | steps | parameters |"
    lines = [head, "|---|---|---|---|---|---|"]
    before = last
    for number, name in enumerate(names, 1):
        runs, title = ladder.get(name), name.removesuffix(", default size")
        title = f"{number}. {title}" if last is None else title  # as the chart numbers its points
        if not runs:
            lines.append(f"| {title} | not measured | | | | |")
            continue
        loss = mean(runs, "loss")
        losses = ", ".join(f"{run['loss']:.3f}" for run in runs)
        seconds = core_seconds(results, name)
        change = "" if before is None else f"{loss - before:+.3f}"
        lines.append(
            f"| {title} | {loss:.3f} ({losses}) | {change} "
            f"| {'not measured' if seconds is None else f'{seconds:.0f}'} "
            f"| {runs[0]['steps']} | {runs[0]['parameters']:,} |"
        )
        if last is None:  # of the rates of AdamW, the best one is built on
            before = min(loss, before or loss) if name.startswith("AdamW at ") else loss
    return "\n".join(lines)


def filled(text, parts):
    """A page with each part between its marks, `<!-- NAME -->` and `<!-- end -->`."""
    for name, part in parts.items():
        places = re.findall(rf"<!-- {name} -->\n.*?<!-- end -->", text, re.DOTALL)
        if len(places) != 1:
            raise ValueError(f"the page has {len(places)} places for {name}, not one")
        text = text.replace(places[0], f"<!-- {name} -->\n{part}\n<!-- end -->")
    return text


def page_of(text, results):
    """The page with its tables filled from these results."""
    pairs = results.get("ladder", {}).get(PAIRS)
    parts = {
        "records": record_table(results.get("records", {})),
        "ladder": ladder_table(results, climb()),
        "default": ladder_table(results, default_climb()),
        "tries": ladder_table(results, tries(), mean(pairs, "loss") if pairs else None),
    }
    return filled(text, parts)


def write_page():
    """Write the tables into docs/speedrun.md."""
    path = DOCS / "speedrun.md"
    path.write_text(page_of(path.read_text(encoding="utf-8"), store.read(NAME)), encoding="utf-8")


# --- The chart ---


def write_chart():
    """Draw loss against core-seconds, a panel for each size: numbered rungs, and tries as crosses."""
    import matplotlib.pyplot as plt

    results = store.read(NAME)
    figure, (small, default) = plt.subplots(1, 2, figsize=(13, 5.5), layout="constrained")
    _panel(small, results, climb(), tries())
    small.set_title("Small size, 250 steps")
    small.axhline(1.88, color="grey", linestyle="--", linewidth=1)
    small.annotate("1.88", (0.01, 1.885), xycoords=("axes fraction", "data"), color="grey")
    _panel(default, results, default_climb())
    default.set_title("Lesson 8's default size, 94 steps")
    figure.savefig(DOCS / "pictures" / "speedrun.png", dpi=110)


def _panel(axes, results, rungs, others=()):
    """Points for what was measured of `rungs`, with the numbers of their rows; crosses for `others`."""
    points = _points(results, rungs)
    axes.plot(*points.T, "o", color="#1f6fb4", label="rows of the ladder's table")
    if others:
        axes.plot(*_points(results, others).T, "x", color="#c0561f", label="what else was tried")
    axes.margins(x=0.1)
    axes.set_xlabel("core-seconds of training")
    axes.set_ylabel("validation loss (nats per character)")
    axes.legend()
    axes.figure.canvas.draw()
    places = axes.transData.transform(points)  # in pixels
    free = np.full(len(points), True)
    for i, place in enumerate(places):
        if free[i]:  # points that lie on each other share a label
            near = free & (np.linalg.norm(places - place, axis=1) < 12)
            text = ", ".join(str(other + 1) for other in np.flatnonzero(near))
            axes.annotate(text, points[i], xytext=(6, 4), textcoords="offset points")
            free &= ~near


def _points(results, names):
    """(core-seconds, loss) of each row, as an array (rows, 2); nan where one is not measured."""
    found = rows(results, names)
    points = [
        (core_seconds(results, name), mean(found[name], "loss")) if name in found else (None, None)
        for name in names
    ]
    return np.array(points, float)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.speedrun.page",
        description="Write the tables and the chart of docs/speedrun.md.",
    )
    parser.add_argument("log", type=Path, nargs="?", metavar="LOG", help="runs of the ladder")
    log = parser.parse_args(arguments).log
    if log and not log.is_file():
        parser.error(f"there is no file {log}")
    if log:
        keep_ladder(log)
    write_page()
    write_chart()


if __name__ == "__main__":
    main()
