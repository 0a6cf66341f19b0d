"""What the README promises: nothing is run from a file, fetched, or written where nobody asked.

And what is the same everywhere: text is UTF-8 by name, and the workflow is a workflow.
"""

import ast
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

import minigrad as mg
from minigrad.data import CharTokenizer, TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig

ROOT = Path(__file__).parent.parent
SOURCES = sorted(
    path
    for folder in ("minigrad", "course", "benchmarks", "maintain", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
each_source = pytest.mark.parametrize(
    "path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix()
)


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


# --- No code from files, no network ---

FORBIDDEN = {
    "pickle",
    "cPickle",
    "dill",
    "marshal",
    "shelve",
    "joblib",  # run what a file says
    "urllib",
    "http",
    "socket",
    "ftplib",
    "requests",
    "ssl",
    "smtplib",
    "webbrowser",  # network
}
# They speak with a process that they start on this machine: a check's child, a JupyterLab.
LOCAL = {"server.py", "runner.py", "browser.py"}
# They take a file's address apart, or write one; they fetch nothing.
PLAIN = {"urllib.parse.urlparse", "urllib.parse.quote", "urllib.request.url2pathname"}


def dangers(tree):
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names if a.name.partition(".")[0] in FORBIDDEN]
            found += [name for name in names if not name.startswith("urllib.")]  # see Attribute
        elif isinstance(node, ast.ImportFrom):
            found += [node.module] * ((node.module or "").partition(".")[0] in FORBIDDEN)
        elif isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if re.fullmatch(r"urllib\.\w+\.\w+", name) and name not in PLAIN:
                found.append(name)
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("eval", "exec", "compile", "__import__", "os.system"):
                found.append(name)
            found += [k.arg for k in node.keywords if k.arg in ("allow_pickle", "shell")]
            if name in ("np.load", "numpy.load", "torch.load", "yaml.load"):
                found.append(name)
    return found


@each_source
def test_nothing_is_unpickled_evaluated_or_fetched(path):
    found = dangers(tree_of(path))
    if path.parent.name == "tests":  # they talk to the JupyterLab that they start, on this machine
        found = [name for name in found if name in ("pickle", "allow_pickle")]
    if (
        path.relative_to(ROOT).parts[0] == "course"
    ):  # a notebook's own cells are run, as a notebook's are
        found = [name for name in found if name not in ("exec", "compile")]
    if path.name in LOCAL:
        found = [name for name in found if name not in ("socket", "urllib.request.urlopen")]
    assert not found


def test_the_check_of_dangers_sees_each():
    code = (
        "import pickle, urllib.request\nfrom urllib.request import urlopen\neval('1')\n"
        "np.load(f, allow_pickle=1)\nurllib.request.urlopen(a)"
    )
    assert sorted(dangers(ast.parse(code))) == [
        "allow_pickle",
        "eval",
        "np.load",
        "pickle",
        "urllib.request",
        "urllib.request.urlopen",
    ]


# --- UTF-8 by name, paths without slashes by hand ---


def opened_without_encoding(tree):
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if ast.unparse(node.func) in (
            "Image.open",
            "distribution.read_text",
            "os.open",
            "archive.open",
            "tarfile.open",
        ):
            continue  # a picture, a package's metadata, a descriptor, a tar: they take no encoding
        name = ast.unparse(node.func).rpartition(".")[2]
        arguments = {keyword.arg for keyword in node.keywords}
        mode = next((k.value for k in node.keywords if k.arg == "mode"), None)
        if name == "open" and mode is None:
            at = 1 if isinstance(node.func, ast.Name) else 0
            mode = node.args[at] if len(node.args) > at else None
        binary = isinstance(mode, ast.Constant) and "b" in str(mode.value)
        if name in ("read_text", "write_text", "open") and not binary:
            if "encoding" not in arguments and None not in arguments and name != "safe_open":
                found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@each_source
def test_text_is_opened_as_utf_8_by_name(path):
    assert not opened_without_encoding(tree_of(path))


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "notebooks").glob("0*.ipynb")), ids=lambda p: p.name
)
def test_notebooks_open_text_as_utf_8_by_name(notebook):
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and re.search(r"open\(|_text\(", source):
            lines = [
                line for line in source.split("\n") if not line.lstrip().startswith(("%", "!"))
            ]
            assert not opened_without_encoding(ast.parse("\n".join(lines)))


