"""The cage around what was handed in: what it holds, what it keeps out, and who may grade in it."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from course.checks.judging import judge
from course.grading import judging
from course.grading.assembly import before
from course.grading.engines import grade
from course.grading.submissions import Submission, read_all
from course.lessons.exercise import exercises
from course.lessons.notebooks import ROOT
from course.sandbox import cage, runner, seccomp
from tests.test_grade import (
    ATTACKS,
    LESSON,
    NORMALISED,
    NUMBERS,
    feedback,
    graded,
    hand_in,
    outcome,
    statuses,
)

needs_a_cage = pytest.mark.skipif(
    bool(cage.problem()), reason=f"no cage here: {cage.problem() or ''}"
)
PATIENT = runner.Limits(seconds=9.0)


def inside(code, *arguments):
    """What Python prints in a cage, with no guard, no limit and no filter: the cage alone."""
    command = cage.command([sys.executable, "-I", "-B", "-c", code, *arguments])
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- What is there ---


def test_a_folder_of_the_cage_hides_nothing_of_this_machine(tmp_path):
    taken = tmp_path / "check"
    assert cage.new_name(str(taken)) == str(taken)
    taken.mkdir()
    (tmp_path / "check1").symlink_to("nowhere")
    assert cage.new_name(str(taken)) == f"{taken}2"
    assert not os.path.lexists(cage.HOME)


@needs_a_cage
def test_nothing_can_be_written_but_in_the_folder_in_memory():
    code = """
import json, os, sys
written = []
for folder, folders, files in os.walk("/"):
    if folder.count("/") < 5:
        try:
            os.mkfifo(os.path.join(folder, "here"))
            written.append(folder)
        except OSError:
            pass
try:
    while True:
        open(os.path.join(sys.argv[1], str(len(os.listdir(sys.argv[1])))), "wb").write(bytes(1 << 20))
except OSError:
    pass
size = sum(os.stat(os.path.join(sys.argv[1], name)).st_size for name in os.listdir(sys.argv[1]))
print(json.dumps([written, size]))
"""
    written, size = inside(code, cage.HOME)
    assert written == [cage.HOME] and size <= cage.SPACE


@needs_a_cage
def test_no_process_no_setting_and_no_device_of_the_machine_is_there():
    code = """
import json, os
print(json.dumps([os.path.exists("/proc"), os.path.exists("/sys"), sorted(os.listdir("/dev")),
    os.getppid(), os.getuid(), sorted(os.environ), os.path.exists("/home"), os.path.exists("/tmp")]))
"""
    proc, sys_, devices, parent, user, names, home, tmp = inside(code)
    assert (proc, sys_, parent, str(user)) == (False, False, 1, cage.NOBODY)
    assert devices == ["null", "urandom", "zero"]
    assert set(names) <= {*cage.environment(), "PWD", "LC_CTYPE"}


@needs_a_cage
def test_no_package_but_numpy_and_nothing_of_the_course_but_the_sandbox_is_there():
    code = """
