"""Work in several threads, and how many threads a matrix product uses."""

import functools
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context


@functools.cache
def _controller():
    try:
        from threadpoolctl import ThreadpoolController
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "training with workers needs threadpoolctl, which is not installed: "
            "pip install threadpoolctl, or train with workers=1"
        ) from None
    return ThreadpoolController()


def blas_threads(n):
    """A context in which NumPy's BLAS uses n threads for a matrix product."""
    return _controller().limit(limits=n, user_api="blas")


def side_by_side(tasks, blas=1):
    """Run functions without arguments, each in its own thread; returns their results in order.

    A single task runs in the calling thread, and BLAS may use all cores for it. Of several, the
    first runs in the calling thread, and each multiplies matrices with `blas` threads. Every thread
    gets a copy of the context variables (which random generator is used, whether operations are
    recorded). All threads have ended when this returns or raises.
    """
    first, *others = tasks
    if not others:
        return [first()]
    with blas_threads(blas), ThreadPoolExecutor(len(others)) as pool:
        running = [pool.submit(copy_context().run, task) for task in others]
        return [first(), *(task.result() for task in running)]
