"""Makes files of every format byte by byte, so that each may lie wherever it likes."""
import dataclasses
import gzip
import io
import json
import struct
import zlib

import numpy

# ---- models ------------------------------------------------------------------------------------------------------------------

FACTS = {"format": "downhill 1", "arith": "1", "rows": "4", "epochs": "1", "steps": "1", "best_epoch": "1"}
RECIPE = "net=2 tanh, output identity\n"
INPUT = {"name": "x", "position": 0, "kind": "number", "fill": 0, "mean": 0, "deviation": 1, "missing": False}
TARGET = {"name": "y", "position": 1, "kind": "number", "mean": 0, "deviation": 1}
ENCODER = {"header": True, "task": "numbers", "inputs": [INPUT], "target": TARGET}
SHAPES = {"layer1.weight": [1, 2], "layer1.bias": [2], "layer2.weight": [2, 1], "layer2.bias": [1]}


def safetensors(header, data=b"", length=None):
    """A file of any header: text, bytes, or what JSON can write."""
    if not isinstance(header, (str, bytes)):
        header = json.dumps(header)
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + data


def entries(shapes, dtype="F32", size=4):
    """The header's entries of tensors side by side, and how many bytes they have together."""
    made, end = {}, 0
    for name, shape in shapes.items():
        begin = end
        end += size * int(numpy.prod(shape, dtype=object))
        made[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    return made, end


def weights(shapes, value=0.5):
    return numpy.full(sum(int(numpy.prod(shape)) for shape in shapes.values()), value, "<f4").tobytes()


def metadata(recipe=RECIPE, encoder=ENCODER, **facts):
    text = encoder if isinstance(encoder, str) else json.dumps(encoder)
    return {**FACTS, "recipe": recipe, "encoder": text, **facts}


def model(shapes=None, data=None, change=None, **meta):
    """A model of the lesson's size: x in, two units, y out. `change` gets its header and may do to it what it likes."""
    shapes = SHAPES if shapes is None else shapes
    made, _ = entries(shapes)
    header = {"__metadata__": metadata(**meta), **made}
    if change:
        header = change(header) or header
    return safetensors(header, weights(shapes) if data is None else data)


def encoder(**parts):
    return {**ENCODER, **parts}


def changed(**parts):
    """An encoder whose one input is changed."""
    return encoder(inputs=[{**INPUT, **parts}])


def aimed(**parts):
    """An encoder whose target is changed."""
    return encoder(target={**TARGET, **parts})


# ---- arrays ------------------------------------------------------------------------------------------------------------------

def npy(array):
    out = io.BytesIO()
    numpy.save(out, numpy.asarray(array))
    return out.getvalue()


def npy_header(header, data=b"", version=1, length=None):
    """An NPY file whose header is this text."""
    text = header.encode("latin-1") if isinstance(header, str) else header
    form = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack(form, len(text) if length is None else length) + text + data


def npy_of(shape, data=b"", descr="'|u1'", order="False"):
    """The same with the three keys; each value is Python text."""
    return npy_header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n", data)


def idx(code, shape, data):
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape) + data


# ---- packed ------------------------------------------------------------------------------------------------------------------

def gz(data, level=9):
    return gzip.compress(data, compresslevel=level, mtime=0)


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclasses.dataclass
class Member:
    """A member of a zip archive; what isn't given is told as it is."""
    name: str
    data: bytes = b""
    method: int = 0
    flags: int = 0
    packed: bytes = None        # what stands in the file
    length: int = None          # what is said of it
    packed_length: int = None
    crc: int = None
    offset: int = None
    local: dict = dataclasses.field(default_factory=dict)  # what the member's own header says instead
    extra: bytes = b""          # of the directory's entry
    tail: bytes = b""           # behind the data: a descriptor

    def __post_init__(self):
        if self.packed is None:
            self.packed = deflate(self.data) if self.method == 8 else self.data
        self.length = len(self.data) if self.length is None else self.length
        self.packed_length = len(self.packed) if self.packed_length is None else self.packed_length
        self.crc = zlib.crc32(self.data) if self.crc is None else self.crc

    def header(self, signature, version, middle=b"", **instead):
        said = {"name": self.name, "flags": self.flags, "method": self.method, "crc": self.crc, "length": self.length,
                "packed_length": self.packed_length, "extra": b"", **instead}
        name = said["name"].encode("latin-1")
        return signature + version + struct.pack("<HHHHIIIHH", said["flags"], said["method"], 0, 0x21, said["crc"],
                                                 said["packed_length"], said["length"], len(name), len(said["extra"])) + \
            middle + name + said["extra"]


def npz(*members, count=None, between=b"", comment=b"", comment_length=None, start=None, size=None, wide=None):
    """An archive of these members; count, start and size of its directory may be lied about. `wide` is its zip64 record."""
    out, offsets = bytearray(), []
    for member in members:
        offsets.append(len(out))
        out += member.header(b"PK\3\4", b"\x14\0", **member.local) + member.packed + member.tail
    out += between
    begin = len(out)
    for member, offset in zip(members, offsets):
        where = offset if member.offset is None else member.offset
        out += member.header(b"PK\1\2", b"\x14\0\x14\0", struct.pack("<HHHII", 0, 0, 0, 0, where), extra=member.extra)
    count = len(members) if count is None else count
    size = len(out) - begin if size is None else size
    start = begin if start is None else start
    if wide is not None:
        record = {"count": count, "size": size, "start": start, "at": len(out), **wide}
        out += b"PK\6\6" + struct.pack("<QHHIIQQQQ", 44, 45, 45, 0, 0, record["count"], record["count"], record["size"],
                                       record["start"])
        out += b"PK\6\7" + struct.pack("<IQI", 0, record["at"], 1)
        size = start = 0xffffffff
    return bytes(out) + b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count, count, size, start,
                                         len(comment) if comment_length is None else comment_length) + comment


def zip64(*numbers):
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers)
