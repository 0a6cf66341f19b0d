"""A training run can be trusted: killed, stopped, out of disk, diverging, resumed."""

import errno
import itertools
import math
import os
import re
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad.apps import checkpoint, cli
from minigrad.apps.arguments import parser
from minigrad.data import CharTokenizer, TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig, evaluate

pytest.importorskip("safetensors")
pytest.importorskip("tqdm")

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 50
COMMAND = [sys.executable, "-m", "minigrad.gpt2_shakespeare"]
TINY = (
    "--context-size 8 --num-blocks 1 --num-heads 2 --embedding-dim 16 --batch-size 4 "
    "--initial-sample-length 0 --final-sample-length 0"
).split()
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals or limits")


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def make_trainer(seed=0, num_steps=40, dropout=0.1, text=TEXT, workers=1, **sizes):
    tokenizer = CharTokenizer(text)
    sizes = {"context_size": 8, "num_blocks": 1, "num_heads": 2, "embedding_dim": 16, **sizes}
    mg.manual_seed(seed)
    model = GPT2(GPT2Config(**sizes, dropout=dropout, vocab_size=tokenizer.vocab_size))
    config = TrainingConfig(num_steps, batch_size=4, warmup_steps=2, seed=seed, workers=workers)
    return Trainer(model, TextDataset(tokenizer.encode(text), sizes["context_size"]), config)


VOCABULARY = CharTokenizer(TEXT).vocabulary


def state(trainer):
    """Everything that a step depends on, as {name: array or number}."""
    model = {f"model.{n}": x for n, x in trainer.model.state_dict().items()}
    return {**model, **trainer.optimizer.state_dict(), "step": trainer.steps}


def same(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


# --- Stopped and resumed ---


def test_resumed_is_never_stopped_bit_for_bit(tmp_path):
    whole = make_trainer()
    losses = [whole.step() for _ in range(12)]
    got, trainer = [], make_trainer()
    for _ in range(12):  # a new process each step, as far as the trainer can tell
        got.append(trainer.step())
        path = checkpoint.save(tmp_path, trainer, VOCABULARY)
        trainer = make_trainer()
        checkpoint.resume(path, trainer, VOCABULARY)
    assert got == losses
    assert same(state(trainer), state(whole))


def kill_and_resume(text, tmp_path, kills):
    """Kill the run `kills` times at moments without a pattern; returns the newest checkpoint."""
    folder, generator = tmp_path / "run", np.random.default_rng(0)
    command = [
        *COMMAND,
        *TINY,
        "--text",
        str(text),
        "--num-steps",
        "100000",
        "--report-every",
        "100000",
        "--save-every",
        "1",
        "--resume",
        "--checkpoint-dir",
        str(folder),
    ]
    steps = 0
    for _ in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while newest_step(folder) <= steps and time.monotonic() < deadline:
            assert process.poll() is None, process.stderr.read().decode()
            time.sleep(0.001)
        time.sleep(generator.uniform(0, 0.03))
        process.kill()
        process.wait()
        process.stderr.close()
        assert newest_step(folder) > steps
        steps = newest_step(folder)
        path = checkpoint.checkpoints(folder)[-1]
        _, description = checkpoint.read_arrays(path)
        assert description["progress"]["steps"] == steps
    return path


def newest_step(folder):
    found = checkpoint.checkpoints(folder)
    return int(found[-1].stem.removeprefix("step_")) if found else 0


@posix
@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=pytest.mark.long)])
def test_the_newest_checkpoint_survives_every_kill(text, tmp_path, kills):
    path = kill_and_resume(text, tmp_path, kills)
    # What all the runs together made is what one run makes that nobody killed.
    arrays, description = checkpoint.read_arrays(path)
    options = parser().parse_args([*TINY, "--num-steps", "100000", "--text", str(text)])
    _, tokenizer, training, _ = cli._read_text(options)
    mg.manual_seed(0)
    whole = cli._trainer(options, tokenizer, training, cli.Alone())
    while whole.steps < description["progress"]["steps"]:
        whole.step()
    expected = {f"model.{n}": x for n, x in whole.model.state_dict().items()}
    assert all(np.array_equal(arrays[name], x) for name, x in expected.items())


