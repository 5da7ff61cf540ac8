"""Bad input: each kind gets one clear line, its exit code, and leaves nothing behind."""
import gzip
import json
import os
import resource
import struct
import subprocess

import numpy
import pytest

from command_line import CREATE, DATA, INPUT, IO, QUICK, USAGE
from command_tables import classes_table

pytestmark = pytest.mark.quick

GOOD = "a,b,y\n" + "".join(f"{i},{i * i % 7},{'yes' if i % 2 else 'no'}\n" for i in range(20))


def rows(*extra):
    return GOOD + "".join(extra)


# name, content, exit code, words that must be said
FILES = [
    ("empty.csv", "", DATA, ["empty.csv"]),
    ("header.csv", "a,b,y\n", DATA, ["header.csv"]),
    ("ragged.csv", rows("1,2\n"), DATA, ["ragged.csv:22"]),
    ("long.csv", rows("1,2,yes,4\n"), DATA, ["long.csv:22"]),
    ("quote.csv", rows('1,2,"yes\n'), DATA, ["quote.csv:22"]),
    ("inf.csv", rows("inf,2,yes\n"), DATA, ["inf.csv:22:1"]),
    ("huge.csv", rows("1,1e999,yes\n"), DATA, ["huge.csv:22:"]),
    ("digits.csv", rows("9" * 400 + ",2,yes\n"), DATA, ["digits.csv:22:1"]),
    ("nul.csv", rows("1,2\0,yes\n").encode(), DATA, ["nul.csv:22"]),
    ("utf8.csv", rows().encode() + b"1,2,y\xffes\n", DATA, ["utf8.csv:22"]),
    ("one-class.csv", "a,y\n" + "".join(f"{i},yes\n" for i in range(20)), DATA, ["y", "yes"]),
    ("constant.csv", "a,y\n" + "".join(f"{i},3.5\n" for i in range(20)), DATA, ["y"]),
    ("truncated.csv.gz", gzip.compress(GOOD.encode() * 50)[:-40], DATA, ["truncated.csv.gz"]),
    ("flipped.csv.gz", gzip.compress(GOOD.encode())[:-6] + b"\0\0\0\0\0\0", DATA, ["flipped.csv.gz"]),
    ("t-images-idx3-ubyte", struct.pack(">IIII", 0x803, 10, 4, 4) + bytes(100), DATA, ["t-images-idx3-ubyte"]),
    ("magic.npy", b"\x93NUMPY\x01\x00\xff\xff{", DATA, ["magic.npy"]),
    ("fake.npz", b"PK\x03\x04" + bytes(30), DATA, ["fake.npz"]),
]


@pytest.mark.parametrize("name, content, code, words", FILES, ids=[row[0] for row in FILES])
def test_data_file(downhill, name, content, code, words):
    downhill.write(name, content)
    said = downhill.refuse(code, "train", name)
    for word in words:
        assert word in said, said


def test_missing_file(downhill):
    for words in (["train", "nothing.csv"], ["info", "nothing.csv"], ["eval", "nothing.safetensors", "xor.csv"],
                  ["train", "xor.csv", "--test", "nothing.csv"], ["train", "xor.csv", "--valid", "nothing.csv"],
                  ["train", "xor.csv", "--targets", "nothing.csv"], ["train", "xor.csv", "--recipe", "nothing.recipe"],
                  ["train", "xor.csv", "--start", "nothing.safetensors"], ["train", "no/folder/nothing.csv"]):
        assert "nothing" in downhill.refuse(INPUT, *words)


def test_folder_without_the_names(downhill):
    downhill.write("folder/other.txt", "x")
    assert "train-images-idx3-ubyte" in downhill.refuse(DATA, "train", "folder")


def test_target_that_is_not_there(downhill):
    said = downhill.refuse(DATA, "train", "xor.csv", "--target", "z")
    assert "z" in said and "x1" in said
    downhill.refuse(DATA, "train", "xor.csv", "--target", "9")


def test_idx_whose_counts_disagree(downhill):
    downhill.write("d-images-idx3-ubyte", struct.pack(">IIII", 0x803, 10, 4, 4) + bytes(160))
    downhill.write("d-labels-idx1-ubyte", struct.pack(">II", 0x801, 9) + bytes(9))
    said = downhill.refuse(DATA, "train", "d-images-idx3-ubyte")
    assert "10" in said and "9" in said


def test_targets_whose_counts_disagree(downhill):
    downhill.write("t.csv", "y\n0\n1\n")
    downhill.refuse(DATA, "train", "xor.csv", "--targets", "t.csv")


