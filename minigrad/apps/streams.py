"""Output that may be closed while a training runs: the run goes on."""

import io
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout


class Lenient:
    """A text stream whose writes never fail; the first one that could not be written calls `lost`.

    That happens when the reader of a pipe is gone (`… | head -1`), or when a disk is full.
    """

    def __init__(self, stream, lost):
        self.stream, self.lost, self.error = stream, lost, None

    def write(self, text):
        """Write, or do nothing where the stream is lost."""
        return self._try(self.stream.write, text)

    def flush(self):
        """Hand on what was written, if anybody reads it."""
        self._try(self.stream.flush)

    @property
    def failed(self):
        """Whether something could not be written, though somebody wanted to read it."""
        return self.error is not None and not isinstance(self.error, BrokenPipeError)

    def _try(self, method, *arguments):
        if self.error is None:
            try:
                return method(*arguments)
            except (OSError, ValueError) as error:  # ValueError: the stream was closed
                self.error = error
                self._send_the_rest_nowhere()
                self.lost(error)
        return None

    def _send_the_rest_nowhere(self):
        """Prevent an error when Python flushes its streams at its end."""
        try:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)
            self.stream.flush()
        except (OSError, ValueError):  # a stream without a file
            pass

    def __getattr__(self, name):
        return getattr(self.stream, name)


@contextmanager
def lenient_streams(say):
    """A context in which printing never fails: text that cannot be written is left out. Gives the
    output stream.

    `say(words)` is called once when that begins. Characters that a console lacks become "?".
    """
    _open_what_is_closed()
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        streams = [sys.stdout or nowhere, sys.stderr or nowhere]  # None where the shell closed it
        for stream in streams:
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        errors = Lenient(streams[1], lambda error: None)
        output = Lenient(streams[0], lambda error: say(_words(error)))
        with redirect_stdout(output), redirect_stderr(errors):
            try:
                yield output
            finally:
                output.flush()
                errors.flush()


def _open_what_is_closed():
    """Give the descriptors 0, 1 and 2 to nobody where the shell has closed them (`>&-`).

    Else the next file that is opened gets such a number, and holds what a library writes there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the system takes the lowest number that is free


def _words(error):
    if isinstance(error, BrokenPipeError):
        return "nobody reads the output any more; the run goes on without it"
    reason = getattr(error, "strerror", None) or error
    return f"the output cannot be written ({reason}); the run goes on without it"
