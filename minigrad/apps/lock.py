"""One run at a time: of the trainings in a folder, or of whatever writes one file."""

import os
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None
    import msvcrt

NAME = "run.lock"


def only_run_in(folder):
    """Inside this context, this run is the only one in the folder; else BlockingIOError is raised."""
    return only_holder_of(Path(folder) / NAME)


@contextmanager
def only_holder_of(path):
    """Inside this context, this process alone holds the file at `path`; else BlockingIOError is raised.

    The file is made for it, and removed at the end. The system itself holds the lock on an open
    file, so the lock ends with its process, also if that is killed: such a run leaves an empty
    file, which blocks nobody. On file systems without locks nothing is guarded.
    """
    path = Path(path)
    file = _locked(path)
    try:
        yield
    finally:
        if fcntl is None:
            file.close()  # Windows removes no open file
        try:
            path.unlink(missing_ok=True)  # elsewhere while it is locked, so it is still ours
        except OSError:  # the folder has become read-only, or the next run has opened the file
            pass
        file.close()


def _locked(path):
    """The open, locked file. Raises BlockingIOError where another process has locked it."""
    while True:
        file = open(path, "ab")
        try:
            _lock(file)
            # A run that ended just now may have removed the file between our two steps.
            if fcntl is None or os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                return file
        except FileNotFoundError:
            pass
        except BaseException:
            file.close()
            raise
        file.close()


def _lock(file):
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except BlockingIOError:
        raise
    except PermissionError:  # what Windows says of a locked file
        raise BlockingIOError(f"{file.name} is locked") from None
    except OSError:  # a file system without locks
        pass
