"""Small sound files of every kind, and what becomes of them: cut off at a byte, one bit turned."""
import functools

import numpy

import files
from files import Member, gz, idx, npy, npz

CSV = 'age,name,"x""y"\n1.5,"a, ""b""",3\n?,\u00e9,1e-3\n\n7,c,2\n'.encode()
PAIR = [Member("x.npy", npy(numpy.arange(6.0).reshape(3, 2))), Member("y.npy", npy([0, 1, 1]))]
PACKED = [Member(member.name, member.data, method=8) for member in PAIR]

SAMPLES = {
    "f.csv": CSV,
    "f.npy": npy(numpy.arange(6.0).reshape(3, 2)),
    "g.npy": npy(numpy.arange(12, dtype="u1").reshape(3, 2, 2)),
    "f.npz": npz(*PAIR),
    "g.npz": npz(*PACKED),
    "f-images-idx3-ubyte": idx(8, [3, 2, 2], bytes(range(12))),
    "f.csv.gz": gz(CSV),
    "m.safetensors": files.model(),
}


def cut(content, every=1):
    return [(f"the first {length} bytes", content[:length]) for length in range(0, len(content), every)]


def turned(content, every=1):
    """Every so manieth variant with a bit turned."""
    made = []
    for bit in range(0, len(content) * 8, every):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        made.append((f"bit {bit % 8} of byte {bit // 8} turned", bytes(changed)))
    return made


@functools.cache
def sample(count):
    """So many variants of all files: names of files, what was done, contents. The same ones every time."""
    all_of_them = [(name, what, changed) for name, content in SAMPLES.items()
                   for what, changed in cut(content) + turned(content)]
    draw = numpy.random.default_rng(7)
    return [all_of_them[i] for i in sorted(draw.choice(len(all_of_them), count, replace=False))]