def test_what_a_killed_run_left_unfinished_is_removed(tmp_path):
    (tmp_path / "step_00000001.unfinished-123").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    trainer = make_trainer()
    checkpoint.save(tmp_path, trainer, VOCABULARY)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "notes.txt",
        "step_00000000.safetensors",
    ]


# --- The best and the last few ---


def test_the_best_and_the_last_three_are_kept(tmp_path):
    trainer = make_trainer()
    for steps, loss in enumerate([5.0, 3.0, None, 4.0, math.nan, None, 3.5, None]):
        trainer.steps = steps
        checkpoint.save(tmp_path, trainer, VOCABULARY, loss)
    assert [p.name for p in checkpoint.checkpoints(tmp_path)] == [
        f"step_{n:08d}.safetensors" for n in (1, 5, 6, 7)
    ]
    path, loss = checkpoint.best(tmp_path)
    assert path.name == "step_00000001.safetensors" and loss == 3.0


def test_the_best_report_is_saved_between_two_checkpoints(text, tmp_path, capsys):
    folder = tmp_path / "run"
    assert (
        cli.main(
            [
                *TINY,
                "--text",
                str(text),
                "--num-steps",
                "10",
                "--report-every",
                "4",
                "--save-every",
                "100",
                "--checkpoint-dir",
                str(folder),
            ]
        )
        == 0
    )
    assert [p.stem for p in checkpoint.checkpoints(folder)] == [
        "step_00000004",
        "step_00000008",
        "step_00000010",
    ]


def test_a_damaged_file_in_the_folder_does_not_stop_the_saving(tmp_path):
    trainer = make_trainer()
    checkpoint.save(tmp_path, trainer, VOCABULARY, 1.0).write_bytes(b"rubbish")
    trainer.steps = 1
    checkpoint.save(tmp_path, trainer, VOCABULARY, 2.0)
    assert checkpoint.best(tmp_path)[1] == 2.0


# --- Files that are refused ---

OTHER_RUNS = {
    "embedding_dim is 32, this run's 16": dict(embedding_dim=32),
    "num_blocks is 2, this run's 1": dict(num_blocks=2),
    "dropout is 0.5, this run's 0.1": dict(dropout=0.5),
    "seed is 1, this run's 0": dict(seed=1),
    "num_steps is 41, this run's 40": dict(num_steps=41),
    "vocab_size is 30, this run's 29": dict(text=TEXT + "!"),
    "its vocabulary is not this run's": dict(text=TEXT.replace("q", "!")),
    "its text is not this run's": dict(text=TEXT[:-10] + TEXT[:10]),
}


@pytest.mark.parametrize("difference", OTHER_RUNS)
def test_a_checkpoint_of_another_run_is_refused_with_the_difference(tmp_path, difference):
    options = OTHER_RUNS[difference]
    vocabulary = CharTokenizer(options.get("text", TEXT)).vocabulary
    path = checkpoint.save(tmp_path, make_trainer(**options), vocabulary)
    trainer = make_trainer()
    trainer.step()
    before = state(trainer)
    with pytest.raises(ValueError, match=difference) as refusal:
        checkpoint.resume(path, trainer, VOCABULARY)
    assert path.name in str(refusal.value)
    assert same(state(trainer), before)


def test_a_run_can_be_made_longer_when_it_is_resumed(tmp_path):
    trainer = make_trainer()
    for _ in range(5):  # past the warm-up
        trainer.step()
    path = checkpoint.save(tmp_path, trainer, VOCABULARY)
    longer = make_trainer(num_steps=60)
    checkpoint.resume(path, longer, VOCABULARY)
    assert same(state(longer), state(trainer))
    trainer.step()
    longer.step()
    assert longer.optimizer.lr > trainer.optimizer.lr  # the same step, earlier on its cosine


