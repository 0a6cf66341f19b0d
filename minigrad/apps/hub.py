"""Published models, downloaded when they are asked for by name.

    python -m minigrad.apps.hub openai-community/gpt2 --to gpt2

Nothing else in minigrad downloads a model. The client is `huggingface_hub`, an extra.
"""

import argparse
import sys
from pathlib import Path

from minigrad.apps.arguments import not_empty
from minigrad.apps.streams import lenient_streams

# What `load_gpt2` and `BPETokenizer.load` read; no code, no pickles.
FILES = ("config.json", "model.safetensors", "vocab.json", "merges.txt")


def fetch(name, to):
    """Download the files of a published model into the folder `to`; returns it, as a Path.

    `name` is the model's on the hub, such as "openai-community/gpt2". Files that are there already
    are not fetched again. Raises ModuleNotFoundError without the client, and ConnectionError, with
    the reason and the way around, where the download fails.
    """
    try:
        from huggingface_hub import snapshot_download
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "fetch downloads with huggingface_hub, which is not installed: "
            "pip install huggingface_hub"
        ) from None
    try:
        folder = Path(snapshot_download(name, local_dir=to, allow_patterns=list(FILES)))
    except Exception as error:  # the client has a dozen of its own, and those of its connection
        raise ConnectionError(
            f"{name} could not be downloaded ({type(error).__name__}). Is there a connection, and "
            f"does the model exist? Without one, copy {', '.join(FILES)} into {to} by hand"
        ) from error
    missing = [file for file in FILES if not Path(folder, file).is_file()]
    if missing:
        raise ConnectionError(f"{name} has no {' and no '.join(missing)}: it is no GPT-2 of ours")
    return folder


def main(arguments=None):
    """The command; returns its exit code."""
    with lenient_streams(lambda words: print(f"hub: {words}", file=sys.stderr)):
        return _run(_options(arguments))


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m minigrad.apps.hub", description="Download a published GPT-2."
    )
    parser.add_argument(
        "name", type=not_empty, help="such as openai-community/gpt2 (half a gigabyte)"
    )
    about = "the folder for its files (default: gpt2)"
    parser.add_argument("--to", type=not_empty, default="gpt2", help=about)
    return parser.parse_args(arguments)


def _run(options):
    try:
        print(fetch(options.name, options.to))
    except (ModuleNotFoundError, ConnectionError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
