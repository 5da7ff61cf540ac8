"""The same files to us and to the readers that others trust: the safetensors package and NumPy without pickles. Whoever differs
must be on the list below, with the reason; and whatever is on the list must still be found."""
import ctypes
import dataclasses
import io
import os
import re
import warnings

import numpy
import pytest

import corpus
import support
import variants

ONE_BUILD = True

safetensors = pytest.importorskip("safetensors", reason="the safetensors package is missing; tools/setup test installs it")


@dataclasses.dataclass
class Difference:
    """`said` is what the one that refuses says: we, where we are the stricter ones."""
    stricter: bool
    said: str
    reason: str


MODEL = ("without a recipe|metadata lacks|its format is|is no count|: recipe:|: encoder: |which the net has|as the net has it|"
         "more than the net|: cost: |: net: ")

# In the order of the table in docs/hostile-files.md.
DIFFERENCES = {
    "safetensors": [
        Difference(True, MODEL, "a sound safetensors file is no Downhill model unless its metadata and its tensors make one"),
        Difference(True, "no finite number", "a weight that is no finite number"),
        Difference(True, "it has no bytes", "a tensor without bytes, which can share its place with another"),
        Difference(True, "shape isn't a list of sizes", "a tensor of more than 8 axes"),
        Difference(True, "its entry isn't", "an entry of the header with more than its three keys"),
        Difference(True, "key .* twice", "a key that stands twice in the metadata"),
        Difference(True, "a key with a zero byte", "a zero byte in a name"),
        Difference(True, "--limit-header", "a header over 16 MiB, unless a flag raises that; theirs is 100 MB"),
    ],
    "numpy": [
        Difference(True, "holds no plain numbers", "texts, dates, complex numbers, records: no columns of numbers"),
        Difference(True, "infinity", "an infinity"),
        Difference(True, "has no (rows|columns)|no axes|more than 4 axes",
                   "arrays of no axes, of more than four, without rows or columns"),
        Difference(True, "must hold bytes", "images that aren't bytes"),
        Difference(True, "NPY header is damaged",
                   "headers that only Python understands: hexadecimal numbers, escapes, comments"),
        Difference(True, "behind its end at byte", "bytes behind the data of an array"),
        Difference(True, "--limit-columns|--limit-ratio", "what is beyond a limit that a flag raises"),
        Difference(True, "zip archive is damaged",
                   "archives that don't say alike what they say twice, or miscount, or overlap"),
        Difference(True, "unpacks to another length|packed data is cut off", "packed arrays that aren't as long as was said"),
        Difference(True, "two of its arrays", "two arrays of one name: NumPy takes the last"),
        Difference(True, "is no NPY file", "members that are no arrays: NumPy gives their bytes"),
        Difference(True, "needs one array|counts must agree", "archives of which it isn't clear what to learn from"),
        Difference(False, "Header info length",
                   "a header over 10,000 bytes, which only NumPy refuses, for it evaluates headers"),
    ],
}


class Error(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("status", ctypes.c_int), ("text", ctypes.c_char * 1000)]


class Bytes(ctypes.Structure):
    _fields_ = [("data", ctypes.c_char_p), ("length", ctypes.c_size_t), ("name", ctypes.c_char_p)]


@pytest.fixture(scope="module")
def library():
    made = ctypes.CDLL(str(support.build("gcc") / "libdownhill.so"))
    for name in ("hill_table_free", "hill_model_free"):
        getattr(made, name).argtypes = [ctypes.c_void_p]
        getattr(made, name).restype = None
    return made


def our_table(library, content):
    """None, or why we refuse."""
    error, table = Error(ctypes.sizeof(Error)), ctypes.c_void_p()
    given = Bytes(content, len(content), b"f")
    status = library.hill_table_parse(ctypes.byref(given), None, None, ctypes.byref(table), ctypes.byref(error))
    library.hill_table_free(table)
    return None if status == 0 else error.text.decode(errors="replace")


def our_model(library, content):
    error, model = Error(ctypes.sizeof(Error)), ctypes.c_void_p()
    with open(os.memfd_create("model"), "wb", buffering=0) as file:
        file.write(content)
        path = f"/proc/self/fd/{file.fileno()}"
        status = library.hill_model_open(path.encode(), None, ctypes.byref(model), ctypes.byref(error))
    library.hill_model_free(model)
    return None if status == 0 else error.text.decode(errors="replace")


def their_table(content):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loaded = numpy.load(io.BytesIO(content), allow_pickle=False)
            if isinstance(loaded, numpy.lib.npyio.NpzFile):
                for name in loaded.files[:4]:
                    loaded[name]
        except Exception as error:  # whatever it is: they refuse
            return f"{type(error).__name__}: {error}"
    return None


def their_model(content):
    try:
        safetensors.deserialize(content)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def inputs(names, every):
    """The corpus' files of these names, and every so manieth variant of the samples."""
    for case in corpus.everything().values():
        if set(names) & set(case.words):
            for name, content in case.files().items():
                if name in names:
                    yield case.name, content
    for name, content in variants.SAMPLES.items():
        if name in names:
            for what, changed in [("as it is", content)] + variants.cut(content, every) + variants.turned(content, every):
                yield f"{name}, {what}", changed


@pytest.mark.parametrize("every", [pytest.param(13, id="some"), pytest.param(1, id="all", marks=pytest.mark.long)])
@pytest.mark.parametrize("theirs, names, ours, reference", [
    pytest.param("safetensors", ["m.safetensors"], our_model, their_model, id="safetensors"),
    pytest.param("numpy", ["f.npy", "g.npy", "f.npz", "g.npz"], our_table, their_table, id="numpy"),
])
def test_whoever_differs_is_listed(library, theirs, names, ours, reference, every, fact):
    unlisted, met, count = [], set(), 0
    for name, content in inputs(names, every):
        we, they = ours(library, content), reference(content)
        count += 1
        if (we is None) == (they is None):
            continue
        found = [listed.reason for listed in DIFFERENCES[theirs]
                 if listed.stricter == (they is None) and re.search(listed.said, we or they)]
        met.update(found)
        if len(found) != 1:
            unlisted.append(f"{name}: we say {we}; they say {they}; listed {found}")
    fact(f"files compared with {theirs}", count)
    assert not unlisted, f"{len(unlisted)} of {count}\n" + "\n".join(unlisted[:100])
    assert not [listed.reason for listed in DIFFERENCES[theirs] if listed.reason not in met]


def test_differences_are_published():
    """The tables of docs/hostile-files.md are the lists above."""
    text = (support.ROOT / "docs/hostile-files.md").read_text(encoding="ascii")
    for theirs, listed in DIFFERENCES.items():
        heading = {"safetensors": "The safetensors package", "numpy": "NumPy"}[theirs]
        section = text.split(f"### {heading}\n")[1].split("#")[0]
        published = re.findall(r"^\| ([^|]+) \| (ours|theirs) \|$", section, re.MULTILINE)
        assert published == [(one.reason, "ours" if one.stricter else "theirs") for one in listed]