import json, os, sys
course, *packages = sys.argv[1:]
found = [os.path.join(folder, name) for folder, _, names in os.walk(course) for name in names]
print(json.dumps([found, [name for folder in packages for name in os.listdir(folder)]]))
"""
    assert cage.packages()
    files, installed = inside(code, str(ROOT), *cage.packages())
    assert set(installed) <= {"numpy", "numpy.libs"}
    places = {Path(name).relative_to(ROOT).parent.as_posix() for name in files}
    places = {place for place in places if place.split("/")[0] != ".venv"}
    assert places - {"course/sandbox/__pycache__"} == {"course/sandbox"}


def test_a_python_that_is_installed_in_the_course_shows_no_more_of_it(monkeypatch, tmp_path):
    for name in ("bin", "lib/python3.11/site-packages/torch", "notebooks", "course"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    own = [path for path in cage.readable() if path.startswith(str(tmp_path))]
    assert own == [str(tmp_path / "bin"), str(tmp_path / "lib")]
    assert str(tmp_path / "lib/python3.11/site-packages") in cage.packages()


# --- Attacks that were found to work, and others of their kind ---


@needs_a_cage
@pytest.mark.parametrize(
    "attack",
    [
        # the mode of a device, which root's cage could change for the whole machine
        "os.chmod('/dev/null', 0o600)",
        "os.fchmod(os.open('/dev/null', os.O_RDONLY), 0o600)",
        "os.utime('/dev/null', (0, 0))",
        # a place that the next check would find
        "os.mkfifo('/here')",
        "os.mkfifo('/dev/here')",
        "os.mkfifo('/etc/here')",
        # a signal by way of a file, to the server of the same student
        "import fcntl\nfcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getppid())",
        "import fcntl\nfcntl.fcntl(os.pipe()[0], fcntl.F_SETSIG, 9)",
        "import fcntl, struct\nfcntl.fcntl(os.pipe()[0], 15, struct.pack('ii', 1, os.getppid()))",
        "import fcntl, struct\nfcntl.ioctl(os.pipe()[0], 0x8901, struct.pack('i', os.getppid()))",
    ],
)
def test_an_attack_is_refused_by_the_system(tmp_path, attack):
    mode = os.stat("/dev/null").st_mode
    body = (
        f"import os\ntry:\n    {attack.replace(chr(10), chr(10) + '    ')}\nexcept OSError as e:\n"
    )
    body += "    assert 'a check does not allow' not in str(e)\n"  # that is the guard, and no wall
    body += f"    {NORMALISED.strip().replace(chr(10), chr(10) + '    ')}\n"
    hand_in(tmp_path / "ann", {"03.1": body, **dict.fromkeys(NUMBERS[1:])})
    (marks,), _ = graded(tmp_path, PATIENT)
    assert os.stat("/dev/null").st_mode == mode
    assert marks["03.1"].status == "right" or "does not allow os.ch" in marks["03.1"].lines


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_refuses_owners_of_signals_and_calls_that_it_does_not_know(machine):
    column, name = seccomp.MACHINES[machine]
    program = seccomp.filter_program(machine, 77)
    for call, values in ((seccomp.FCNTL, seccomp.OWNERS), (seccomp.IOCTL, seccomp.OWNERS_BY_IOCTL)):
        for value in values:
            assert outcome(program, name, call[column], 3, value, 9) == seccomp.EPERM
        for value in (0, 1, 3, 4, 9, 11, 16, 0x5401):  # F_GETFL and their like, TCGETS
            assert outcome(program, name, call[column], 3, value, 9) == seccomp.ALLOW
    assert outcome(program, name, 462) == seccomp.ALLOW
    assert outcome(program, name, 463) == outcome(program, name, 469) == seccomp.ENOSYS
    if machine == "x86_64":
        assert outcome(program, name, 0x40000001) == seccomp.EPERM


def thief(name, call):
    """A body that looks for our source or our code of a function wherever a process can look."""
    return f"""
import gc, sys, types
space = dict(globals())
seen, waiting, found = set(), [], None
frame = sys._getframe()
while frame:
    waiting += [frame.f_locals, frame.f_globals]
    frame = frame.f_back
waiting += [sys.meta_path, sys.modules, sys.argv, sys.path_importer_cache, *gc.get_objects()]
for _ in range(200_000):
    if not waiting:
        break
    thing = waiting.pop()
    if id(thing) in seen:
        continue
    seen.add(id(thing))
    if isinstance(thing, (bytes, str)):
        text = thing.decode("utf-8", "replace") if isinstance(thing, bytes) else thing
        if "def {name}(" in text and "get" + "frame" not in text:
            found = text[text.index("def {name}("):].split("\\n\\n\\n")[0]
    elif isinstance(thing, types.CodeType):
        if thing.co_name == "{name}" and "waiting" not in thing.co_varnames:
            found = thing
        waiting += list(thing.co_consts)
    elif isinstance(thing, types.FunctionType):
        waiting += [thing.__code__, thing.__globals__]
    elif isinstance(thing, dict):
        waiting += list(thing.values())
    elif isinstance(thing, (list, tuple, set)):
        waiting += list(thing)
    elif hasattr(thing, "__dict__"):
        waiting.append(vars(thing))
if found is not None:
    if isinstance(found, str):
        exec(found, space)
    else:
        space["{name}"] = types.FunctionType(found, space, "{name}", (1e-5, None))
    return space["{name}"]({call})
