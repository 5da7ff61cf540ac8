"""The limits: each refuses one more than it says, names its flag, and is raised by it; none changes a bit of a model."""
import gzip
import io
import json
import struct

import numpy
import pytest

from runner import hostile, measured  # noqa: F401  (fixtures)

QUICK = ["--epochs", "2", "--net", "2 tanh"]


def npy(array):
    out = io.BytesIO()
    numpy.save(out, array)
    return out.getvalue()


def wide_csv(columns):
    row = ",".join("1" for _ in range(columns))
    return f"{row}\n{row}\n"


def long_header_npy(length):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }".ljust(length - 1) + b"\n"
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", length) + header + bytes([1, 2, 3, 4])


def named_gzip(name):
    packed = gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0)
    return packed[:3] + b"\x08" + packed[4:10] + name + b"\0" + packed[10:]


def zeros_gzip(size):
    return gzip.compress(bytes([10]) * size + b"a,b\n1,2\n3,4\n", compresslevel=9, mtime=0)


# Flag, what it is set to, a file that needs just that, a file that needs one more.
CASES = [
    ("line", 100, "csv", "a,b\n1," + "2" * 98 + "\n3,4\n", "a,b\n1," + "2" * 99 + "\n3,4\n"),
    ("line", 100, "quoted.csv", 'a,b\n1,"' + "x\n" * 48 + '"\n3,4\n', 'a,b\n1,"' + "x\n" * 49 + '"\n3,4\n'),
    ("columns", 50, "csv", wide_csv(50), wide_csv(51)),
    ("columns", 50, "npy", npy(numpy.ones((3, 50), "u1")), npy(numpy.ones((3, 51), "u1"))),
    ("columns", 50, "idx", struct.pack(">III", 0x802, 2, 50) + bytes(100), struct.pack(">III", 0x802, 2, 51) + bytes(102)),
    ("header", 70, "names.csv", "a," + "b" * 67 + "\n1,2\n", "a," + "b" * 68 + "\n1,2\n"),
    ("header", 128, "npy", long_header_npy(128), long_header_npy(129)),
    ("header", 100, "csv.gz", named_gzip(b"n" * 89), named_gzip(b"n" * 90)),
    ("ratio", 300, "csv.gz", zeros_gzip(24 << 20), zeros_gzip(80 << 20)),
]


@pytest.mark.parametrize("limit, value, name, good, bad", CASES, ids=[f"{case[0]}-{case[2]}" for case in CASES])
def test_limit(hostile, limit, value, name, good, bad):
    flag = f"--limit-{limit}"
    hostile.write(f"good.{name}", good)
    hostile.write(f"bad.{name}", bad)
    assert hostile("info", f"good.{name}", flag, value).code == 0
    said = hostile.refuse("info", f"bad.{name}", flag, value).said
    assert flag in said and str(value) in said, said
    assert hostile("info", f"bad.{name}", flag, value * 10).code == 0


@pytest.fixture
def model(hostile):
    hostile.write("d.csv", "".join(f"{i},{i * i % 5},{i % 2}\n" for i in range(30)))
    assert hostile("train", "d.csv", *QUICK, "--out", "m.safetensors").code == 0
    return hostile


@pytest.mark.parametrize("verb", ["eval", "predict", "check", "info"])
def test_every_verb_takes_the_limits(model, verb):
    words = [verb, "m.safetensors"] + (["d.csv"] if verb != "info" else [])
    good = model(*words)
    assert good.code == 0
    assert model(*words, "--limit-header", 100000, "--limit-line=100", "--limit-columns", 3, "--limit-ratio", 1).out == good.out
    assert "m.safetensors: its header of " in model.refuse(*words, "--limit-header", 100).said
    if verb != "info":
        assert "--limit-columns" in model.refuse(*words, "--limit-columns", 2).said
        assert "--limit-line" in model.refuse(*words, "--limit-line", 3).said
    assert "out of bounds" in model.refuse(*words, "--limit-line", 0, code=2).said
    assert "did you mean --limit-line?" in model.refuse(*words, "--limit-lime", 9, code=2).said


def test_limits_are_recipe_keys_that_no_model_keeps(model):
    first = (model.folder / "m.safetensors").read_bytes()
    model.write("r.recipe", "limit-line=50\nlimit-columns=3\nlimit-header=100000\nlimit-ratio=7\n")
    assert model("train", "d.csv", *QUICK, "--out", "n.safetensors", "--recipe", "r.recipe").code == 0
    assert (model.folder / "n.safetensors").read_bytes() == first
    recipe = json.loads(model("info", "n.safetensors", "--json").out)["recipe"]
    assert recipe and not any("limit" in key for key in recipe)
    model.write("r.recipe", "limit-columns=2\n")
    assert "--limit-columns" in model.refuse("train", "d.csv", *QUICK, "--out", "o.safetensors", "--recipe", "r.recipe").said
    assert model("train", "d.csv", *QUICK, "--recipe", "r.recipe", "--limit-columns", 3, "--out", "o.safetensors").code == 0


def test_a_start_model_is_under_the_limits_too(model):
    words = ["train", "d.csv", *QUICK, "--start", "m.safetensors", "--out", "n.safetensors"]
    assert "--limit-header" in model.refuse(*words, "--limit-header", 100).said
    assert model(*words).code == 0


def test_a_long_header_loses_no_training(model):
    """A model whose header is beyond the limit is saved all the same, and opens once the limit is raised."""
    model.write("texts.csv", "a,b,y\n" + "".join(f"{i % 40:0200},{i},{i % 2}\n" for i in range(80)))
    words = ["train", "texts.csv", *QUICK, "--category", "a", "--out", "t.safetensors"]
    assert model(*words, "--limit-header", 5000).code == 0
    assert "--limit-header" in model.refuse("info", "t.safetensors", "--limit-header", 5000).said
    assert model("info", "t.safetensors").code == 0
