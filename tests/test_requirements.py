"""Every extra can be installed from wheels, on each Python and each system that we name.

pip looks for another system's wheels, but reads markers (`; sys_platform == "win32"`) as if it
were on this one; so what it found is walked with the other system's markers, and what is
missing is looked for too.
"""

import json
import os
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course.environment import project, requirements

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.15")
EXTRAS = ("train", "course", "test", "browser")  # each holds those before it
# Wanted by few: machines, published weights, pages, and clusters that grade a large class.
OTHERS = ("distributed", "hub", "site", "dask", "kubernetes")


def linux(machine):
    names = [f"manylinux_2_{minor}_{machine}" for minor in range(39, 4, -1)]
    markers = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return [*names, f"manylinux2014_{machine}"], markers | {"platform_machine": machine}


# A system: what its wheels are called, best first, and its markers.
SYSTEMS = {
    "linux-x86_64": linux("x86_64"),
    "linux-aarch64": linux("aarch64"),
    "macos-arm64": (
        ["macosx_14_0_arm64"],
        {
            "sys_platform": "darwin",
            "platform_system": "Darwin",
            "os_name": "posix",
            "platform_machine": "arm64",
        },
    ),
    "windows-amd64": (
        ["win_amd64"],
        {
            "sys_platform": "win32",
            "platform_system": "Windows",
            "os_name": "nt",
            "platform_machine": "AMD64",
        },
    ),
}


@pytest.fixture(scope="session")
def pip(tmp_path_factory):
    """The newest pip: older ones take this Python's version for the other one's."""
    place = tmp_path_factory.mktemp("pip")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(place), "pip"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode and not os.environ.get("CI"):
        pytest.skip(f"no package index can be reached: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    return place / "pip"


def find_wheels(pip, lines, python, platforms, folder):
    """What pip would install: name -> (the extras asked for, its own requirements)."""
    command = [sys.executable, str(pip), "install", "--quiet", "--disable-pip-version-check"]
    command += ["--dry-run", "--ignore-installed", "--only-binary=:all:", "--report", "-"]
    command += ["--target", str(folder), "--python-version", python, "--implementation", "cp"]
    for platform in platforms:
        command += ["--platform", platform]
    done = subprocess.run(
        [*command, *lines], capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    if done.returncode:
        raise LookupError("; ".join(x for x in done.stderr.splitlines() if "ERROR" in x))
    found = {}
    for item in json.loads(done.stdout)["install"]:
        name = canonicalize_name(item["metadata"]["name"])
        needs = item["metadata"].get("requires_dist", [])
        found[name] = set(item.get("requested_extras", [])), list(map(Requirement, needs))
    return found


def missing(found, markers):
    """The requirements that count on that system and were not found, as lines."""
    lines = set()
    for extras, needs in found.values():
        for need in needs:
            wanted = need.marker is None or any(
                need.marker.evaluate(markers | {"extra": extra}) for extra in {"", *extras}
            )
            if wanted and canonicalize_name(need.name) not in found:
                lines.add(str(need).partition(";")[0].strip())
    return sorted(lines)


def resolve(pip, extra, python, system, folder):
    """Find wheels for an extra and everything below it. Raises LookupError, which names a package."""
    platforms, markers = SYSTEMS[system]
    markers = markers | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
    }
    lines = [f"{name}>={minimum}" for name, minimum in requirements(extra).items()]
    while True:
        found = find_wheels(pip, lines, python, platforms, folder)
        more = missing(found, markers)
        if not more:
            return found
        lines += more


def test_the_extras_hold_one_another():
    assert {*EXTRAS, *OTHERS} == set(project()["optional-dependencies"])
    held = [set(requirements(extra)) for extra in EXTRAS]
    assert all(small < large for small, large in zip(held, held[1:]))


def test_what_another_system_needs_is_seen():
    needs = ['colorama; sys_platform == "win32"', "a[b]>=1", 'c; extra == "d"', 'e; extra == "f"']
    found = {"x": ({"d"}, list(map(Requirement, needs))), "e": (set(), [])}
    windows = SYSTEMS["windows-amd64"][1]
    assert missing(found, windows) == ["a[b]>=1", "c", "colorama"]
    assert missing(found, SYSTEMS["linux-x86_64"][1]) == ["a[b]>=1", "c"]


@pytest.mark.long
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_extra_resolves_to_wheels(pip, python, system, tmp_path):
    try:
        resolve(pip, EXTRAS[-1], python, system, tmp_path)
    except LookupError:
        failed = {}
        for extra in EXTRAS:
            try:
                resolve(pip, extra, python, system, tmp_path)
            except LookupError as reason:
                failed[extra] = str(reason)
        pytest.fail("\n".join(f"{extra}: {reason}" for extra, reason in failed.items()))
