"""Training on several processes or machines: the batch is split over the ranks of MPI.

    mpirun -n 4 python -m minigrad.apps.distributed --checkpoint-dir run

The options are those of `python -m minigrad.gpt2_shakespeare`. Each rank computes the gradients of
its part of the batch; the parts are added in the order of the ranks, so a run is repeatable bit for
bit, and two ranks give exactly the weights of `--workers 2`. Rank 0 prints and saves; a run may be
resumed with any number of ranks. It needs mpi4py and a launcher: docs/distributed.md.
"""

import io
import os
import sys
import time
from contextlib import ExitStack, redirect_stdout

import numpy as np

from minigrad.apps import cli
from minigrad.gpt2_shakespeare import Trainer
from minigrad.op import as_array
from minigrad.support.threads import blas_threads


PATIENCE = 5.0  # seconds that a rank which failed waits for the others to end too


class DistributedTrainer(Trainer):
    """A trainer that shares each batch with the other ranks of `ranks`, a communicator of MPI.

    Every rank holds the whole model and takes the same steps; only the batch is split. With several
    workers, as many threads share the rank's part.
    """

    def __init__(self, model, dataset, config, ranks):
        shards = ranks.Get_size() * config.workers
        if shards > config.batch_size:
            raise ValueError(
                f"{ranks.Get_size()} ranks with {config.workers} workers each cannot share a "
                f"batch_size of {config.batch_size}"
            )
        super().__init__(model, dataset, config)
        self.ranks = ranks
        size = sum(p.size for p in self.optimizer.parameters)
        self._chunk = -(-size // ranks.Get_size())  # the part that each rank adds up
        self._flat = np.zeros(self._chunk * ranks.Get_size(), np.float32)  # all gradients

    def _backward(self, inputs, targets):
        """The loss of the whole batch, after every parameter was given its whole gradient."""
        rank, size = self.ranks.Get_rank(), self.ranks.Get_size()
        own = [np.array_split(as_array(x), size)[rank] for x in (inputs, targets)]
        share = len(own[0]) / len(inputs)
        loss = super()._backward(*own) * share
        for p in self.optimizer.parameters:
            if p.grad is not None:
                p.grad *= share
        self._add_over_ranks()
        return sum(self.ranks.allgather(loss))

    def _generator(self, number):
        """As in one process: 0 draws the batch, and each shard has a number of its own."""
        first = self.ranks.Get_rank() * self.config.workers
        return super()._generator(number + first if number else 0)

    def _add_over_ranks(self):
        """Replace each gradient by the sum over the ranks, always added in the same order.

        Each rank adds up one chunk of the flat buffer, rank after rank, and all gather the sums:
        that sends as much as the usual ring, and the rounding does not depend on who was first.
        """
        views = self._views()
        for p, view in views:
            view[...] = 0 if p.grad is None else p.grad
        parts = np.empty((self.ranks.Get_size(), self._chunk), np.float32)
        self.ranks.Alltoall(self._flat, parts)
        total = parts[0]
        for part in parts[1:]:
            total += part
        self.ranks.Allgather(total, self._flat)
        for p, view in views:
            p.grad = view

    def _views(self):
        """Pairs (parameter, its part of the flat buffer in the parameter's shape)."""
        views, end = [], 0
        for p in self.optimizer.parameters:
            start, end = end, end + p.size
            views.append((p, self._flat[start:end].reshape(p.shape)))
        return views


class Together:
    """A run in several ranks; its counterpart in one process is `cli.Alone`."""

    def __init__(self, ranks):
        self.ranks = ranks
        self.first = ranks.Get_rank() == 0

    def trainer(self, model, dataset, config):
        """A trainer that shares its batches with the other ranks."""
        return DistributedTrainer(model, dataset, config, self.ranks)

    def agree(self, number):
        """The largest number that any rank gives: all must stop after the same step."""
        return max(self.ranks.allgather(number))


def communicator():
    """MPI's ranks of this run. Raises ModuleNotFoundError, saying what to install."""
    try:
        from mpi4py import MPI
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "training on several ranks needs mpi4py and a launcher; from the clone: "
            'pip install -e ".[distributed]"'
        ) from None
    return MPI.COMM_WORLD


def _cores(ranks):
    """How many cores this rank may use: those of its machine are shared by the ranks there."""
    from mpi4py import MPI

    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count())
    neighbours = ranks.Split_type(MPI.COMM_TYPE_SHARED)
    bound = neighbours.allgather(sorted(allowed))
    together = sum(cores == bound[neighbours.Get_rank()] for cores in bound)
    return max(1, len(allowed) // together)


def main(arguments=None):
    """Run the command line on every rank; returns its exit code. A failing rank ends all."""
    try:
        ranks = communicator()
    except (ModuleNotFoundError, RuntimeError) as error:
        print(f"distributed: {error}", file=sys.stderr)
        return 2
    together = Together(ranks)
    with ExitStack() as quiet:
        if not together.first:
            quiet.enter_context(redirect_stdout(io.StringIO()))
            if sys.stderr is not None:
                sys.stderr.flush()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # rank 0 speaks for all
        quiet.enter_context(blas_threads(_cores(ranks)))
        code = 1
        try:
            code = cli.main(arguments, together)
        finally:
            _leave_together(ranks, code)
        return code


def _leave_together(ranks, code):
    """Wait for the others; where this rank failed alone, end them: they would wait for ever."""
    arrived, begun = ranks.Ibarrier(), time.monotonic()
    while not arrived.Test():
        if code and time.monotonic() - begun > PATIENCE:
            ranks.Abort(code)
        time.sleep(0.02)


if __name__ == "__main__":
    raise SystemExit(main())