def damaged(content):
    yield "truncated", content[:-1]
    yield "half", content[: len(content) // 2]
    yield "no header", content[:7]
    yield "empty", b""
    yield "foreign", b"\x89PNG\r\n\x1a\n" + bytes(100)
    yield "a weight", content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    yield (
        "a digit",
        content.replace(b'\\"steps\\": 1}', b'\\"steps\\": 2}').replace(
            b'\\"steps\\": 1,', b'\\"steps\\": 3,'
        ),
    )
    yield "longer", content + b"\0"


@pytest.mark.parametrize("kind", [kind for kind, _ in damaged(b"x" * 20)])
def test_a_damaged_file_is_refused_and_changes_nothing(tmp_path, kind):
    trainer = make_trainer()
    trainer.step()
    path = checkpoint.save(tmp_path, trainer, VOCABULARY)
    content = path.read_bytes()
    path.write_bytes(dict(damaged(content))[kind])
    assert path.read_bytes() != content
    trainer = make_trainer()
    before = state(trainer)
    with pytest.raises(ValueError, match=f"{path.name} is damaged, or no file that minigrad wrote"):
        checkpoint.resume(path, trainer, VOCABULARY)
    assert same(state(trainer), before)


def an_average(arrays):
    """The name of one of AdamW's arrays."""
    return min(name for name in arrays if name.startswith("optimizer."))


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, d: arrays.pop("model.output_ln.weight"),
        lambda arrays, d: arrays.update({"model.extra": np.zeros(3, np.float32)}),
        lambda arrays, d: arrays.pop(an_average(arrays)),
        lambda arrays, d: arrays.update({an_average(arrays): np.zeros((2, 2), np.float32)}),
        *(
            lambda arrays, d, v=v: d["optimizer"].update(lr=v)
            for v in ("much", None, True, -1.0, math.nan, math.inf, [0.1])
        ),
        *(
            lambda arrays, d, v=v: d["progress"].update(steps=v)
            for v in (-1, 10**9, None, True, 1.5, 1.0, "1", math.nan)
        ),
        *(
            lambda arrays, d, of=of, v=v: arrays[of(arrays)].reshape(-1).__setitem__(0, v)
            for of in (lambda arrays: "model.output_ln.weight", an_average)
            for v in (math.nan, math.inf)
        ),
        *(
            lambda arrays, d, dtype=dtype: arrays.update(
                {"model.output_ln.weight": np.ones(16, dtype)}
            )
            for dtype in (np.float64, np.int32, bool, np.complex64)
        ),
        lambda arrays, d: d.pop("progress"),
        lambda arrays, d: d.pop("optimizer"),
        lambda arrays, d: d.update(optimizer=[]),
    ],
)
def test_a_file_that_was_written_wrong_leaves_nothing_half_changed(tmp_path, change):
    trainer = make_trainer()
    trainer.step()
    path = checkpoint.save(tmp_path, trainer, VOCABULARY)
    arrays, description = checkpoint.read_arrays(path)
    arrays = {name: array.copy() for name, array in arrays.items()}
    change(arrays, description)
    checkpoint.write_arrays(path, arrays, description)
    fresh = make_trainer(seed=0)
    before = state(fresh)
    with pytest.raises(ValueError, match=path.name):
        checkpoint.resume(path, fresh, VOCABULARY)
    assert same(state(fresh), before)


