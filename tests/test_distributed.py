"""Training on several ranks of MPI: the same weights, to the bit, whatever runs where."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minigrad.apps import distributed
from minigrad.apps.checkpoint import checkpoints, read_arrays
from minigrad.data import TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, TrainingConfig

ROOT = Path(__file__).parent.parent
MPIRUN = shutil.which("mpirun", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
needs_mpi = pytest.mark.skipif(
    MPIRUN is None or importlib.util.find_spec("mpi4py") is None,
    reason="mpi4py or a launcher is not installed: the extra `distributed` has both",
)
SIZES = "--num-blocks 2 --num-heads 2 --embedding-dim 32 --context-size 16 --batch-size 6".split()
OPTIONS = [*SIZES, "--dropout", "0.1", "--report-every", "4", "--save-every", "2", "--seed", "3"]
OPTIONS += ["--initial-sample-length", "0", "--final-sample-length", "20"]
VARIABLES = os.environ | {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    words = np.random.default_rng(0).choice(["to be", "or not", "that is", "the question\n"], 3000)
    path.write_text(" ".join(words), encoding="utf-8")
    return str(path)


def command(ranks, text, folder, steps=8, extra=()):
    launcher = [MPIRUN, "--oversubscribe", "-n", str(ranks)] if ranks else []
    module = "minigrad.apps.distributed" if ranks else "minigrad.gpt2_shakespeare"
    options = ["--text", text, "--checkpoint-dir", str(folder), "--num-steps", str(steps)]
    return [*launcher, sys.executable, "-m", module, *options, *OPTIONS, *extra]


def train(*arguments, **options):
    done = subprocess.run(
        command(*arguments, **options),
        cwd=ROOT,
        env=VARIABLES,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def last(folder):
    """The model's and the optimizer's arrays in the newest checkpoint."""
    return read_arrays(checkpoints(folder)[-1])[0]


def equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[k], other[k]) for k in one)


@needs_mpi
def test_two_ranks_give_the_weights_of_two_workers(text, tmp_path):
    ours = train(2, text, tmp_path / "ranks")
    theirs = train(0, text, tmp_path / "workers", extra=["--workers", "2"])
    assert equal(last(tmp_path / "ranks"), last(tmp_path / "workers"))
    assert ours == theirs  # losses and samples, printed once


@needs_mpi
def test_one_rank_gives_the_weights_of_one_process(text, tmp_path):
    train(1, text, tmp_path / "rank")
    train(0, text, tmp_path / "process")
    assert equal(last(tmp_path / "rank"), last(tmp_path / "process"))


@needs_mpi
def test_three_ranks_are_repeatable(text, tmp_path):
    train(3, text, tmp_path / "one")
    train(3, text, tmp_path / "two")
    assert equal(last(tmp_path / "one"), last(tmp_path / "two"))


@needs_mpi
def test_any_number_of_ranks_resumes(text, tmp_path):
    """Six steps with two ranks, two more with three: close to eight with one."""
    same_masks = ["--dropout", "0"]  # which numbers are dropped depends on the number of shards
    train(2, text, tmp_path / "run", steps=8, extra=same_masks)
    for path in checkpoints(tmp_path / "run"):
        if path.name > "step_00000006.safetensors":
            path.unlink()
    out = train(3, text, tmp_path / "run", steps=8, extra=[*same_masks, "--resume"])
    assert out.startswith("resumed from") and out.count("resumed from") == 1
    train(1, text, tmp_path / "alone", steps=8, extra=same_masks)
    one, other = last(tmp_path / "run"), last(tmp_path / "alone")
    for name in (name for name in one if name.startswith("model.")):
        assert np.allclose(one[name], other[name], atol=1e-4), name


@needs_mpi
@pytest.mark.skipif(not Path("/proc").is_dir(), reason="ranks are found through /proc")
def test_a_killed_rank_ends_the_run_and_three_ranks_go_on(text, tmp_path):
    with subprocess.Popen(
        command(2, text, tmp_path / "run", steps=100_000),
        cwd=ROOT,
        env=VARIABLES,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        wait_for(lambda: len(checkpoints(tmp_path / "run")) >= 2, "no checkpoint was written")
        os.kill(ranks_of(process.pid)[-1], signal.SIGKILL)
        assert process.wait(60) != 0
    read_arrays(checkpoints(tmp_path / "run")[-1])  # it is whole
    done = int(checkpoints(tmp_path / "run")[-1].stem.split("_")[1])
    with subprocess.Popen(
        command(3, text, tmp_path / "run", steps=100_000, extra=["--resume"]),
        cwd=ROOT,
        env=VARIABLES,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        newest = checkpoints(tmp_path / "run")[-1]
        wait_for(lambda: checkpoints(tmp_path / "run")[-1] > newest, "it did not go on")
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert int(checkpoints(tmp_path / "run")[-1].stem.split("_")[1]) > done


def wait_for(done, complaint, seconds=60):
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.1)


def ranks_of(launcher):
    """The process ids of the ranks that a launcher started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"minigrad.apps.distributed" in line and line[0] == sys.executable.encode():
                found.append(int(entry.name))
    return sorted(pid for pid in found if pid != launcher)


