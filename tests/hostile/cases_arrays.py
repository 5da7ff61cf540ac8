"""Hostile arrays: NPY and IDX files."""
import pickle

import numpy

import files
from corpus import case
from files import idx, npy, npy_header, npy_of

MIB = 1 << 20


def of_npy(name, rule, content, says, **more):
    case(name, rule, lambda: {"f.npy": content() if callable(content) else content}, ["info", "f.npy"], says, **more)


def of_idx(name, rule, content, says, words=("info", "f-images-idx3-ubyte"), **beside):
    case(name, rule, lambda: {"f-images-idx3-ubyte": content() if callable(content) else content,
                              **{key.replace("_", "-"): value for key, value in beside.items()}}, list(words), says)


class Planted:
    """Were it unpickled, the folder would have one file more, and the test that looks would fail."""

    def __reduce__(self):
        return (open, ("pickled", "w"))


def numbers_that_collide(count):
    """Doubles that a multiplicative hash puts into one place: their bits times the factor are small."""
    factor = pow(0x9e3779b97f4a7c15, -1, 1 << 64)
    with numpy.errstate(over="ignore"):
        numbers = (numpy.arange(1, 2 * count, dtype="u8") * numpy.uint64(factor)).view("f8")
    return numbers[numpy.isfinite(numbers)][:count]


DAMAGED = ["its NPY header is damaged at byte"]

of_npy("npy-sound", "a sound array is read", npy(numpy.ones((3, 2))), "format    npy", code=0)
of_npy("npy-objects", "no Python object is unpickled", lambda: npy_of("(1,)", pickle.dumps([Planted()]), "'|O'"),
    ["Python objects", "byte"])
of_npy("npy-objects-in-a-record", "nor one in a record", lambda: npy_of("(1,)", pickle.dumps([Planted()]), "[('a', '|O')]"),
    ["no plain numbers", "byte"])
of_npy("npy-record", "numbers stand alone, not in records", npy(numpy.zeros(3, [("a", "f4"), ("b", "f4")])),
    ["no plain numbers", "byte"])
of_npy("npy-texts", "texts are no numbers", npy(["a", "b"]), ["no plain numbers (type <U1", "byte"])
of_npy("npy-complex", "complex numbers are no numbers of a column", npy([1j, 2]), ["no plain numbers (type <c16", "byte"])
of_npy("npy-dates", "dates are no numbers", npy(numpy.array(["2001-01-01"], "M8[D]")),
    ["no plain numbers (type <M8[D]", "byte"])
of_npy("npy-type-empty", "a type has letters", npy_of("(1,)", b"1", "''"), ["no plain numbers", "byte"])
of_npy("npy-type-of-16-bytes", "a number has at most 8 bytes", npy_of("(1,)", bytes(16), "'<f16'"),
    ["no plain numbers", "byte"])
of_npy("npy-python-call", "the header is read, never evaluated: calls", npy_of("(__import__('os').system('touch x'),)"),
    DAMAGED)
of_npy("npy-python-power", "powers", npy_of("(2**30,)", b"1"), DAMAGED)
of_npy("npy-python-product", "products", npy_of("(1*1,)", b"1"), DAMAGED)
of_npy("npy-python-hex", "hexadecimal numbers", npy_of("(0x1,)", b"1"), DAMAGED)
of_npy("npy-python-underscore", "underscores", npy_of("(1_0,)", b"1" * 10), DAMAGED)
of_npy("npy-python-long", "the L of old Pythons", npy_of("(1L,)", b"1"), DAMAGED)
of_npy("npy-python-escape", "escapes in strings", npy_of("(1,)", b"1", r"'\x7cu1'"), DAMAGED)
of_npy("npy-python-concatenation", "strings side by side", npy_of("(1,)", b"1", "'|' 'u1'"),
    ["no plain numbers (type |, before byte 23"])