def test_a_checkpoint_of_another_version_is_refused_in_words(tmp_path):
    path = checkpoint.save(tmp_path, make_trainer(), VOCABULARY)
    arrays, description = checkpoint.read_arrays(path)
    old = {**description, "format": "minigrad training run 2"}
    checkpoint.write_arrays(path, arrays, old)
    with pytest.raises(ValueError, match="was written by another version of minigrad"):
        checkpoint.resume(path, make_trainer(), VOCABULARY)
    assert checkpoint.load_model(path)[1].vocabulary == VOCABULARY  # models are described alike
    checkpoint.write_arrays(path, arrays, {**description, "format": "other"})
    for read in (checkpoint.load_model, lambda p: checkpoint.resume(p, make_trainer(), VOCABULARY)):
        with pytest.raises(ValueError, match="is no checkpoint of a training run"):
            read(path)


@pytest.mark.parametrize("loss", [-1.0, True, "1", math.nan, [1]])
def test_a_loss_that_is_none_is_not_the_best(tmp_path, loss):
    checkpoint.save(tmp_path, make_trainer(), VOCABULARY, loss)
    assert checkpoint.best(tmp_path) == (None, math.inf)


def test_settings_of_numpy_are_saved(tmp_path):
    trainer = make_trainer(embedding_dim=np.int64(16), dropout=np.float32(0.1))
    path = checkpoint.save(tmp_path, trainer, VOCABULARY)
    checkpoint.resume(path, trainer, VOCABULARY)
    assert checkpoint.load_model(path)[0].config.embedding_dim == 16


def test_a_model_larger_than_its_file_is_not_built(tmp_path):
    path = checkpoint.save(tmp_path, make_trainer(), VOCABULARY)
    arrays, description = checkpoint.read_arrays(path)
    for name in ("context_size", "embedding_dim", "num_blocks", "vocab_size"):
        huge = {**description["model"], name: 10**12}
        checkpoint.write_arrays(path, arrays, {**description, "model": huge})
        with pytest.raises(ValueError, match="does not describe a model"):
            checkpoint.load_model(path)


# --- Signals ---


@posix
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_the_step_that_it_met(text, tmp_path, number, code, monkeypatch, capsys):
    class Interrupted(Trainer):
        def step(self):
            if self.steps == 4:  # in the middle of the fifth step
                os.kill(os.getpid(), number)
            return super().step()

    monkeypatch.setattr(cli, "Trainer", Interrupted)
    folder = tmp_path / "run"
    handler = signal.getsignal(number)
    assert code == cli.main(
        [*TINY, "--text", str(text), "--num-steps", "100", "--checkpoint-dir", str(folder)]
    )
    errors = capsys.readouterr().err
    assert "stopped after step 5" in errors and "--resume continues the run" in errors
    assert newest_step(folder) == 5
    assert signal.getsignal(number) is handler


def test_an_interrupt_outside_the_training_is_one_line(monkeypatch, capsys):
    def interrupt(options, ranks):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupt)
    assert cli.main([]) == 130
    assert capsys.readouterr().err.strip() == "gpt2_shakespeare: interrupted"


def interrupt_after(lines):
    """A trace function that raises KeyboardInterrupt at the `lines`-th line of minigrad's code."""
    count = itertools.count()

    def trace(frame, event, argument):
        if "minigrad" not in frame.f_code.co_filename:
            return None
        if event == "line" and next(count) == lines:
            raise KeyboardInterrupt
        return trace

    return trace


LINES = [0, 3, 30, 200, 500, 700, 800, 900, 1000, 1100, 1200, 1400]


@pytest.mark.parametrize(
    "workers, lines", [*((1, n) for n in LINES), *((2, n) for n in (5, 40, 60, 80, 100, 150))]
)
def test_an_interrupt_inside_a_step_leaves_a_usable_model(workers, lines):
    trainer = make_trainer(num_steps=2000, workers=workers)
    for _ in range(5):
        trainer.step()
    before = evaluate(trainer.model, trainer.dataset, 3)
    sys.settrace(interrupt_after(lines))
    try:
        trainer.step()
    except KeyboardInterrupt:
        interrupted = True
    else:
        interrupted = False
    finally:
        sys.settrace(None)
    assert interrupted or lines > 1000, "the step has fewer lines than this"
    assert trainer.steps == (5 if interrupted else 6)
    assert all(np.isfinite(p.data).all() for p in trainer.model.parameters())
    assert abs(evaluate(trainer.model, trainer.dataset, 3) - before) < 0.1
    assert mg.ones(1, requires_grad=True).exp().requires_grad  # recording is on again
    for _ in range(20):
        assert math.isfinite(trainer.step())


