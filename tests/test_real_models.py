"""The benchmark of the real models runs, and its ways agree, where PyTorch is installed."""

import json

import numpy as np
import pytest
from tiny_llama import tiny

from benchmarks import real_models, store
from minigrad.real_gpt2 import read_array, read_header


@pytest.fixture(scope="module")
def folder(torch, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for model in real_models.TASKS:
        real_models.prepare(model, folder, small=True)
    return folder


TASKS = [(model, task) for model, tasks in real_models.TASKS.items() for task in tasks]


@pytest.mark.parametrize(("model", "task"), TASKS, ids=lambda name: name)
def test_all_ways_agree(torch, folder, model, task):
    results = {}
    for way in real_models.ways(task, model):
        do = real_models.work(way, model, task, folder, real_models.TINY)
        results[way] = [do(), do()]
    expected = results["minigrad"]
    assert "PyTorch" in results
    for way, found in results.items():
        if task != "load":
            assert real_models.agree(task, found, expected), way


def test_a_server_says_how_long_and_how_much(torch, folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", iter(["turn\n", "turn\n"]))
    real_models.serve("minigrad", "smollm2", "write", str(folder), "small")
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == 2 and all(answer["seconds"] > 0 for answer in answers)
    assert answers[0]["memory"] is None or answers[0]["memory"] > 10
    assert len(answers[0]["result"][0]) == real_models.TINY["write"]


def test_the_hub_s_layout_holds_the_same_numbers(tmp_path):
    model, _ = tiny()
    real_models.save_for_the_hub(tmp_path / "hub", model)
    stored = read_header(tmp_path / "hub" / "model.safetensors")
    arrays = {n: read_array(tmp_path / "hub" / "model.safetensors", s) for n, s in stored.items()}
    assert sum(a.size for a in arrays.values()) == model.num_parameters()
    q = model.blocks[1].attn.in_proj.weight.data[:8]  # the first head: pairs become halves
    theirs = arrays["model.layers.1.self_attn.q_proj.weight"][:8]
    assert np.array_equal(theirs, q[[0, 2, 4, 6, 1, 3, 5, 7]])


def test_rows_for_the_page(tmp_path, monkeypatch):
    def found(seconds, ratio, memory):
        return {"seconds": [seconds] * 3, "ratio": [ratio] * 3, "memory": memory, "agrees": True}

    rows = {"minigrad": found(2.0, 1.0, 600.0), "PyTorch": found(4.0, 2.0, 900.0)}
    promised = [*real_models.promises({"smollm2": {"write": rows, "read": rows}})]
    values = {row["name"]: (row["value"], row["unit"]) for row in promised}
    assert values["SmolLM2-135M, greedy, one text"] == ("32", "tokens a second")
    name = "SmolLM2-135M, to the first token after a prompt of 512: time of PyTorch, ours = 1"
    assert values[name] == ("2.00", "times")
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    store.write("real_models", {"smollm2": {"write": rows}}, promised)
    assert store.read("real_models")["smollm2"]["write"]["minigrad"]["memory"] == 600
