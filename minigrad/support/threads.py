"""How many threads the matrix products use."""

import functools


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
