"""Reads and writes GGUF, the files in which quantised models are published.

A file holds named values (the model's sizes, its tokenizer), a table of its tensors, and their bytes.
It is mapped into memory, so bytes that are not looked at are not read. Nothing in a file is run, and
every size that it claims is compared with the size of the file before memory is allocated.
Source: the page "GGUF" in the documentation of ggml.
"""

import math
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MAGIC = b"GGUF"
VERSION = 3  # version 2 differs in nothing that is read here
ALIGNMENT = 32  # tensors begin at multiples of it, unless the file says otherwise
LONGEST_HEADER = 1 << 25  # bytes; a vocabulary of 128,000 tokens takes 8 million
MOST_AXES = 4

# The types of a tensor: number in the file -> name, numbers in a block, bytes of a block.
TYPES = {
    0: ("F32", 1, 4),
    1: ("F16", 1, 2),
    2: ("Q4_0", 32, 18),
    3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34),
    10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144),
    13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210),
    20: ("IQ4_NL", 32, 18),
    24: ("I8", 1, 1),
    25: ("I16", 1, 2),
    26: ("I32", 1, 4),
    27: ("I64", 1, 8),
    28: ("F64", 1, 8),
    30: ("BF16", 1, 2),
}

# The types of a value: number in the file -> its format for `struct`.
NUMBERS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
BOOLEAN, TEXT, ARRAY = 7, 8, 9


@dataclass(frozen=True)
class Stored:
    """A tensor of a file: the name of its type, its shape, and its bytes, mapped and read-only.

    The shape is NumPy's: the last axis is the one whose numbers lie side by side.
    """

    type: str
    shape: tuple
    data: np.ndarray  # (bytes,) of uint8


@dataclass(frozen=True)
class GGUF:
    """The content of a file: `metadata` {name: value} and `tensors` {name: Stored}."""

    metadata: dict
    tensors: dict


# --- Reading ---


def read(path):
    """The `GGUF` at a path; the tensors' bytes are mapped.

    Raises ValueError, naming the file, where it is damaged, truncated or of another kind.
    """
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if file.read(len(MAGIC)) != MAGIC:
                raise ValueError("it does not begin with the letters GGUF")
        content = np.memmap(path, np.uint8, "r")
        header = _Header(memoryview(content)[: min(size, LONGEST_HEADER)])
        return _content(header, content)
    except ValueError as error:
        raise ValueError(f"{path} is damaged, or no GGUF file: {error}") from None


def _content(header, content):
    """The values and the tensors of a file, whose `content` is all of its bytes."""
    version = header.number("<I")
    if version not in (2, 3):
        words = "it was written by a big-endian machine" if version >> 24 in (2, 3) else ""
        raise ValueError(words or f"its version is {version}; this reads 2 and 3")
    num_tensors = header.count("tensors", least=24)
    num_values = header.count("values", least=13)
    metadata = {}
    for _ in range(num_values):
        name = header.text()
        if name in metadata:
            raise ValueError(f"it holds the value {name!r} twice")
        metadata[name] = header.value(name)
    rows = [header.row() for _ in range(num_tensors)]
    return GGUF(metadata, _tensors(rows, header.at, _alignment(metadata), content))


def _alignment(metadata):
    alignment = metadata.get("general.alignment", ALIGNMENT)
    if type(alignment) is not int or not 1 <= alignment <= 1 << 20 or alignment % 8:
        raise ValueError(f"its tensors would begin at multiples of {alignment!r} bytes")
    return alignment


def _tensors(rows, end, alignment, content):
    """{name: Stored}, if the tensors of these rows fill the file one after another from `end`."""
    found = {}
    start = begin = min(_next_multiple(end, alignment), len(content))  # padding may be left out
    for name, kind, shape, offset in rows:
        if name in found:
            raise ValueError(f"it holds the tensor {name!r} twice")
        if begin + offset != start:
            raise ValueError(f"{name} begins at byte {begin + offset}, the one before says {start}")
        length = _bytes_of(name, kind, shape)
        if start + length > len(content):
            raise ValueError(f"{name} ends at byte {start + length}, the file at {len(content)}")
        found[name] = Stored(TYPES[kind][0], shape, content[start : start + length])
        end, start = start + length, begin + _next_multiple(start + length - begin, alignment)
    if not end <= len(content) <= start:
        raise ValueError(f"its tensors end at byte {end}, the file at {len(content)}")
    return found


def _bytes_of(name, kind, shape):
    """How many bytes a tensor takes."""
    if kind not in TYPES:
        raise ValueError(f"{name} has type {kind}, which is not known here")
    type_name, numbers, size = TYPES[kind]
    if not shape or shape[-1] % numbers:
        raise ValueError(
            f"{name} has the shape {shape}, but {type_name} needs a last axis that is a multiple of {numbers}"
        )
    return math.prod(shape) // numbers * size