of_npy("npy-python-comment", "comments", npy_of("(1,# one\n)", b"1"), DAMAGED)
of_npy("npy-python-list", "lists for tuples", npy_of("[1]", b"1"), DAMAGED)
of_npy("npy-python-truth", "True for 1", npy_of("(True,)", b"1"), DAMAGED)
of_npy("npy-python-none", "None for False", npy_of("(1,)", b"1", order="None"), DAMAGED)
of_npy("npy-python-plus", "signs", npy_of("(+1,)", b"1"), DAMAGED)
of_npy("npy-negative", "sizes aren't negative", npy_of("(-1,)"), DAMAGED)
of_npy("npy-fraction", "sizes are whole", npy_of("(1.0,)", b"1"), DAMAGED)
of_npy("npy-zero-in-front", "numbers are canonical", npy_of("(01,)", b"1"), DAMAGED)
of_npy("npy-shape-is-number", "a shape is a tuple", npy_of("1", b"1"), DAMAGED)
of_npy("npy-shape-without-comma", "one size has its comma", npy_of("(1)", b"1"), DAMAGED)
of_npy("npy-deep-nesting", "nothing is nested", npy_of("(" * 30000 + ")" * 30000), DAMAGED)
of_npy("npy-size-beyond-64-bits", "sizes fit into 64 bits", npy_of("(18446744073709551616,)"), DAMAGED)
of_npy("npy-size-of-400-digits", "whatever their length", npy_of("(" + "9" * 400 + ",)"), DAMAGED)
of_npy("npy-wraparound", "a product of sizes doesn't wrap", npy_of("(4611686018427387904, 4)"),
    "promises more data than any memory holds, at byte")
of_npy("npy-wraparound-to-right-size", "not to what is there either", npy_of("(4294967296, 4294967296, 1)", b""),
    "promises more data than any memory holds, at byte")
of_npy("npy-more-promised", "the data is what the shape says", npy_of("(1000000000000,)", b"1"),
    ["promises 1000000000000 bytes of data, 1 are there", "cut off at byte"])
of_npy("npy-trailing-bytes", "nothing follows the data", lambda: npy([1.0]) + b"x", ["goes on behind its end at byte"])
of_npy("npy-polyglot-zip", "no other file hangs on", lambda: npy([1.0]) + files.npz(files.Member("x.npy", npy([2.0]))),
    ["goes on behind its end at byte"])
of_npy("npy-no-rows", "there is a row", npy(numpy.zeros((0, 4))), ["has no rows", "byte"])
of_npy("npy-no-columns", "there is a column", npy(numpy.zeros((4, 0))), ["has no columns", "byte"])
of_npy("npy-no-axes", "there is an axis", npy(1.0), ["no axes", "byte"])
of_npy("npy-5-axes", "at most four", npy(numpy.zeros((1, 1, 1, 1, 1), "u1")), ["more than 4 axes", "byte"])
of_npy("npy-5000-axes", "and not very many", npy_of("(" + "1," * 5000 + ")", b"1"), ["byte"])
of_npy("npy-images-of-floats", "images are bytes", npy(numpy.zeros((2, 2, 2))), ["must hold bytes", "byte"])
of_npy("npy-infinity", "no number is infinite", npy([[1.0, 2], [3, numpy.inf]]), ["row 2, column 2", "at byte"])
of_npy("npy-million-columns", "columns are at most --limit-columns", lambda: npy(numpy.zeros((1, 1000000), "u1")),
    ["--limit-columns", "byte"])
of_npy("npy-header-100mb", "a header is at most --limit-header", lambda: npy_header(b"{".ljust(100 * MIB), version=2),
    ["--limit-header", "byte 8"])
of_npy("npy-header-20kb", "and may be long", lambda: npy_header(npy_of("(2,)")[10:].ljust(20000) + b"\n", b"12"), "rows      2",
    code=0)
of_npy("npy-header-over-end", "the header ends within the file", npy_header("{", length=65535),
    "cut off within its header, at byte 11")
of_npy("npy-version-9", "the version is known", npy_header("{}", version=9), ["NPY version 9.0 at byte 6"])
of_npy("npy-key-twice", "a key stands once",
    npy_header("{'shape': (1,), 'shape': (1,), 'descr': '|u1', 'fortran_order': False}", b"1"), DAMAGED)
