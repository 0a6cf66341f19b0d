"""A second wall inside a cage, on Linux: a filter of system calls (seccomp).

Bubblewrap keeps a student's code away from everybody else. This keeps one check of a student away
from the next: no other process, no signal to the server, no memory or limit that outlives a check.
"""

import ctypes
import os
import platform
import struct
import sys

# --- The filter of system calls ---

# Their numbers on (x86_64, aarch64); None where the call does not exist. Refused, with EPERM:
REFUSED = {
    # other processes and programs
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    # connections, and memory that outlives the process or counts against no limit
    "socket": (41, 198), "io_uring_setup": (425, 425), "shmget": (29, 194), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "memfd_create": (319, 279), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "pidfd_getfd": (438, 438),
    # what would change the limits or the view of the file system
    "setrlimit": (160, 164), "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "open_by_handle_at": (304, 265),
    # the server's pace, which the next checks would have
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    # the owner, the rights and the times of files
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "fchown": (93, 55), "lchown": (94, None), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
}  # fmt: skip
CLONE3, CLONE, KILL, TGKILL, PRLIMIT = (435, 435), (56, 220), (62, 129), (234, 131), (302, 261)
FCNTL, IOCTL = (72, 25), (16, 29)
OWNERS = (8, 10, 15)  # F_SETOWN, F_SETSIG, F_SETOWN_EX: a signal to somebody else, by way of a file
OWNERS_BY_IOCTL = (0x8901, 0x8902)  # FIOSETOWN, SIOCSPGRP
NEWER = 463  # calls from here on are younger than this list, on both machines
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # the column, and seccomp's name
THREAD = 0x00010000  # CLONE_THREAD: a thread of this process, which its limits bind

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # instructions of BPF
ALLOW, KILLED, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026
TAIL = [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, EPERM)]


def filter_program(machine, pid):
    """The filter as instructions (code, jump if true, jump if false, number)."""
    column, name = MACHINES[machine]
    program = [(LOAD, 0, 0, 4), (EQUAL, 1, 0, name), (RETURN, 0, 0, KILLED), (LOAD, 0, 0, 0)]
    if machine == "x86_64":  # the same calls have second numbers there, for 32-bit pointers
        program += [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, EPERM)]
    for numbers in REFUSED.values():
        if numbers[column] is not None:
            program += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, EPERM)]
    # Its flags lie in memory, where a filter cannot look; libraries then take `clone`.
    program += [(EQUAL, 0, 1, CLONE3[column]), (RETURN, 0, 0, ENOSYS)]
    program += [(AT_LEAST, 0, 1, NEWER), (RETURN, 0, 0, ENOSYS)]

    def only_if(call, *conditions):
        """Allow a call where words of its arguments (of four bytes each) pass the tests."""
        tests = []
        for left, (test, word, value) in zip(
            range(len(conditions) - 1, -1, -1), conditions, strict=True
        ):
            tests += [(LOAD, 0, 0, 16 + 4 * word), (test, 0, 2 * left + 1, value)]
        body = [*tests, *TAIL]
        return [(EQUAL, 0, len(body), call[column]), *body]

    def only_without(call, values):
        """Allow a call where its second argument is none of the values."""
        tests = [(LOAD, 0, 0, 24)]
        for left, value in zip(range(len(values) - 1, -1, -1), values, strict=True):
            tests.append((EQUAL, left + 1, 0, value))
        return [(EQUAL, 0, len(tests) + 2, call[column]), *tests, *TAIL]

    program += only_without(FCNTL, OWNERS)
    program += only_without(IOCTL, OWNERS_BY_IOCTL)
    program += only_if(CLONE, (ANY_BIT, 0, THREAD))
    program += only_if(KILL, (EQUAL, 0, pid))
    program += only_if(TGKILL, (EQUAL, 0, pid))
    program += only_if(PRLIMIT, (EQUAL, 4, 0), (EQUAL, 5, 0))  # no new limit is given
    return [*program, (RETURN, 0, 0, ALLOW)]


def refuse_calls():
    """Put the filter in force, for this process and for good. Returns whether it is."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS, which the filter needs
        return False
    if platform.machine() not in MACHINES or sys.byteorder != "little" or sys.maxsize < 2**32:
        return False
    program = filter_program(platform.machine(), os.getpid())
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in program))
    whole = ctypes.create_string_buffer(struct.pack("@HP", len(program), ctypes.addressof(code)))
    return libc.prctl(22, 2, ctypes.addressof(whole), 0, 0) == 0  # PR_SET_SECCOMP