@pytest.mark.parametrize(
    "code, wrong",
    [
        ("open(p)", 1),
        ("open(p, 'w')", 1),
        ("p.open()", 1),
        ("p.read_text()", 1),
        ("p.write_text(x)", 1),
        ("open(p, 'rb')", 0),
        ("p.open('wb')", 0),
        ("open(p, mode='rb')", 0),
        ("open(p, encoding='utf-8')", 0),
        ("p.read_text(encoding='utf-8')", 0),
        ("Image.open(p)", 0),
        ("distribution.read_text('a')", 0),
    ],
)
def test_the_check_of_encodings_sees_each(code, wrong):
    assert len(opened_without_encoding(ast.parse(code))) == wrong


@each_source
def test_no_path_has_a_slash_by_hand(path):
    calls = [
        node
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "Path", "os.path.join")
    ]
    assert not [
        ast.unparse(node)
        for node in calls
        for argument in node.args[:1]
        if isinstance(argument, ast.Constant) and re.match(r"[^/]+[/\\]\w", str(argument.value))
    ]


# --- Files from strangers ---


def make_trainer():
    mg.manual_seed(0)
    tokenizer = CharTokenizer("hello world")
    config = GPT2Config(4, 1, 1, 4, vocab_size=tokenizer.vocab_size)
    data = TextDataset(tokenizer.encode("hello world" * 3), 4)
    return Trainer(GPT2(config), data, TrainingConfig(num_steps=5, batch_size=1)), tokenizer


def state(trainer):
    model, optimizer = trainer.model.state_dict(), trainer.optimizer.state_dict()
    return repr(
        [(n, np.asarray(x).tolist()) for n, x in {**model, **optimizer}.items()] + [trainer.steps]
    )


def damage(content, generator):
    """The bytes with one damage of a random kind."""
    at = int(generator.integers(len(content)))
    if generator.random() < 0.5:  # in the header, which is read first
        at = int(generator.integers(min(len(content), 2500)))
    length = int(generator.integers(1, 40))
    noise, bit = generator.bytes(length), 1 << int(generator.integers(8))
    digits = [m.start() for m in re.finditer(rb"[0-9]", content[8:])] or [0]
    digit = 8 + digits[int(generator.integers(len(digits)))]
    return [
        lambda: content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :],
        lambda: content[:at],
        lambda: content[:at] + noise + content[at:],
        lambda: content[:at] + content[at + length :],
        lambda: content[:at] + noise + content[at + length :],
        lambda: content[:digit] + b"%d" % generator.integers(10) + content[digit + 1 :],
        lambda: content[at:] + content[:at],
        lambda: noise * int(generator.integers(50)),
    ][int(generator.integers(8))]()


def test_two_thousand_damaged_checkpoints_are_refused(tmp_path):
    pytest.importorskip("safetensors")
    from minigrad.apps import checkpoint

    trainer, tokenizer = make_trainer()
    trainer.step()
    path = checkpoint.save(tmp_path, trainer, tokenizer.vocabulary)
    content, before = path.read_bytes(), state(trainer)
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(2000):
        damaged = damage(content, generator)
        path.write_bytes(damaged)
        for load in (
            lambda: checkpoint.load_model(path),
            lambda: checkpoint.resume(path, trainer, tokenizer.vocabulary),
        ):
            try:
                load()
            except ValueError as error:
                assert path.name in str(error)
                refused += 1
        assert state(trainer) == before
    # What was not refused holds what was saved: a digit for the same digit, a space for a tab.
    assert refused > 3600
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


VALUES = [
    None,
    True,
    -1,
    0,
    1,
    2.5,
    10**6,
    10**12,
    "x",
    "",
    [],
    [1],
    {},
    {"a": 1},
    float("nan"),
    "\ud800",
]


