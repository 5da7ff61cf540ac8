"""Hostile packed files: NPZ archives and gzip."""
import random
import struct

import numpy

from corpus import case
from files import Member, deflate, gz, npy, npy_of, npz, zip64

MIB = 1 << 20
X, Y = npy(numpy.ones((3, 2))), npy([0, 1, 1])
BOTH = [Member("x.npy", X), Member("y.npy", Y)]
CSV = b"a,b\n1,2\n3,4\n"


def of_npz(name, rule, content, says, **more):
    case(name, rule, lambda: {"f.npz": content() if callable(content) else content}, ["info", "f.npz"], says, **more)


def of_gz(name, rule, content, says, **more):
    case(name, rule, lambda: {"f.csv.gz": content() if callable(content) else content}, ["info", "f.csv.gz"], says, **more)


def x(**parts):
    return Member("x.npy", X, **parts)


def bomb(size):
    """An array of zeros that unpacks to over a thousand times its packed size."""
    return npy(numpy.zeros((size // 8, 1)))


def noise(size, seed=1):
    return random.Random(seed).randbytes(size)


def within():
    """The second array is among the numbers of the first one."""
    local = npz(Member("y.npy", Y))[:35 + len(Y)]
    outer = npy(numpy.frombuffer(local, "u1"))
    inner = Member("y.npy", Y, packed=b"", packed_length=len(Y), offset=35 + outer.index(local))
    return npz(Member("x.npy", outer), inner, between=bytes(len(Y)))


def again_and_again():
    one = Member("x.npy", bytes(MIB))
    return npz(one, *[Member("x.npy", packed=b"", length=MIB, packed_length=MIB, crc=one.crc, offset=0)] * 5000)


DAMAGED = "the zip archive is damaged or cut off at byte"

of_npz("npz-sound", "a sound archive is read", npz(*BOTH), "format    npz", code=0)
of_npz("npz-data-descriptor", "sizes may follow the data, for the directory has them",
    npz(x(flags=8, local={"crc": 0, "length": 0, "packed_length": 0}, tail=b"PK\7\x08" + bytes(12))), "format    npz", code=0)
of_npz("npz-zip64", "sizes may have 64 bits",
    npz(x(length=0xffffffff, packed_length=0xffffffff, extra=zip64(len(X), len(X))), wide={}), "format    npz", code=0)
of_npz("npz-path-out-of-the-folder", "names lead nowhere: nothing is written or opened by them", npz(Member("../../x.npy", X)),
    "format    npz", code=0)
of_npz("npz-data-descriptor-lies", "what follows the data is not believed",
    npz(x(method=8, flags=8, length=1 << 20, tail=b"PK\7\x08" + struct.pack("<III", 0, 1, 1))),
    ["unpacks to another length", "at byte"])
of_npz("npz-empty", "an archive holds an array", npz(), "its arrays are: none")
of_npz("npz-cut-off", "the archive is whole", npz(*BOTH)[:-1], DAMAGED)
of_npz("npz-trailing-bytes", "nothing follows it but its comment", npz(*BOTH) + b"x", DAMAGED)
of_npz("npz-comment-lies", "which is as long as it says", npz(*BOTH, comment=b"abc", comment_length=2), DAMAGED)
of_npz("npz-overlap", "arrays share no byte", npz(x(), Member("y.npy", Y, offset=100), between=bytes(300)), DAMAGED)
of_npz("npz-entry-within-entry", "no array lies within another", within, DAMAGED)
of_npz("npz-same-bytes-twice", "two entries aren't the same bytes", npz(x(), Member("y.npy", X, offset=0)), DAMAGED)
of_npz("npz-same-bytes-again-and-again", "nor many", again_and_again, DAMAGED)
of_npz("npz-name-twice", "a name stands once", npz(x(), x(), Member("y.npy", Y)), ["two of its arrays are called x", "byte"])
of_npz("npz-name-twice-in-other-letters", "in whatever letters", npz(x(), Member("X.npy", X), Member("y.npy", Y)),
    ["two of its arrays are called x", "byte"])
of_npz("npz-other-name-in-front", "an array's own header says the same name", npz(x(local={"name": "z.npy"})), DAMAGED)
of_npz("npz-other-method-in-front", "and the same method", npz(x(local={"method": 8})), DAMAGED)
of_npz("npz-other-flags-in-front", "and the same flags", npz(x(local={"flags": 1})), DAMAGED)
of_npz("npz-no-header-in-front", "an array has its own header", npz(x(offset=1)), DAMAGED)
of_npz("npz-offset-beyond", "it lies within the file", npz(x(offset=1 << 30)), DAMAGED)
of_npz("npz-offset-in-directory", "before the directory", npz(x(offset=len(X) + 35)), DAMAGED)
of_npz("npz-count-too-small", "there are as many as was said", npz(*BOTH, count=1), DAMAGED)
of_npz("npz-count-too-large", "no more, no less", npz(*BOTH, count=3), DAMAGED)
of_npz("npz-directory-beyond", "the directory lies within the file", npz(x(), start=1 << 30), DAMAGED)
of_npz("npz-directory-too-long", "and ends there", npz(x(), size=1 << 30), DAMAGED)
of_npz("npz-directory-cut", "and is whole", npz(*BOTH, size=70), DAMAGED)
of_npz("npz-wrong-crc", "the checksum is right", npz(x(crc=1)), ["its checksum is wrong, at byte"])
of_npz("npz-wrong-crc-deflated", "packed or not", npz(x(crc=1, method=8)), ["its checksum is wrong, at byte"])
of_npz("npz-length-too-small", "an array is as long as was said", npz(x(method=8, length=10)),
    ["unpacks to another length than its 10 bytes, at byte"])
of_npz("npz-length-too-large", "no more, no less", npz(x(method=8, length=1000)),
    ["unpacks to another length than its 1000 bytes, at byte"])
of_npz("npz-stored-lengths-differ", "what isn't packed has one length", npz(x(length=len(X) + 1)), DAMAGED)
of_npz("npz-packed-too-long", "packed bytes lie within the file", npz(x(method=8, packed_length=1 << 30)), DAMAGED)
of_npz("npz-more-behind-the-stream", "all packed bytes are used", npz(x(method=8, packed=deflate(X) + b"more")),
    ["unpacks to another length", "at byte"])
of_npz("npz-stream-cut-off", "the stream is whole", npz(x(method=8, packed=deflate(X)[:-3])),
    ["the packed data is cut off at byte"])
of_npz("npz-stream-damaged", "and sound", npz(x(method=8, packed=b"\xff" * 20)), ["the packed data is damaged at byte"])
of_npz("npz-encrypted", "nothing is encrypted", npz(x(flags=1)), ["encrypted", "at byte"])
of_npz("npz-bzip2", "or packed by bzip2 and the like", npz(x(method=12)), ["packed in an unusual way (method 12), at byte"])
of_npz("npz-bomb", "over 64 MiB an array unpacks to at most --limit-ratio times its size",
    lambda: npz(Member("x.npy", bomb(80 * MIB), method=8)), ["--limit-ratio", "at byte"])
of_npz("npz-length-lies", "room grows with what is unpacked, not by what is said",
    lambda: npz(x(method=8, packed=deflate(X) + noise(3 * MIB), length=600 * MIB)), ["at byte"])
of_npz("npz-zip64-lies", "64 bits are no more true than 32", npz(x(method=8, length=0xffffffff, extra=zip64(1 << 60))),
    ["--limit-ratio", "at byte"])
of_npz("npz-zip64-packed-lies", "for the packed length neither",
    npz(x(packed_length=0xffffffff, length=0xffffffff, extra=zip64(1 << 63, 1 << 63))), DAMAGED)
of_npz("npz-zip64-offset-lies", "nor for the offset", npz(x(offset=0xffffffff, extra=zip64(0xfffffffffffffff0))), DAMAGED)
of_npz("npz-zip64-directory-lies", "nor for the directory", npz(x(), wide={"start": 0xfffffffffffffff0}), DAMAGED)
of_npz("npz-zip64-extra-short", "the field has the number", npz(x(length=0xffffffff, extra=zip64())), DAMAGED)
of_npz("npz-zip64-locator-lies", "the zip64 record is where it is said to be", npz(x(), wide={"at": 0xfffffffffffffff0}),
    DAMAGED)
of_npz("npz-nested", "an archive in an archive is no array", npz(Member("x.npy", npz(*BOTH))), ["x: is no NPY file, at byte 0"])
of_npz("npz-gzip-in-it", "nor is a gzip file", npz(Member("x.npy", gz(X))), ["x: is no NPY file, at byte 0"])
of_npz("npz-objects", "no Python object is unpickled", lambda: npz(Member("x.npy", npy_of("(1,)", b".", "'|O'"))),
    ["Python objects", "byte"])
of_npz("npz-rows-differ", "inputs and targets have as many rows", npz(x(), Member("y.npy", npy([0, 1]))),
    ["2 rows, but", "has 3", "counts must agree"])
of_npz("npz-many-entries", "a long directory takes no memory", lambda: npz(*(Member(f"{i}.npy") for i in range(60000))),
    "needs one array")
of_npz("npz-in-front-of-it", "an archive begins with the file", b"#" + npz(*BOTH), "f.npz:")

of_gz("gz-sound", "a sound file is unpacked", gz(CSV), "format    csv", code=0)
of_gz("gz-members", "members follow each other", gz(CSV) + gz(b"5,6\n"), "rows      3", code=0)
of_gz("gz-many-members", "many of them, too", lambda: gz(CSV) + gz(b"") * 50000, "rows      2", code=0)
of_gz("gz-padded", "zeros may follow", gz(CSV) + bytes(512), "rows      2", code=0)
of_gz("gz-cut-off", "the file is whole", gz(CSV)[:-1], "the packed data is cut off at byte")
of_gz("gz-cut-header", "its header, too", gz(CSV)[:5], "the packed data is cut off at byte")
of_gz("gz-trailing-bytes", "nothing else follows", gz(CSV) + b"x", "the packed data is")
of_gz("gz-polyglot-zip", "no other file hangs on", lambda: gz(CSV) + npz(*BOTH), "the packed data is damaged at byte")
of_gz("gz-wrong-crc", "the checksum is right", lambda: gz(CSV)[:-8] + b"\0\0\0\0" + gz(CSV)[-4:],
    "the packed data is damaged at byte")
of_gz("gz-wrong-length", "the length is right", gz(CSV)[:-4] + b"\1\0\0\0", "the packed data is damaged at byte")
of_gz("gz-length-lies", "room grows with what is unpacked, not by what is said",
    lambda: gz(noise(3 * MIB))[:-4] + struct.pack("<I", 600 * MIB), "the packed data is damaged at byte")
of_gz("gz-other-method", "the method is deflate", b"\x1f\x8b\x07" + gz(CSV)[3:], "the packed data is damaged at byte")
of_gz("gz-unknown-flags", "flags are known", lambda: gz(CSV)[:3] + b"\xe0" + gz(CSV)[4:], "the packed data is damaged at byte")
of_gz("gz-endless-name", "the header's name is at most --limit-header",
    lambda: gz(CSV)[:3] + b"\x08" + gz(CSV)[4:10] + b"n" * (17 * MIB) + b"\0" + gz(CSV)[10:], ["--limit-header", "byte 0"])
of_gz("gz-endless-comment", "its comment, too", lambda: gz(CSV)[:3] + b"\x10" + gz(CSV)[4:10] + b"n" * (17 * MIB),
    ["--limit-header", "byte 0"])
of_gz("gz-bomb", "over 64 MiB a file unpacks to at most --limit-ratio times its size", lambda: gz(b"1\n" * (40 * MIB)),
    ["--limit-ratio", "at byte"])
of_gz("gz-bomb-of-members", "however many members make it", lambda: gz(b"1\n" * (4 * MIB)) * 9, ["--limit-ratio", "at byte"])
of_gz("gz-in-gz", "a file is unpacked once", gz(gz(CSV)), "1:2: byte 0x8b is no UTF-8")
of_gz("gz-bomb-in-npy", "the bound is the same for every format", lambda: gz(bomb(80 * MIB)), ["--limit-ratio", "at byte"])
