"""The reader of GGUF: what it reads, and what it refuses in words, before memory is asked for."""

import random
import struct
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad.support import gguf
from minigrad.support.datafolder import find_data

METADATA = {
    "general.architecture": "llama",
    "general.alignment": 64,
    "llama.block_count": 2,
    "a.large": 1 << 40,
    "a.negative": -3,
    "a.float": 0.5,
    "a.truth": True,
    "tokens": ["a", "é", "", "<|end|>"],
    "kinds": [1, 2, 3],
    "truths": [True, False],
    "none": [],
}


def content_of(tensors=None, metadata=METADATA):
    """The bytes of a small file."""
    generator = np.random.default_rng(0)
    if tensors is None:
        tensors = {
            "a.weight": generator.normal(size=(3, 4)).astype(np.float32),
            "b.weight": generator.normal(size=5).astype(np.float16),
            "c.weight": gguf.Stored("Q4_1", (2, 32), np.arange(40, dtype=np.uint8)),
        }
    return metadata, tensors


@pytest.fixture
def path(tmp_path):
    gguf.write(tmp_path / "small.gguf", *content_of())
    return tmp_path / "small.gguf"


# --- What is read ---


def test_what_was_written_is_read(path):
    metadata, tensors = content_of()
    found = gguf.read(path)
    assert found.metadata == metadata
    assert list(found.tensors) == list(tensors)
    a, b, c = found.tensors.values()
    assert (a.type, a.shape, b.type, b.shape) == ("F32", (3, 4), "F16", (5,))
    assert (c.type, c.shape) == ("Q4_1", (2, 32))
    assert np.array_equal(a.data.view("<f4").reshape(a.shape), tensors["a.weight"])
    assert np.array_equal(b.data.view("<f2"), tensors["b.weight"])
    assert np.array_equal(c.data, np.arange(40))


