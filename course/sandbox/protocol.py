"""Messages between the parent and the process that student code runs in: JSON and the bytes of
arrays, never pickles.

Both sides use this file; nothing of the course is imported here, since the child has nothing of it.
"""

import json
import struct
import threading

import numpy as np

LIMIT = 1 << 23  # bytes of one message, five times what the largest of our checks sends
PRINTED_LINES, PRINTED_CHARACTERS = 20, 2000  # of what student code prints, for each call
PLAIN = {bool, int, float, str}
KINDS = "biufc"  # of arrays: Booleans and numbers, nothing that could be an object


def encode(value):
    """A value as what JSON and bytes can say. Raises TypeError, with the type's name, for any other."""
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS:
        array = np.asarray(value)
        array = array.astype(array.dtype.newbyteorder("<"), order="C")
        scalar = isinstance(value, np.generic)
        return {"array": [array.dtype.str, list(array.shape), array.tobytes(), scalar]}
    if isinstance(value, list | tuple):
        return [encode(part) for part in value]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {"dict": {key: encode(part) for key, part in value.items()}}
    raise TypeError(type(value).__name__)


def decode(value):
    """What `encode` made a message of. Raises ValueError for everything else."""
    if value is None or type(value) in PLAIN:
        return value
    if isinstance(value, list):
        return [decode(part) for part in value]
    if isinstance(value, dict) and set(value) == {"dict"} and isinstance(value["dict"], dict):
        return {key: decode(part) for key, part in value["dict"].items()}
    try:
        dtype, shape, data, scalar = value["array"]
        if np.dtype(dtype).kind not in KINDS or not all(type(size) is int for size in shape):
            raise ValueError
        array = np.frombuffer(data, dtype).reshape(shape).copy()
        return array[()] if scalar else array
    except (KeyError, TypeError, ValueError):
        raise ValueError("a message that nobody sent") from None


def checked(reply):
    """A reply of a child, as `probing.py` sends it. Raises ValueError for any other.

    Student code can take its process over and say anything; so whoever reads a reply need not ask.
    """

    def require(fine):
        if not fine:
            raise ValueError("a reply that nobody sent")

    def words(*values):
        return all(isinstance(value, str) for value in values)

    def rows(value, last):
        require(isinstance(value, list) and len(value) <= 200)
        for row in value:
            require(isinstance(row, list) and len(row) == 3 and words(*row[:2]))
            require(isinstance(row[2], last) and not isinstance(row[2], bool))

    require(isinstance(reply, dict) and len(reply) == 1)
    ((kind, value),) = reply.items()
    require(kind in ("ready", "changed", "value", "type", "printed", "raised", "returned"))
    if kind in ("type", "printed"):
        require(words(value))
    elif kind == "returned":
        rows(value, str)
    elif kind == "raised":
        require(isinstance(value, dict))
        require(set(value) == {"type", "words", "frames", "exercise", "missing"})
        require(words(value["type"], value["words"], value["exercise"], value["missing"]))
        rows(value["frames"], int | None)
        require(all(0 <= (line or 0) < 10**6 for *_, line in value["frames"]))
    return reply


class Channel:
    """Messages over a pair of binary files.

    A message is two lengths of four bytes, JSON, and the bytes of all its arrays. In the JSON, the
    place of an array's bytes is taken by [where they begin, how many they are].
    """

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.lock = threading.Lock()  # what a thread prints must not cut a reply in two

    def send(self, message):
        parts, place = [], 0

        def put(data):
            nonlocal place
            parts.append(data)
            place += len(data)
            return [place - len(data), len(data)]

        text = json.dumps(message, default=put).encode("ascii")
        if len(text) + place > LIMIT:
            raise ValueError("too much for one message")
        with self.lock:
            self.writer.write(b"".join([struct.pack("<II", len(text), place), text, *parts]))
            self.writer.flush()

    def receive(self):
        """The next message. Raises EOFError at the end, ValueError for what is none."""
        size, place = struct.unpack("<II", self._read(8))
        if size + place > LIMIT:
            raise ValueError("a message that is too long")
        text = self._read(size).decode("ascii")  # an empty array has a place, and no bytes
        data = memoryview(self._read(place))

        def get(found):
            match found:
                case {"array": [str(), list(), [int(start), int(length)], bool()] as array}:
                    array[2] = data[start : start + length]
            return found

        return json.loads(text, object_hook=get if '"array"' in text else None)

    def _read(self, count):
        data = self.reader.read(count)
        if data is None or len(data) < count:
            raise EOFError
        return data

    def close(self):
        for file in (self.reader, self.writer):
            try:
                file.close()
            except OSError:
                pass  # the other side is gone


def over(connection):
    """The channel over a socket."""
    return Channel(connection.makefile("rb"), connection.makefile("wb"))