def _next_multiple(number, of):
    return -(-number // of) * of


class _Header:
    """Reads a header from its beginning; whatever lies past the end is refused."""

    def __init__(self, content):
        self.content, self.at = content, len(MAGIC)

    def number(self, form):
        """The next number, in a format of `struct`."""
        size = struct.calcsize(form)
        if self.at + size > len(self.content):
            raise ValueError("it ends within its header")
        (value,) = struct.unpack_from(form, self.content, self.at)
        self.at += size
        return value

    def count(self, of, least):
        """The next number, which counts things that take at least so many bytes each."""
        count = self.number("<Q")
        if count * least > len(self.content) - self.at:
            raise ValueError(f"it claims {count} {of}, for which its header has no room")
        return count

    def text(self):
        """The next text: its length, then its letters."""
        length = self.count("bytes of a text", least=1)
        start, self.at = self.at, self.at + length
        return str(self.content[start : self.at], "utf-8")

    def value(self, name):
        """The next value, with its type before it: a number, a truth value, a text, or a list."""
        kind = self.number("<I")
        if kind != ARRAY:
            return self.values(name, kind, 1)[0]
        kind = self.number("<I")
        size = struct.calcsize(NUMBERS[kind]) if kind in NUMBERS else 8
        return self.values(name, kind, self.count(f"values of {name!r}", least=size))

    def values(self, name, kind, count):
        """The next `count` values of a type, as a list."""
        if kind == TEXT:
            return [self.text() for _ in range(count)]
        if kind not in NUMBERS:
            raise ValueError(f"the value {name!r} has type {kind}, which is not read here")
        form = NUMBERS[kind]
        size = struct.calcsize(form)
        if self.at + count * size > len(self.content):
            raise ValueError("it ends within its header")
        start, self.at = self.at, self.at + count * size
        if kind == BOOLEAN and max(self.content[start : self.at], default=0) > 1:
            raise ValueError(f"the value {name!r} is neither true nor false")
        return list(struct.unpack_from(f"<{count}{form[1]}", self.content, start))

    def row(self):
        """The next row of the table of tensors: (name, type, shape, where its bytes begin)."""
        name, axes = self.text(), self.number("<I")
        if not 1 <= axes <= MOST_AXES:
            raise ValueError(f"{name} would have {axes} axes")
        shape = tuple(self.number("<Q") for _ in range(axes))[::-1]
        return name, self.number("<I"), shape, self.number("<Q")


# --- Writing ---


def write(path, metadata, tensors):
    """Write values and tensors as one file; it is whole or not there.

    `metadata` maps names to numbers, truth values, texts, or lists of one of them; `tensors` maps
    names to float32 or float16 arrays, or to what `read` gave.
    """
    path = Path(path)
    rows = {name: _stored(name, tensor) for name, tensor in tensors.items()}
    header = [MAGIC, struct.pack("<IQQ", VERSION, len(rows), len(metadata))]
    for name, value in metadata.items():
        header += [_packed_text(name), _packed_value(name, value)]
    codes, offset = {row[0]: code for code, row in TYPES.items()}, 0
    for name, tensor in rows.items():
        shape = tensor.shape[::-1]
        header += [_packed_text(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
        header += [struct.pack("<IQ", codes[tensor.type], offset)]
        offset = _next_multiple(offset + tensor.data.size, _alignment(metadata))
    unfinished = path.with_name(f"{path.name}.unfinished-{os.getpid()}")
    try:
        with open(unfinished, "wb") as file:
            file.write(b"".join(header))
            for tensor in rows.values():
                file.write(bytes(-file.tell() % _alignment(metadata)))
                file.write(tensor.data)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _stored(name, tensor):
    """A tensor in the form in which it is written."""
    if isinstance(tensor, Stored):
        return tensor
    tensor = np.asarray(tensor)
    type_name = {"float32": "F32", "float16": "F16"}.get(tensor.dtype.name)
    if type_name is None or not 1 <= tensor.ndim <= MOST_AXES:
        raise TypeError(
            f"{name} is {tensor.dtype}, of {tensor.ndim} axes: float32 and float16 are written, of "
            f"1 to {MOST_AXES} axes"
        )
    array = np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<"))
    return Stored(type_name, tensor.shape, array.reshape(-1).view(np.uint8))


def _packed_text(text):
    content = text.encode("utf-8")
    return struct.pack("<Q", len(content)) + content


def _packed_value(name, value):
    """A value with its type before it."""
    values = value if isinstance(value, list) else [value]
    kinds = {type(part) for part in values}
    if kinds <= {str}:
        kind, content = TEXT, b"".join(map(_packed_text, values))
    elif kinds in ({bool}, {int}, {float}):
        codes = {bool: (BOOLEAN,), int: (4, 5, 10, 11), float: (6, 12)}[kinds.pop()]
        kind = next((code for code in codes if _fits(values, NUMBERS[code])), None)
        if kind is None:
            raise ValueError(f"{name}: no type of GGUF holds {value!r:.60}")
        content = struct.pack(f"<{len(values)}{NUMBERS[kind][1]}", *values)
    else:
        raise TypeError(f"{name}: a value is a number, a truth value, a text or a list of one type")
    if isinstance(value, list):
        return struct.pack("<IIQ", ARRAY, kind, len(values)) + content
    return struct.pack("<I", kind) + content


def _fits(values, form):
    try:
        struct.pack(f"<{len(values)}{form[1]}", *values)
    except (struct.error, OverflowError):
        return False
    return True