def test_a_stranger_s_description_is_refused_or_harmless(tmp_path):
    """With a right checksum: what a file says of itself is checked before anything is built."""
    pytest.importorskip("safetensors")
    from minigrad.apps import checkpoint

    trainer, tokenizer = make_trainer()
    path = checkpoint.save(tmp_path, trainer, tokenizer.vocabulary)
    arrays, description = checkpoint.read_arrays(path)
    before = state(trainer)
    changed = []
    for name, value in description.items():
        changed += [{**description, name: v} for v in VALUES]
        if isinstance(value, dict):
            changed += [{**description, name: {**value, key: v}} for key in value for v in VALUES]
    for strange in [*changed, *VALUES]:
        checkpoint.write_arrays(path, arrays, strange)
        try:
            model, _ = checkpoint.load_model(path)
            assert model.num_parameters() == trainer.model.num_parameters()
        except ValueError as error:
            assert path.name in str(error)
        try:
            checkpoint.resume(path, trainer, tokenizer.vocabulary)
        except ValueError as error:
            assert path.name in str(error)
            assert state(trainer) == before
        else:  # only the progress may differ from this run's
            trainer, _ = make_trainer()
    assert len(changed) > 300


def test_damaged_tokenizer_files_are_refused_or_whole(tmp_path):
    path = tmp_path / "tokenizer.json"
    CharTokenizer("hello wörld 🙂").save(path)
    content = path.read_bytes()
    generator = np.random.default_rng(0)
    cases = [damage(content, generator) for _ in range(500)]
    cases += [json.dumps({"vocabulary": v}).encode() for v in VALUES]
    cases += [json.dumps(v).encode() for v in VALUES] + [b"[" * 100_000, b'{"vocabulary":' * 9999]
    for case in cases:
        path.write_bytes(case)
        try:
            tokenizer = CharTokenizer.load(path)
        except ValueError as error:
            assert path.name in str(error)
        else:
            tokens = np.arange(tokenizer.vocab_size)
            assert (tokenizer.encode(tokenizer.decode(tokens)) == tokens).all()


def test_a_run_writes_only_into_the_folder_that_was_named(tmp_path, monkeypatch, capsys):
    pytest.importorskip("tqdm")
    from minigrad.apps import cli

    for name in ("run", "here", "home", "temporary"):
        (tmp_path / name).mkdir()
    text = tmp_path / "text.txt"
    text.write_text("hello world\n" * 30, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    sizes = (
        "--context-size 8 --num-blocks 1 --num-heads 1 --embedding-dim 8 --batch-size 2 "
        "--num-steps 2"
    )
    arguments = [*sizes.split(), "--text", str(text), "--checkpoint-dir", os.path.join("..", "run")]
    assert cli.main(arguments) == 0
    files = [p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()]
    assert sorted(files) == ["run/step_00000002.safetensors", "text.txt"]


# --- The workflow ---


def test_the_workflow_is_well_formed():
    """The parts of GitHub's schema that a plain workflow uses."""
    path = ROOT / ".github" / "workflows" / "ci.yml"
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads `on` as true; GitHub does not
    assert workflow.keys() <= {
        "name",
        "on",
        "permissions",
        "jobs",
        "env",
        "concurrency",
        "defaults",
    }
    assert workflow["on"].keys() <= {"push", "pull_request", "workflow_dispatch", "schedule"}
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert (
            {"runs-on", "steps"}
            <= job.keys()
            <= {"name", "runs-on", "steps", "strategy", "timeout-minutes", "needs", "if", "env"}
        )
        matrix = job["strategy"]["matrix"]
        assert all(isinstance(value, str) for values in matrix.values() for value in values)
        assert {system.partition("-")[0] for system in matrix["os"]} == {
            "ubuntu",
            "macos",
            "windows",
        }
        used = set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", json.dumps(job)))
        assert used == matrix.keys()
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step)
            assert step.keys() <= {"name", "uses", "run", "with", "env", "if", "shell"}
            assert re.fullmatch(r"[\w-]+/[\w-]+@v\d+", step.get("uses", "a/b@v1"))