of_npy("npy-key-missing", "every key is there", npy_header("{'shape': (1,), 'descr': '|u1'}", b"1"), DAMAGED)
of_npy("npy-key-unknown", "and no other", npy_header("{'shape': (1,), 'descr': '|u1', 'fortran_order': False, 'x': 1}", b"1"),
    DAMAGED)
of_npy("npy-header-with-more-behind", "nothing follows the header's braces",
    npy_header("{'shape': (1,), 'descr': '|u1', 'fortran_order': False}, 1", b"1"), DAMAGED)
of_npy("npy-zero-byte-in-header", "no zero byte ends the header early",
    npy_header("{'shape': (1,), 'descr': '|u1', 'fortran_order': False}\0", b"1"), DAMAGED)
of_npy("npy-quote-open", "strings end", npy_header("{'shape: (1,), }"), DAMAGED)
of_npy("npy-numbers-that-collide", "numbers chosen to collide take no time", lambda: npy(numbers_that_collide(200000)),
    "200,000", code=0)

case("idx-sound", "sound images are read", {"f-images-idx3-ubyte": idx(8, [3, 2, 2], bytes(12))},
    ["info", "f-images-idx3-ubyte"], "format    idx", code=0)
of_idx("idx-fewer-labels", "images and labels are as many", idx(8, [3, 2, 2], bytes(12)),
    ["2 rows, but f-images-idx3-ubyte has 3", "counts must agree"], f_labels_idx1_ubyte=idx(8, [2], bytes(2)))
of_idx("idx-more-labels", "neither are there more", idx(8, [3, 2, 2], bytes(12)),
    ["4 rows, but f-images-idx3-ubyte has 3", "counts must agree"], f_labels_idx1_ubyte=idx(8, [4], bytes(4)))
of_idx("idx-labels-of-two-axes", "labels are one column", idx(8, [3, 2, 2], bytes(12)), "holds 2 columns",
    f_labels_idx1_ubyte=idx(8, [3, 2], bytes(6)))
of_idx("idx-labels-are-text", "labels are an IDX file", idx(8, [3, 2, 2], bytes(12)), "is no IDX file",
    f_labels_idx1_ubyte=b"1\n2\n3\n")
of_idx("idx-cut-off", "the data is there", idx(8, [3, 2, 2], bytes(11)),
    ["promises 12 bytes of data, 11 are there", "cut off at byte 27"])
of_idx("idx-trailing-bytes", "nothing follows it", idx(8, [3, 2, 2], bytes(13)), ["goes on behind its end at byte 28"])
of_idx("idx-cut-header", "the header is whole", idx(8, [3, 2, 2], b"")[:10], "cut off within its header, at byte 10")
of_idx("idx-wraparound", "a product of sizes doesn't wrap", idx(8, [1 << 31, 1 << 31, 4], b""),
    "promises more data than any memory holds, at byte 4")
of_idx("idx-no-images", "there is an image", idx(8, [0, 2, 2], b""), ["has no rows", "byte 4"])
of_idx("idx-of-no-size", "and it has a size", idx(8, [3, 0, 2], b""), ["has no columns", "byte 4"])
of_idx("idx-5-axes", "at most four axes", idx(8, [1] * 5, bytes(1)), ["more than 4 axes", "byte"])
of_idx("idx-255-axes", "and not very many", idx(8, [1] * 255, bytes(1)), ["more than 4 axes", "byte"])
of_idx("idx-type-unknown", "the type is known", idx(10, [3, 2, 2], bytes(12)), "1:1: a zero byte; this is no text")
of_idx("idx-images-of-floats", "images are bytes", idx(13, [1, 1, 1], bytes(4)), ["must hold bytes", "byte"])
of_idx("idx-infinity", "no number is infinite", idx(13, [1, 1], b"\x7f\x80\0\0"), ["row 1, column 1", "at byte 12"])
of_idx("idx-million-columns", "columns are at most --limit-columns", lambda: idx(8, [1, 1000000], bytes(1000000)),
    ["--limit-columns", "byte"])
