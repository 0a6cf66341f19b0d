"""Matrix products in the order of work that is fastest."""

import numpy as np


def rows_times(rows, weight):
    """rows @ weight.T: rows (N, in) and weight (out, in) -> (N, out), contiguous.

    With few rows the time goes into reading the weight: NumPy's dot products read it fastest for
    1 to 3 rows, and up to 32 rows BLAS is faster with the small matrix on the right.
    """
    if len(rows) <= 3:
        return np.vecdot(weight, rows[:, None])  # (out, in) with (N, 1, in)
    if len(rows) <= 32:
        return np.ascontiguousarray((weight @ rows.T).T)
    return rows @ weight.T