"""


@needs_a_cage
def test_a_check_cannot_find_our_solution_of_a_later_exercise(tmp_path):
    """03.1 is wrong, so it is tried alone, within our notebook; 03.2 then looks for ours."""
    name = exercises()["03.2"].name
    steal = thief(name, "x, weight, bias, eps, normalized_shape")
    hand_in(tmp_path / "ann", {"03.1": "return x", "03.2": steal})
    hand_in(tmp_path / "ben", {"03.1": "return x", "03.2": steal, "03.3": "1 / 0"}, "1 / 0")
    marks, found = graded(tmp_path, runner.Limits(seconds=12.0))
    for own, submission in zip(marks, found, strict=True):
        assert own["03.2"].status == "wrong", own["03.2"].lines
        page = feedback(submission, list(own.values()))
        ours = [line.strip() for line in exercises()["03.2"].solution.splitlines()]
        assert not [line for line in ours if len(line) > 25 and line in page]


@needs_a_cage
def test_what_a_server_holds_is_of_lessons_before(tmp_path, monkeypatch):
    learned = []
    real = runner.Server.learn
    monkeypatch.setattr(
        runner.Server, "learn", lambda self, texts: learned.append(texts) or real(self, texts)
    )
    hand_in(tmp_path / "ann", {"03.1": "return x", "03.2": "return x", "03.3": "return x"})
    graded(tmp_path, PATIENT)
    solutions = [exercises()[number].solution.strip() for number in ("03.1", "03.2", "03.3")]
    texts = [text for group in learned for text in group.values()]
    assert texts and not [s for s in solutions if any(s in text for text in texts)]


def test_alone_an_answer_is_judged_with_no_solution_that_it_does_not_need(monkeypatch):
    """With every one of our answers; most checks come to no other exercise of their lesson."""
    given, real = {}, judging.alone

    def noted(exercise, cell, needed, theirs):
        given[exercise.number] = list(needed)
        texts = real(exercise, cell, needed, theirs)
        for number, other in exercises().items():
            if number[:2] == exercise.number[:2] and number not in (exercise.number, *needed):
                assert other.blank() in texts[other.cell.module]
        return texts

    monkeypatch.setattr(judging, "alone", noted)
    room, nothing = judging.Room(caged=False), Submission("ann", "ann")
    for exercise in exercises().values():
        cell = exercise.source("pass\n" + exercise.solution)  # not ours to the letter
        result, remarks = judging.by_itself(exercise, cell, nothing, room, PATIENT)
        assert result.wrong is None, (exercise.number, str(result))
        assert remarks == []
    assert given["03.1"] == [] and given["08.1"] == []
    assert sum(not needed for needed in given.values()) > len(given) / 2, given


def test_alone_an_answer_may_use_another_exercise(tmp_path):
    """Our check of 03.2 needs no 03.1, but this answer does, and 03.1 is blank."""
    body = "_softmax(np.zeros(2), -1)\n" + exercises()["03.2"].solution
    hand_in(tmp_path / "ann", {"03.1": exercises()["03.1"].blank(), "03.2": body})
    (marks,), _ = graded(tmp_path, PATIENT)
    assert marks["03.2"].status == "right", marks["03.2"].lines


@needs_a_cage
def test_a_module_that_ends_the_compiler_costs_its_author_alone(tmp_path, monkeypatch):
    """Also where it would bring the server down, which compiles a student's own modules."""
    real = runner.Server.learn

    def fragile(self, texts):
        if texts != before(LESSON):
            self.process.kill()
        real(self, texts)

    monkeypatch.setattr(runner.Server, "learn", fragile)
    hand_in(tmp_path / "ann", {"03.1": "return x"})
    (marks,), _ = graded(tmp_path, PATIENT)
    assert statuses(marks) == ["wrong", *["right"] * len(NUMBERS[1:])]


@needs_a_cage
def test_a_check_whose_server_always_dies_is_never_marked_wrong(tmp_path, monkeypatch):
    real = runner.Server.learn

    def dying():
        server = runner.Server(caged=True)
        real(server, {"a": ""})  # now it is there
        server.process.kill()
        server.process.wait()
        return server

    monkeypatch.setattr(judging.runner, "caged", dying)
    monkeypatch.setattr(runner.Server, "learn", lambda self, texts: None)
    hand_in(tmp_path / "ann")
    marks = grade(read_all(tmp_path), [LESSON], 1, PATIENT)[0]
    assert {(mark.status, mark.failed) for mark in marks} == {("unreadable", True)}, marks
    assert "the process that runs the checks was ended" in marks[0].diagnosis


# A way from student code to the channel of its process.
TO_THE_PARENT = (
    "import sys\nsend = sys._getframe()\nwhile 'channel' not in send.f_locals:\n"
    "    send = send.f_back\nsend = send.f_locals['channel'].send\n"
)


@needs_a_cage
def test_a_flood_of_messages_is_not_listened_to(tmp_path):
    flood = TO_THE_PARENT + "while True:\n    send({'printed': 'x' * 1_000_000})\n"
    hand_in(tmp_path / "ann", {"03.1": flood, **dict.fromkeys(NUMBERS[1:])})
    (marks,), _ = graded(tmp_path, PATIENT)
    assert marks["03.1"].status == "wrong" and len(marks["03.1"].lines) < 20_000