def test_an_interrupted_evaluation_leaves_the_model_in_training(monkeypatch):
    trainer = make_trainer()
    trainer.model.train()
    monkeypatch.setattr(
        trainer.dataset, "sample", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
    )
    with pytest.raises(KeyboardInterrupt):
        evaluate(trainer.model, trainer.dataset)
    assert trainer.model.training


def test_evaluations_side_by_side_are_those_one_after_the_other():
    trainer = make_trainer(workers=2)
    other = TextDataset(trainer.dataset.tokens[::-1].copy(), 8)
    expected = [evaluate(trainer.model, data, 5, 4) for data in (trainer.dataset, other)]
    for _ in range(20):
        trainer.model.train()
        found = cli.evaluate_each(trainer, [trainer.dataset, other], 5, 4)
        assert found == pytest.approx(expected, abs=1e-5)


# --- Two runs in one folder ---

LONG = [*TINY, "--num-steps", "100000", "--report-every", "100000", "--save-every", "1"]


def start(text, folder, *more):
    return subprocess.Popen(
        [*COMMAND, *LONG, "--text", str(text), "--checkpoint-dir", str(folder), *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def wait_for_steps(process, folder, steps):
    deadline = time.monotonic() + 60
    while newest_step(folder) < steps and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    assert newest_step(folder) >= steps


def test_a_second_run_in_a_folder_is_refused_and_a_killed_one_blocks_nobody(text, tmp_path):
    folder = tmp_path / "run"
    first = start(text, folder)
    try:
        wait_for_steps(first, folder, 1)
        for more in ([], ["--resume"]):
            second = start(text, folder, *more)
            _, errors = second.communicate(timeout=60)
            assert second.returncode == 2 and errors.count("\n") == 1
            assert "another run is training there" in errors
        wait_for_steps(first, folder, newest_step(folder) + 2)  # it goes on undisturbed
    finally:
        first.kill()
        first.communicate()
    third = start(text, folder, "--resume")
    try:
        wait_for_steps(third, folder, newest_step(folder) + 2)
    finally:
        third.terminate()
        _, errors = third.communicate(timeout=60)
    if os.name != "nt":
        assert third.returncode == 143 and "--resume continues the run" in errors
        assert not (folder / "run.lock").exists()


def test_of_two_runs_started_at_once_one_trains_and_loses_nothing(text, tmp_path):
    for trial in range(3):
        folder = tmp_path / f"run{trial}"
        both = [start(text, folder, "--num-steps", "60") for _ in range(2)]
        errors = [process.communicate(timeout=120)[1] for process in both]
        assert sorted(process.returncode for process in both) == [0, 2], errors
        assert [path.stem for path in checkpoint.checkpoints(folder)][-3:] == [
            "step_00000058",
            "step_00000059",
            "step_00000060",
        ]


@posix
def test_a_lock_that_was_removed_is_taken_anew(tmp_path):
    from minigrad.apps.lock import NAME, only_run_in

    with only_run_in(tmp_path):
        with pytest.raises(BlockingIOError), only_run_in(tmp_path):
            pass
        (tmp_path / NAME).unlink()
    with only_run_in(tmp_path):
        assert (tmp_path / NAME).exists()
    assert list(tmp_path.iterdir()) == []


# --- Outputs that are closed ---

SHORT = [*TINY, "--num-steps", "12", "--report-every", "2", "--save-every", "5"]


def shell(text, folder, streams):
    """Run the command with redirections of the shell; returns the completed process."""
    command = [*COMMAND, *SHORT, "--final-sample-length", "5", "--text", str(text)]
    line = f"{shlex.join([*command, '--checkpoint-dir', str(folder)])} {streams}"
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, encoding="utf-8", timeout=120
    )


@posix
@pytest.mark.parametrize(
    ("streams", "code", "words"),
    [
        ("| head -1", 0, "nobody reads the output any more; the run goes on"),
        ("| true", 0, "nobody reads the output any more; the run goes on"),
        ("2>&1 | true", 0, ""),
        ("3>&1 1>&2 2>&3 3>&- | true", 0, ""),
        (">&-", 0, ""),
        ("2>&-", 0, ""),
        (">&- 2>&-", 0, ""),
        ("<&-", 0, ""),
        ("<&- >&- 2>&-", 0, ""),
        ("> /dev/full", 1, "the output cannot be written (No space left on device)"),
        ("2> /dev/full", 0, ""),
    ],
)
def test_a_run_goes_on_when_its_outputs_are_closed(text, tmp_path, streams, code, words):
    folder = tmp_path / "run"
    done = shell(text, folder, streams)
    assert done.returncode == code, done.stderr
    assert words in done.stderr and done.stderr.count("gpt2_shakespeare:") == bool(words)
    assert not re.search("Traceback|Error|Exception ignored", done.stderr)
    assert newest_step(folder) == 12  # no step is lost


@posix
def test_help_and_errors_can_be_cut_short(text, tmp_path):
    for arguments, code in (["--help"], 0), (["--lr", "-1"], 2):
        for streams in ("| true", ">&-", "2>&-", "2>&1 | true"):
            line = f"{shlex.join([*COMMAND, *arguments])} {streams}"
            command = ["bash", "-o", "pipefail", "-c", line]
            done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
            assert done.returncode == code
            assert not re.search("Traceback|Exception ignored", done.stderr)


# --- Disks ---

LIMITED = """
import resource, sys
from minigrad.apps import cli, checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.exit(cli.main(sys.argv[2:]))
"""


def run_limited(limit, *arguments):
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(limit), *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


@posix
def test_a_full_disk_is_reported_and_the_checkpoint_before_it_is_whole(text, tmp_path):
    folder = tmp_path / "run"
    arguments = [*TINY, "--text", text, "--save-every", 2, "--checkpoint-dir", folder]
    assert run_limited(10**9, *arguments, "--num-steps", 4).returncode == 0
    before = {path: path.read_bytes() for path in folder.iterdir()}
    # The schedule is another one, so this is a run of its own, in a folder of its own …
    full = tmp_path / "full"
    done = run_limited(20_000, *arguments[:-1], full, "--num-steps", 4)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "step 2: the checkpoint could not be written (File too large)" in done.stderr
    assert "step 4: training loss" in done.stdout  # it went on
    assert list(full.iterdir()) == []
    # … and this one goes on in the first folder, and finds its disk full.
    checkpoint.checkpoints(folder)[-1].unlink()
    done = run_limited(20_000, *arguments, "--num-steps", 4, "--resume")
    assert done.returncode == 1 and "resumed from" in done.stdout
    left = {path: path.read_bytes() for path in folder.iterdir()}
    assert len(left) == 1 and left.items() <= before.items()


@posix
def test_a_full_disk_after_ctrl_c_ends_cleanly(text, tmp_path, monkeypatch, capsys):
    class Interrupted(Trainer):
        def step(self):
            if self.steps == 2:
                os.kill(os.getpid(), signal.SIGINT)
            return super().step()

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cli, "Trainer", Interrupted)
    monkeypatch.setattr(os, "fsync", full)
    code = cli.main([*TINY, "--text", str(text), "--checkpoint-dir", str(tmp_path / "run")])
    errors = capsys.readouterr().err
    assert code == 130 and "could not be written (No space left on device)" in errors
    assert "--resume" not in errors and list((tmp_path / "run").iterdir()) == []


