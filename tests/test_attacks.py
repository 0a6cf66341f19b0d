"""More members of each kind of attack: one class of them, and an honest student among them."""

import pytest

from course.sandbox import cage, runner
from tests.test_cage import TO_THE_PARENT
from tests.test_grade import NORMALISED, NUMBERS, graded, hand_in, statuses

pytestmark = pytest.mark.skipif(bool(cage.problem()), reason=f"no cage here: {cage.problem()}")
LIMITS = runner.Limits(seconds=9.0, cpu=2)
CALL = "import ctypes\nif ctypes.CDLL(None).syscall({}) < 0: raise OSError"

# What must be refused: signals by way of something else, priorities, other processes, kept memory.
REFUSED = {
    "a lease": "import fcntl\nfcntl.fcntl(open('a', 'w'), fcntl.F_SETSIG, 9)",
    "a notice of a folder": "import fcntl\nd = os.open('.', os.O_RDONLY)\n"
    "fcntl.fcntl(d, fcntl.F_SETOWN, os.getppid())",
    "SIOCSPGRP": "import fcntl, struct\n"
    "fcntl.ioctl(os.pipe()[0], 0x8902, struct.pack('i', os.getppid()))",
    "everybody's end": "os.kill(-1, 9)",
    "the group's end": "os.killpg(os.getpgid(os.getppid()), 9)",
    "the group's priority": "os.setpriority(os.PRIO_PGRP, 0, 19)",
    "the user's priority": "os.setpriority(os.PRIO_USER, 65534, 19)",
    "the first process's processors": "os.sched_setaffinity(1, [0])",
    "input and output": CALL.format("251, 1, os.getppid(), 3 << 13"),
    "sched_setattr": CALL.format("314, os.getppid(), b'0' + bytes(47), 0"),
    "the parent's limits": "import resource\n"
    "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "the kernel's favour": "open('/proc/1/oom_score_adj', 'w').write('1000')",
    "a queue": CALL.format("240, b'/x', 66, 0o600, 0"),
    "vfork": CALL.format("58"),
    "the parent's memory": CALL.format("448, os.getppid(), 0"),
    "the parent's pages": CALL.format("256, os.getppid(), 8, 0, 0"),
    "the parent's files": CALL.format("312, os.getpid(), os.getppid(), 0, 0, 0"),
}

FRAME = f"{TO_THE_PARENT}import struct\nwriter = send.__self__.writer\n"

# What costs its author alone.
COSTS = {
    "a frame too long": "writer.write(b'\\xff' * 8)\nwriter.flush()\n",
    "half a frame": "writer.write(struct.pack('<II', 99, 0) + b'{')\nwriter.flush()\nos._exit(0)\n",
    "deep JSON": "t = b'[' * 4_000_000 + b']' * 4_000_000\n"
    "writer.write(struct.pack('<II', len(t), 0) + t)\nwriter.flush()\n",
    "many arrays of the same bytes": 'one = b\'{"array":["<f8",[1],[0,8],false]}\'\n'
    "t = b'{\"value\":[' + b','.join([one] * 100_000) + b']}'\n"
    "writer.write(struct.pack('<II', len(t), 8) + t + bytes(8))\nwriter.flush()\n",
    "an empty array of a large shape": 't = b\'{"value":{"array":["<f8",[0,99999999999],[0,0],false]}}\'\n'
    "writer.write(struct.pack('<II', len(t), 0) + t)\nwriter.flush()\n",
    "closed files": "os.closerange(0, 1000)\n",
    "a fault of memory": "import ctypes\nctypes.string_at(0)\n",
    "many files": "for k in range(3000): open(str(k), 'w').close()\n1 / 0\n",
}


def indented(lines):
    return "".join(f"    {line}\n" for line in lines.splitlines())


def test_every_member_is_refused_by_a_wall(tmp_path):
    for name, attempt in REFUSED.items():
        body = f"import os\ntry:\n{indented(attempt)}except OSError:\n{indented(NORMALISED)}return None"
        hand_in(tmp_path / name, {"03.1": body, **dict.fromkeys(NUMBERS[1:])})
    marks, found = graded(tmp_path, LIMITS)
    passed = {
        s.student: own["03.1"].lines for s, own in zip(found, marks) if own["03.1"].points != 1
    }
    assert passed == {} and len(found) == len(REFUSED)


def test_every_member_costs_its_author_alone(tmp_path):
    for name, attack in COSTS.items():
        body = f"import os\n{FRAME}{attack}{NORMALISED}"
        hand_in(tmp_path / name, {"03.1": body, **dict.fromkeys(NUMBERS[2:])})
    hand_in(tmp_path / "honest")
    marks, found = graded(tmp_path, LIMITS)
    for submission, own in zip(found, marks, strict=True):
        expected = "right" if submission.student == "honest" else "wrong"
        assert statuses(own)[:2] == [expected, "right"], (submission.student, own["03.1"].lines)