FORGED = [
    {},
    {"raised": None},
    {"raised": []},
    {"raised": {"type": 5, "words": None, "frames": 7, "exercise": [3], "missing": 1}},
    {
        "raised": {
            "type": "NotYet",
            "words": "x",
            "frames": [[1, 2]],
            "exercise": "03.9",
            "missing": "x",
        }
    },
    {"raised": {"type": "E", "words": "\ud800", "frames": [["functional", "_softmax", -5]] * 99}},
    {"raised": {"type": "E", "words": "x", "frames": [["functional", "_softmax", 10**30]]}},
    {"value": {"dict": {"array": 5}}},
    {"value": {"array": ["O", [1], b"12345678", False]}},
    {"value": {"array": ["<f4", [0, 10**18], b"", False]}},
    {"value": {"array": ["<f4", [9], b"12345678", False]}},
    {"value": {"array": ["<f4", [2], [0, 8], False]}},  # bytes that are not there
    {"value": {"array": ["<f4", [2], [-(10**30), 10**30], False]}},
    {"value": {"array": ["<f4", [2], "12345678", False]}},
    {"value": {"array": ["<f8", [], b"\0\0\0\0\0\0\xf0\x7f", True]}},
    {"value": [[[[float("nan")]]]]},
    {"value": "x" * 1_000_000},
    {"value": {"dict": {"a": {"dict": {}}}}},
    {"type": {"a": 1}},
    {"changed": "yes"},
    {"returned": 5},
    {"returned": [["functional", "_softmax", ["None"]]]},
    {"printed": {"a": 1}},
    {"printed": "x", "value": 1},
    {"value": {"array": []}},
    {"raised": {"type": "NameError", "words": "x", "frames": [], "exercise": "", "missing": 5}},
    {"ready": {"dict": {}}},
]


@pytest.mark.parametrize("reply", FORGED, ids=lambda reply: str(reply)[:40])
@pytest.mark.parametrize("number", ["01.1", "03.1", "05.2", "08.1"])
def test_no_reply_of_a_child_stops_the_judging(number, reply):
    """Whatever a process says that student code has taken over, there is a verdict in words."""
    body = f"{TO_THE_PARENT}send({reply!r})\nsend({reply!r})\nreturn None\n"
    body = body.replace("nan", "float('nan')")
    result = judge(number, exercises()[number].texts(body))
    assert result.wrong is not None
    status, diagnosis, lines = judging.told(result)
    assert status == "wrong" and diagnosis and len(lines) <= 10_000


# --- Who grades ---


@needs_a_cage
def test_an_ordinary_user_grades_as_root_does(tmp_path):
    """The same marks from both, attacks and threads included."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("setpriv", "unshare", "mount"))):
        pytest.skip("tried where root can become somebody else")
    thread = "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()\n"
    place = Path(tempfile.mkdtemp(prefix="ordinary-"))  # where an ordinary user may look
    try:
        place.chmod(0o755)
        hand_in(place / "class" / "good")
        hand_in(place / "class" / "threads", {"03.1": thread + NORMALISED})
        for number in (0, 1, 3):
            attack = "import os\n" + ATTACKS[number].replace("{parent}", "1")
            hand_in(place / "class" / f"evil-{number}", {"03.1": attack + "return x"})
        for name in ("python", "course", "packages", "out"):
            (place / name).mkdir()
        (place / "out").chmod(0o777)
        folders = {  # they may lie in a folder of root's own
            "python": sys.base_prefix,
            "course": str(ROOT),
            "packages": str(cage.NUMPY.parent),
        }
        mounts = "".join(
            f"mount --bind '{path}' '{place / name}' && " for name, path in folders.items()
        )
        python = place / "python" / "bin" / f"python3.{sys.version_info.minor}"
        user = "exec setpriv --reuid 12345 --regid 12345 --clear-groups"
        command = f"-B -m course grade {place}/class --lessons {LESSON} --out"
        environment = {**os.environ, "PYTHONPATH": str(place / "packages"), "HOME": f"{place}/out"}
        environment.pop("VIRTUAL_ENV", None)
        tables = []
        for who, out in ((user, place / "out" / "user.csv"), ("exec", place / "out" / "root.csv")):
            line = f"{mounts}cd {place}/course && {who} {python} {command} {out}"
            done = subprocess.run(
                ["unshare", "--mount", "sh", "-c", line],
                env=environment,
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
            assert done.returncode == 0 and "bubblewrap" in done.stdout, done.stderr
            with out.open(encoding="utf-8-sig", newline="") as file:
                tables.append([row[:5] for row in csv.reader(file)])
        assert tables[0] == tables[1]
        points = {name: 0 for name, *_ in tables[0][1:]}
        for name, _, point, *_ in tables[0][1:]:
            points[name] += int(point)
        assert points == {"evil-0": 4, "evil-1": 4, "evil-3": 4, "good": 5, "threads": 5}
    finally:
        shutil.rmtree(place)