@pytest.fixture
def read_only(tmp_path, monkeypatch, text):
    """Makes the folder that it is called with read-only, also for a superuser."""
    monkeypatch.chdir(tmp_path)

    def close(folder):
        folder.chmod(0o555)
        if os.geteuid() == 0:
            tmp_path.chmod(0o777)
            os.seteuid(65534)

    yield close
    if os.getuid() == 0:
        os.seteuid(0)
    for folder in tmp_path.iterdir():
        if folder.is_dir():
            folder.chmod(0o755)


@posix
def test_a_read_only_folder_is_refused_before_the_run(tmp_path, read_only, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    read_only(folder)
    assert cli.main([*TINY, "--text", "text.txt", "--checkpoint-dir", "run"]) == 2
    errors = capsys.readouterr().err
    assert "--checkpoint-dir run cannot be used: Permission denied" in errors
    assert errors.count("\n") == 1


@posix
def test_a_folder_that_becomes_read_only_does_not_stop_the_run(
    tmp_path, read_only, monkeypatch, capsys
):
    folder = tmp_path / "run"

    class Closing(Trainer):
        def step(self):
            if self.steps == 2:
                read_only(folder)
            return super().step()

    monkeypatch.setattr(cli, "Trainer", Closing)
    code = cli.main(
        [
            *TINY,
            "--text",
            "text.txt",
            "--checkpoint-dir",
            "run",
            "--num-steps",
            "4",
            "--save-every",
            "2",
        ]
    )
    printed = capsys.readouterr()
    assert code == 1 and "step 4: training loss" in printed.out
    assert "step 4: the checkpoint could not be written (Permission denied)" in printed.err
    checkpoint.resume("run/step_00000002.safetensors", *resumable(4))


def resumable(num_steps):
    """A trainer that goes on where the command line stopped, and its vocabulary."""
    options = parser().parse_args([*TINY, "--text", "text.txt", "--num-steps", str(num_steps)])
    _, tokenizer, training, _ = cli._read_text(options)
    return cli._trainer(options, tokenizer, training, cli.Alone()), tokenizer.vocabulary


# --- Losses and gradients that are not finite ---


@pytest.mark.parametrize(
    "where, message",
    [
        ("weight", r"step 3: .*\(linear returned (nan|inf) although everything it took is finite"),
        ("parameter", r"step 3: .*\(the parameters were not finite before this step\)"),
        ("gradient", r"step 3: .*\(backward: rule \d of \w+ returned nan or inf"),
    ],
)
def test_a_run_that_diverges_names_step_and_operation_and_keeps_the_last_checkpoint(
    text, tmp_path, monkeypatch, capsys, where, message
):
    def spoil(model):
        if where == "weight":  # finite, but not its products
            model.output_projection.weight.data[...] = 3e38
        elif where == "parameter":
            model.output_ln.weight.data[0] = np.nan
        else:  # the value is 0, its slope at 0 infinite
            forward = model.forward
            monkeypatch.setattr(
                type(model),
                "forward",
                lambda self, tokens: forward(tokens) + mg.sqrt((0 * self.output_ln.weight).sum()),
            )

    class Diverging(Trainer):
        def step(self):
            if self.steps == 2:
                spoil(self.model)
            return super().step()

    monkeypatch.setattr(cli, "Trainer", Diverging)
    folder = tmp_path / "run"
    code = cli.main(
        [
            *TINY,
            "--text",
            str(text),
            "--num-steps",
            "10",
            "--save-every",
            "1",
            "--checkpoint-dir",
            str(folder),
        ]
    )
    assert code == 1
    assert re.search(message, capsys.readouterr().err)
    assert newest_step(folder) == 2
    arrays, _ = checkpoint.read_arrays(checkpoint.checkpoints(folder)[-1])
    assert all(np.isfinite(x).all() for x in arrays.values())