def test_bytes_are_mapped_and_read_only(path):
    data = gguf.read(path).tensors["a.weight"].data
    assert isinstance(data, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        data[0] = 1


def test_a_file_goes_round_to_the_byte(path, tmp_path):
    found = gguf.read(path)
    gguf.write(tmp_path / "again.gguf", found.metadata, found.tensors)
    assert (tmp_path / "again.gguf").read_bytes() == path.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.gguf", "small.gguf"]


def text(letters):
    return struct.pack("<Q", len(letters)) + letters


def file_of(values=b"", rows=b"", num_values=0, num_tensors=0, version=3, data=b""):
    """The bytes of a file, put together by hand after the format's description."""
    begin = b"GGUF" + struct.pack("<IQQ", version, num_tensors, num_values) + values + rows
    return begin + bytes(-len(begin) % 32 if data else 0) + data


def row(name, shape, kind=0, offset=0):
    axes = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + axes + struct.pack("<IQ", kind, offset)


def test_a_file_written_by_hand(tmp_path):
    """Each type of value, and a tensor whose first size is that of the axis side by side."""
    kinds = {
        0: "B",
        1: "b",
        2: "H",
        3: "h",
        4: "I",
        5: "i",
        6: "f",
        7: "?",
        10: "Q",
        11: "q",
        12: "d",
    }
    values = b"".join(
        text(b"v%d" % kind) + struct.pack(f"<I{form}", kind, 1) for kind, form in kinds.items()
    )
    values += text(b"list") + struct.pack("<IIQ2h", 9, 3, 2, -1, 7)
    values += text(b"empty") + struct.pack("<IIQ", 9, 8, 0)
    data = np.arange(6, dtype="<f4").tobytes() + bytes(8) + b"\1\2"
    rows = row(b"x", (3, 2)) + row(b"y", (2,), 24, 32)
    content = file_of(values, rows, len(kinds) + 2, 2, data=data)
    (tmp_path / "a").write_bytes(content)
    found = gguf.read(tmp_path / "a")
    assert found.metadata == {f"v{k}": 1 for k in kinds} | {"list": [-1, 7], "empty": []}
    x = found.tensors["x"]
    assert x.data.view("<f4").reshape(x.shape).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.tensors["y"].data.tolist() == [1, 2]


def test_the_model_that_chats():
    folder = find_data("chat")
    if folder is None:
        pytest.skip("the chat model has not been fetched: python3 -m course data chat")
    found = gguf.read(next(folder.glob("*.gguf")))
    assert found.metadata["general.architecture"] == "llama"
    assert len(found.metadata["tokenizer.ggml.tokens"]) == 49152 and len(found.tensors) == 272
    embedding = found.tensors["token_embd.weight"]
    assert (embedding.type, embedding.shape) == ("Q8_0", (49152, 576))
    assert embedding.data.size == 49152 * 576 // 32 * 34


# --- What is refused ---

LONG = (1 << 64) - 1
WRONG = {
    "empty": (b"", "does not begin with the letters GGUF"),
    "a pickle": (b"\x80\x04." * 99, "does not begin with"),
    "safetensors": (b"\x10\0\0\0\0\0\0\0{}", "does not begin with"),
    "the letters alone": (b"GGUF", "ends within its header"),
    "old": (file_of(version=1), "its version is 1"),
    "new": (file_of(version=4), "its version is 4"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "big-endian machine"),
    "huge number of tensors": (file_of(num_tensors=LONG), "18446744073709551615 tensors"),
    "huge number of values": (file_of(num_values=LONG), "18446744073709551615 values"),
    "a long name": (file_of(struct.pack("<Q", LONG) + bytes(20), num_values=1), "bytes of a text"),
    "no UTF-8": (file_of(text(b"\xff\xfe") + struct.pack("<IB", 0, 1), num_values=1), "decode"),
    "unknown value": (file_of(text(b"a") + struct.pack("<II", 99, 1), num_values=1), "type 99"),
    "a list of lists": (
        file_of(text(b"a") + struct.pack("<IIQ", 9, 9, 0), num_values=1),
        "'a' has type 9, which",
    ),
    "a huge list": (
        file_of(text(b"a") + struct.pack("<IIQ", 9, 12, 1 << 60), num_values=1),
        "values of 'a', for which its header has no room",
    ),
    "a huge list of texts": (
        file_of(text(b"a") + struct.pack("<IIQ", 9, 8, 1 << 40), num_values=1),
        "no room",
    ),
    "neither true nor false": (
        file_of(text(b"a") + struct.pack("<IB", 7, 2), num_values=1),
        "neither true nor false",
    ),
    "a value twice": (
        file_of(2 * (text(b"a") + struct.pack("<IB", 0, 1)), num_values=2),
        "the value 'a' twice",
    ),
    "a tensor twice": (
        file_of(rows=row(b"x", (8,)) + row(b"x", (8,), 0, 32), num_tensors=2, data=bytes(64)),
        "the tensor 'x' twice",
    ),
    "no axes": (file_of(rows=row(b"x", ()), num_tensors=1, data=bytes(32)), "0 axes"),
    "five axes": (file_of(rows=row(b"x", (1,) * 5), num_tensors=1, data=bytes(32)), "5 axes"),
    "unknown type": (file_of(rows=row(b"x", (1,), 77), num_tensors=1, data=bytes(4)), "type 77"),
    "half a block": (
        file_of(rows=row(b"x", (16,), 3), num_tensors=1, data=bytes(20)),
        "Q4_1 needs a last axis that is a multiple of 32",
    ),
    "a huge tensor": (
        file_of(rows=row(b"x", (LONG, LONG, LONG)), num_tensors=1, data=bytes(32)),
        "the file at",
    ),
    "an overlap": (
        file_of(rows=row(b"x", (8,)) + row(b"y", (8,)), num_tensors=2, data=bytes(64)),
        "the one before says",
    ),
    "a gap": (file_of(rows=row(b"x", (8,), 0, 32), num_tensors=1, data=bytes(64)), "begins at"),
    "far away": (file_of(rows=row(b"x", (8,), 0, LONG), num_tensors=1, data=bytes(64)), "begins"),
    "too short": (file_of(rows=row(b"x", (8,)), num_tensors=1, data=bytes(31)), "the file at"),
    "too long": (file_of(rows=row(b"x", (8,)), num_tensors=1, data=bytes(33)), "the file at"),
    "an absurd alignment": (
        file_of(text(b"general.alignment") + struct.pack("<II", 4, 0), num_values=1),
        "multiples of 0 bytes",
    ),
    "an alignment that is a text": (
        file_of(text(b"general.alignment") + struct.pack("<I", 8) + text(b"32"), num_values=1),
        "multiples of '32' bytes",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_refused_names_the_file_and_the_reason(tmp_path, kind):
    content, words = WRONG[kind]
    (tmp_path / "a.gguf").write_bytes(content)
    with pytest.raises(ValueError, match="a.gguf is damaged, or no GGUF file") as caught:
        gguf.read(tmp_path / "a.gguf")
    assert words in str(caught.value)


def test_what_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        gguf.read(tmp_path / "a")


def test_every_truncation_is_refused(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(ValueError, match="is damaged, or no GGUF file"):
            gguf.read(path)


def damaged(content, generator):
    """The content with some bytes changed, cut off, doubled, taken out, or made huge."""
    content, kind = bytearray(content), generator.randrange(5)
    start = generator.randrange(len(content))
    end = min(start + generator.randint(1, 8), len(content))
    if kind == 0:
        content[start:end] = generator.randbytes(end - start)
    elif kind == 1:
        del content[start:]
    elif kind == 2:
        content[start:start] = content[start:end]
    elif kind == 3:
        del content[start:end]
    else:
        content[start:end] = b"\xff" * (end - start)
    return bytes(content)


def test_two_thousand_damages_are_refused_or_read_whole(path):
    """A ValueError that names the file, or a file that is sound; never much memory."""
    content, generator, refused = path.read_bytes(), random.Random(0), 0
    tracemalloc.start()
    for _ in range(2000):
        path.write_bytes(damaged(content, generator))
        tracemalloc.reset_peak()
        try:
            found = gguf.read(path)
        except ValueError as error:
            assert str(path) in str(error)
            refused += 1
        else:
            for stored in found.tensors.values():
                assert isinstance(stored.data, np.memmap) and stored.data.size < len(content)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    assert refused > 1200


# --- Writing ---


@pytest.mark.parametrize(
    ("metadata", "tensors", "words"),
    [
        ({"a": {}}, {}, "a value is a number"),
        ({"a": [1, "x"]}, {}, "a value is a number"),
        ({"a": 1 << 70}, {}, "no type of GGUF holds"),
        ({}, {"x": np.zeros(3)}, "float32 and float16 are written"),
        ({}, {"x": None}, "x is object, of 0 axes: float32 and float16 are written"),
        ({}, {"x": np.float32(0).reshape(())}, "1 to 4 axes"),
    ],
)
def test_what_cannot_be_written_is_said_and_leaves_the_file(path, metadata, tensors, words):
    before = path.read_bytes()
    with pytest.raises((TypeError, ValueError), match=words):
        gguf.write(path, metadata, tensors)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_number_too_large_for_float32_and_a_tensor_are_written(tmp_path):
    x = mg.array([[1.0, 2.0]])
    gguf.write(tmp_path / "a", {"large": [1.0, -1e300], "small": 0.5}, {"x": x})
    found = gguf.read(tmp_path / "a")
    assert found.metadata == {"large": [1.0, -1e300], "small": 0.5}
    assert found.tensors["x"].data.view("<f4").tolist() == [1, 2]
