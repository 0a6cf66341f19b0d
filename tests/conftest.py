"""The order of the tests, the option --long, and PyTorch where it is installed."""

import importlib.util
import os

import pytest

# A matrix product on one thread, in the notebooks' kernels too: the products are small, and on a
# busy machine two threads spend their time waiting for each other. Set it to try another number.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Before all others: where these fail, what the notebooks say about the package means nothing.
FIRST = ("test_export.py", "test_environment.py")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="run the tests that take minutes, too")


@pytest.fixture(scope="session")
def torch():
    """The module `torch`. A test that asks for it is marked `torch`."""
    return pytest.importorskip("torch", reason="PyTorch is not installed")


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marker (`-m torch`)
def pytest_collection_modifyitems(config, items):
    items.sort(key=stage)
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if "torch" in getattr(item, "fixturenames", ()):
            item.add_marker("torch")
        if item.get_closest_marker("torch") and not has_torch:
            item.add_marker(pytest.mark.skip(reason="PyTorch is not installed"))
        if item.get_closest_marker("long") and not config.getoption("--long"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: run with --long"))


def stage(item):
    """Tests, the first ones first; then the examples in docstrings; then the notebooks."""
    if item.path.suffix == ".ipynb":
        return 3, item.path.name
    if isinstance(item, pytest.DoctestItem):
        return 2, ""
    if item.path.name in FIRST:
        return 0, FIRST.index(item.path.name)
    return 1, ""
