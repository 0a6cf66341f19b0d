"""Printing lines at once, so that who waits for a long command sees how far it is."""


def put(*lines: str) -> None:
    """Print the lines. Where nobody reads any more, `course/__main__.py` lets nothing fail."""
    print("\n".join(lines), flush=True)