@needs_mpi
def test_a_refusal_is_said_once_and_ends_all(text, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    done = subprocess.run(
        command(2, text, tmp_path / "file"),
        cwd=ROOT,
        env=VARIABLES,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode != 0 and done.stderr.count("cannot be used") == 1


# --- Two hosts ---

AGENT = """#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
number=${1##*.}; shift
exec ip netns exec mghost$number unshare --uts sh -c "hostname mghost$number; $*"
"""


@pytest.fixture
def hosts(tmp_path):
    """Two network namespaces joined by a cable, with a hostname each; and how to run in the first."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or not shutil.which("ip"):
        pytest.skip("needs root and iproute2")
    agent = tmp_path / "agent.sh"
    agent.write_text(AGENT, encoding="utf-8")
    agent.chmod(0o755)
    commands = ["ip link add mgcable1 type veth peer name mgcable2"]
    for n in (1, 2):
        inside = f"ip netns exec mghost{n} ip"
        commands += [
            f"ip netns add mghost{n}",
            f"ip link set mgcable{n} netns mghost{n}",
            f"{inside} addr add 10.77.0.{n}/24 dev mgcable{n}",
            f"{inside} link set lo up",
            f"{inside} link set mgcable{n} up",
        ]
    try:
        for line in commands:
            done = subprocess.run(line.split(), capture_output=True, encoding="utf-8", check=False)
            if done.returncode:
                pytest.skip(f"network namespaces are not allowed here: {done.stderr.strip()}")
        yield agent
    finally:
        for n in (1, 2):
            subprocess.run(["ip", "netns", "del", f"mghost{n}"], capture_output=True, check=False)


@needs_mpi
def test_two_hosts_over_tcp(hosts, text, tmp_path):
    before = traffic()
    inner = command(0, text, tmp_path / "hosts")
    inner[inner.index("minigrad.gpt2_shakespeare")] = "minigrad.apps.distributed"
    launcher = [MPIRUN, "--prtemca", "plm_ssh_agent", str(hosts), "--mca", "btl", "tcp,self"]
    launcher += ["--host", "10.77.0.1:1,10.77.0.2:1", "-n", "2"]
    line = " ".join(f"'{word}'" for word in [*launcher, *inner])
    done = subprocess.run(
        [
            "ip",
            "netns",
            "exec",
            "mghost1",
            "unshare",
            "--uts",
            "sh",
            "-c",
            f"hostname mghost1; {line}",
        ],
        cwd=ROOT,
        env=VARIABLES,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    size = sum(
        a.nbytes for name, a in last(tmp_path / "hosts").items() if name.startswith("model.")
    )
    assert traffic() - before > 8 * size  # the gradients of eight steps went over the cable
    train(0, text, tmp_path / "workers", extra=["--workers", "2"])
    assert equal(last(tmp_path / "hosts"), last(tmp_path / "workers"))


def traffic():
    """The bytes that the first host has sent."""
    show = "ip netns exec mghost1 cat /sys/class/net/mgcable1/statistics/tx_bytes".split()
    done = subprocess.run(show, capture_output=True, encoding="utf-8", check=False)
    return int(done.stdout or 0)


# --- Without MPI ---


class OneRank:
    """A communicator of one, with what the trainer asks of it."""

    def Get_rank(self):
        return 0

    def Get_size(self):
        return 1

    def allgather(self, value):
        return [value]

    def Alltoall(self, sent, received):
        received[0] = sent

    def Allgather(self, sent, received):
        received[:] = sent


def trainer():
    dataset = TextDataset(np.random.default_rng(0).integers(5, size=500), 8)
    model = GPT2(GPT2Config(8, 1, 2, 16, vocab_size=5))
    return distributed.DistributedTrainer(model, dataset, TrainingConfig(batch_size=4), OneRank())


def test_gradients_lie_in_one_buffer():
    ours = trainer()
    assert np.isfinite(ours.step())
    assert all(np.shares_memory(p.grad, ours._flat) for p in ours.optimizer.parameters)


def test_a_loss_that_is_not_finite_changes_nothing():
    ours = trainer()
    ours.model.token_embedding.weight.data[...] = np.inf
    before = [p.data.copy() for p in ours.optimizer.parameters]
    assert not np.isfinite(ours.step())
    assert ours.steps == 0
    assert all(
        np.array_equal(p.data, b, equal_nan=True) for p, b in zip(ours.optimizer.parameters, before)
    )


def test_more_shards_than_sequences_are_refused():
    dataset = TextDataset(np.arange(50) % 5, 8)
    model = GPT2(GPT2Config(8, 1, 2, 16, vocab_size=5))
    with pytest.raises(ValueError, match="cannot share a batch_size of 4"):
        distributed.DistributedTrainer(
            model,
            dataset,
            TrainingConfig(batch_size=4, workers=4),
            type("Two", (OneRank,), {"Get_size": lambda _: 2})(),
        )


def test_without_mpi_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    assert distributed.main([]) == 2
    assert "mpi4py" in capsys.readouterr().err
