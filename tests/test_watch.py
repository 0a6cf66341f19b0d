"""Watching a training: reports, interruptions, the picture that stays."""

import signal

import pytest

from course.draw import watch as module
from course.draw.watch import watch


def falling():
    """A step function whose losses are 10, 9.9, 9.8, …"""
    losses = iter(10 - 0.1 * n for n in range(1000))
    return lambda: next(losses)


def test_every_step_and_every_report_is_kept(capsys):
    record = watch(falling(), 25, every=10, validate=lambda: 7.5, sample=lambda: "\nO, what\nlight")
    assert len(record.losses) == 25 and record.losses[0] == 10
    assert record.validation == [(1, 7.5), (10, 7.5), (20, 7.5), (25, 7.5)]
    assert [step for step, _ in record.samples] == [1, 10, 20, 25]
    assert not record.interrupted
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "step     1   loss 10.000   validation loss 7.500"
    assert lines[1:3] == ["    O, what", "    light"]


def test_without_lines_everything_is_kept_and_nothing_is_printed(capsys):
    record = watch(falling(), 3, validate=lambda: 7.5, sample=lambda: "O", lines=False)
    assert record.validation == [(1, 7.5), (3, 7.5)] and record.samples == [(1, "O"), (3, "O")]
    assert capsys.readouterr().out == ""


def test_an_interruption_lets_the_step_finish_and_keeps_the_record(capsys):
    before = signal.getsignal(signal.SIGINT)
    finished = []

    def step():
        if len(finished) == 4:
            signal.raise_signal(signal.SIGINT)
        finished.append(True)
        return 1.0

    record = watch(step, 100, every=50, validate=lambda: 2.0)
    assert record.interrupted and len(record.losses) == len(finished) == 5
    assert record.validation[-1] == (5, 2.0)
    assert "as step 5 left it" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interruption_is_obeyed_at_once():
    def step():
        for _ in range(2):  # Python looks for signals at the end of each round
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        watch(step, 3)


def test_an_error_in_a_step_is_the_reader_s_to_see():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        watch(lambda: 1 / 0, 3)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("num_steps", "every"), [(0, 1), (1, 0)])
def test_numbers_that_make_no_sense_are_refused(num_steps, every):
    with pytest.raises(ValueError, match="at least 1"):
        watch(falling(), num_steps, every=every)


def test_smoothing_keeps_the_mean_and_stays_short():
    steps, means = module._smooth([float(n) for n in range(1, 1001)])
    assert len(steps) == 200
    assert steps[0] == means[0] == 3.0 and steps[-1] == means[-1] == 998.0


def test_the_bar_is_gone_from_the_picture_that_stays():
    record = watch(falling(), 5, validate=lambda: 3.0)
    assert len(module._figure(record, 5, "about 2 s left").axes) == 2
    assert len(module._figure(record, 5).axes) == 1


def test_the_lines_have_as_many_decimals_as_asked_for(capsys):
    watch(falling(), 1, validate=lambda: 7.25, digits=1)
    assert capsys.readouterr().out == "step     1   loss 10.0   validation loss 7.2\n"


def test_reference_lines_and_a_logarithmic_axis():
    record = watch(falling(), 5)
    options = {"ylabel": "bits", "log": True, "horizontal": {"guessing": 20.0}}
    for left in (None, "about 2 s left"):
        axes = module._figure(record, 5, left, **options).axes[-1]
        assert axes.get_yscale() == "log" and axes.get_ylim()[1] > 20 > axes.get_ylim()[0]
        assert axes.get_ylabel() == "bits" and "guessing" in [t.get_text() for t in axes.texts]


def test_in_a_kernel_one_display_is_updated_and_ends_clean(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    import nbformat

    source = (
        "import time\nfrom course.draw.watch import watch\nlosses = iter(range(100, 0, -1))\n"
        "def step():\n    time.sleep(0.3)\n    return next(losses)\n"
        "record = watch(step, 8, every=4, caption='It falls.')\nprint(len(record.losses))"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    outputs = notebook.cells[0].outputs
    picture, caption = (output for output in outputs if output.output_type == "display_data")
    assert picture.data["text/plain"] == "It falls." and "image/png" in picture.data
    assert caption.data == {"text/markdown": "*It falls.*"}
    printed = "".join(o.text for o in outputs if o.output_type == "stream" and o.name == "stdout")
    assert printed.splitlines()[-1] == "8" and "step     8   loss 93.000" in printed