def test_npy_with_text_in_it(downhill):
    numpy.save(downhill.folder / "objects.npy", numpy.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "objects.npy" in downhill.refuse(DATA, "train", "objects.npy")


def test_text_in_a_number_column_at_prediction(trees):
    trees.write("odd.csv", "width,height,colour\n1,2,red\n1,tall,red\n")
    said = trees.refuse(DATA, "predict", "trees.safetensors", "odd.csv")
    assert "odd.csv:3:" in said and "tall" in said
    assert "height" in trees.refuse(DATA, "predict", "trees.safetensors", trees.write("less.csv", "width,colour\n1,red\n"))


def test_a_bad_file_is_as_bad_from_standard_input(downhill):
    said = downhill.refuse(DATA, "train", "-", text_in=rows("1,2\n"))
    assert "standard input:22" in said
    downhill.refuse(DATA, "train", "-", text_in="")


def test_model_where_data_was_expected_and_the_reverse(trees):
    assert "model" in trees.refuse(DATA, "train", "trees.safetensors")
    assert "trees.csv" in trees.refuse(DATA, "eval", "trees.csv", "trees.safetensors")
    assert "model" in trees.refuse(DATA, "predict", "trees.safetensors", "trees.safetensors")


def test_hurt_models(trees):
    whole = (trees.folder / "trees.safetensors").read_bytes()
    for name, content in [("cut", whole[:-7]), ("head", whole[:5]), ("long", whole + b"1234"),
                          ("size", struct.pack("<Q", 1 << 40) + whole[8:]), ("json", whole[:8] + b"[" + whole[9:]),
                          ("none", b"")]:
        trees.write(f"{name}.safetensors", content)
        assert name in trees.refuse(DATA, "eval", f"{name}.safetensors", "trees.csv")
        assert name in trees.refuse(DATA, "predict", f"{name}.safetensors", "trees.csv")


def test_output_that_cannot_be_created(downhill):
    downhill.write("notes.safetensors", "my notes")
    assert "notes" in downhill.refuse(CREATE, "train", "xor.csv", "--out", "notes.safetensors")
    assert (downhill.folder / "notes.safetensors").read_text() == "my notes"
    downhill.write("notes.jsonl", "my notes")
    downhill.refuse(CREATE, "train", "xor.csv", "--log", "notes.jsonl")
    downhill.refuse(CREATE, "train", "xor.csv", "--log", "xor.csv")
    assert (downhill.folder / "notes.jsonl").read_text() == "my notes"
    for out in ("no/folder/m.safetensors", ".", "x" * 300, "x" * 252, "/dev/null"):
        downhill.refuse(CREATE, "train", "xor.csv", "--out", out)
    downhill.refuse(CREATE, "train", "xor.csv", "--log", "no/folder/run.jsonl")
    downhill.refuse(USAGE, "train", "xor.csv", "--log", "xor.safetensors")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written(downhill):
    downhill.folder.chmod(0o555)
    try:
        downhill.refuse(CREATE, "train", "xor.csv")
    finally:
        downhill.folder.chmod(0o755)


def test_output_is_looked_at_before_training(downhill):
    downhill.write("data.csv", classes_table(60))
    downhill.write("data.safetensors", "not a model")
    said = downhill.refuse(CREATE, "train", "data.csv", "--epochs", "1000000000", "--patience", "0", timeout=20)
    assert "--out" in said


def limited(downhill, size, words):
    """Runs with a limit on the size of files, which fails writes as a full disk does."""
    return subprocess.run([downhill.program, *words], cwd=downhill.folder, capture_output=True, text=True, check=False,
                          env=downhill.environment(), stdin=subprocess.DEVNULL,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))


def test_disk_full(trees):
    before = (trees.folder / "trees.safetensors").read_bytes()
    done = limited(trees, 1000, ["train", "trees.csv", *QUICK])
    assert done.returncode == IO, done.stderr
    assert "trees.safetensors" in done.stderr
    assert (trees.folder / "trees.safetensors").read_bytes() == before
    done = limited(trees, 1000, ["predict", "trees.safetensors", "trees.csv", "--out", "answers.csv"])
    assert done.returncode == IO and "answers.csv" in done.stderr
    assert sorted(path.name for path in trees.folder.iterdir()) == ["trees.csv", "trees.safetensors", "xor.csv"]


def test_log_on_a_full_disk(downhill):
    """The model is saved all the same; the exit code tells that the log isn't whole."""
    done = downhill("train", "xor.csv", *QUICK, "--log", "/dev/full", code=IO)
    assert "/dev/full" in done.stderr
    assert (downhill.folder / "xor.safetensors").exists()


def test_full_standard_output(trees):
    for words in (["predict", "trees.safetensors", "trees.csv"], ["eval", "trees.safetensors", "trees.csv"], ["help"],
                  ["info"], ["--version"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([trees.program, *words], cwd=trees.folder, stdout=full, stderr=subprocess.PIPE, text=True,
                                  check=False)
        assert done.returncode == IO
        assert done.stderr == "downhill: standard output: No space left on device\n"


def test_closed_descriptors_are_not_files_of_ours(trees):
    done = subprocess.run(["sh", "-c", '"$0" eval trees.safetensors trees.csv --json >&-', trees.program], cwd=trees.folder,
                          capture_output=True, text=True, check=False)
    assert done.returncode == IO
    done = subprocess.run(["sh", "-c", '"$0" train trees.csv --epochs 3 --log run.jsonl 2>&-', trees.program],
                          cwd=trees.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for line in (trees.folder / "run.jsonl").read_text().splitlines():
        json.loads(line)


def test_reader_that_goes_away(trees):
    trees.write("many.csv", "width,height,colour\n" + "1,2,red\n" * 50000)
    done = subprocess.run(["bash", "-c", '"$0" predict trees.safetensors many.csv | head -1; echo ${PIPESTATUS[0]}', trees.program],
                          cwd=trees.folder, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""
