"""The matrix changes one thing at a time, and counts what came out of it."""

import yaml

from course.environment import ROOT, requirements
from maintain import matrix


def test_each_cell_changes_one_factor():
    assert all(len(changed) == 1 for name, changed in matrix.CELLS.items() if name != "base")
    cells = [{**matrix.BASE, **changed} for changed in matrix.CELLS.values()]
    path = ROOT / ".github" / "workflows" / "ci.yml"
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    pythons = set(workflow["jobs"]["test"]["strategy"]["matrix"]["python"])
    assert {cell["python"] for cell in cells} == pythons
    assert {cell["numpy"] for cell in cells} == {requirements()["numpy"], matrix.NEWEST}
    assert {cell["threads"] for cell in cells} == {1, 2}
    assert len({cell["kernel"] for cell in cells}) >= 4


def test_outcomes_are_counted(tmp_path):
    report = tmp_path / "report.xml"
    report.write_text(
        "<testsuites><testsuite><testcase classname='a' name='b'/><testcase classname='a' name='c'>"
        "<failure/></testcase><testcase classname='a' name='d'><skipped/></testcase>"
        "<testcase classname='a' name='e'><error/></testcase>"
        "<testcase classname='n.1.ipynb' name='Cell 0' time='1.5'/>"
        "<testcase classname='n.1.ipynb' name='Cell 1' time='2'/></testsuite></testsuites>",
        encoding="utf-8",
    )
    found = matrix.count(report)
    assert found == {
        "passed": 3,
        "failed": 2,
        "skipped": 1,
        "failures": ["a::c", "a::e"],
        "lessons": {"n.1.ipynb": 3.5},
    }


def test_the_page_shows_failures_and_kernels_that_were_not_met():
    met = {"python": "3.12.1", "numpy": "2.4.0", "threads": 1, "kernel": "Haswell"}
    cell = {"commit": "abc", "date": "2026-01-01", "selection": None, "met": met, "seconds": 60}
    cell |= {"wanted": {**matrix.BASE, "kernel": "Zen"}, "passed": 1, "skipped": 0}
    good = {**cell, "exit_code": 0, "failed": 0, "failures": []}
    bad = {**cell, "exit_code": 1, "failed": 1, "failures": ["tests.a::b"]}
    text = matrix.page({"zen": good, "other": bad})
    assert "Haswell (asked for Zen) | green" in text
    assert "1 failed" in text and "- tests.a::b" in text
