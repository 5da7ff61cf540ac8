"""Every call that can fail does, the first, the second, ... and the command ends well each time.

After each fault: the right exit code, 0 only where answers and model are whole and right; a message of one to three lines that
names what failed; no leak, no file left behind, the old file or the new one and never a part.

What a user would expect where nothing else says it:

- A call that is interrupted or does only a part of its work is gone on with; nothing is to be seen of it.
- Words to a person that get lost change neither the answer nor the exit code.
- Without memory or threads the exit code is 1; a file that can't be opened to be read is 66, one that can't be made 73.
  A model that can't be saved when it is trained, for whatever reason of the disk, is 74, after some tries.
- A log that isn't whole never costs the model: it is saved, and the exit code tells of the log.
- A checkpoint that can't be written is warned of, and the descent goes on. One that can't be read gives way to the other one;
  where there is no other, nothing is begun anew over what may be good: the command ends and says what --fresh would do.
- A training that failed, or was asked to end in the middle of any call, ends well when it is started again: the same model to
  the byte, the same log but for its seconds, nothing left beside them.

Calls inside the C library aren't met, but what they would fail: realpath and threads fail as wholes. Those of zlib are met: it
takes its memory through the library's allocator.
"""
import dataclasses
import gzip
import io
import os
import random
import struct

import numpy
import pytest

import faults

NET = ["--net", "4 tanh", "--epochs", "2", "--batch", "16", "--valid", "0.25"]
INPUTS = ("csv", "csv.gz", "npz", "idx", "stdin")
VERBS = ("train", "train-files", "train-back", "resume", "resume-first", "resume-file", "predict", "predict-out", "eval",
         "info-data", "info-model", "check", "find-rate", "race", "help")
ONLY_CSV = ("train-files", "train-back", "info-model", "find-rate", "race", "help")
WITHOUT_SANITIZERS = ("train-files", "train-back", "resume-first", "resume-file", "find-rate", "race")  # in `make test`, where time is short


def table(rows=36, seed=1):
    """Three classes that two numbers and a colour tell apart."""
    draw = random.Random(seed)
    lines = ["width,height,colour,kind"]
    for i in range(rows):
        kind = ("ash", '"birch, white"', "cedar")[i % 3]
        lines.append(f"{draw.gauss(i % 3, 0.5):.3f},{draw.gauss(-i % 3, 0.5):.3f},{('red', 'green', 'green')[i % 3]},{kind}")
    return ("\n".join(lines) + "\n").encode()


def arrays(rows=36, test_rows=9):
    """The same as arrays of a training and a test part, packed."""
    draw = random.Random(2)
    y = [i % 3 for i in range(rows + test_rows)]
    x = numpy.array([[draw.gauss(k, 0.5), draw.gauss(-k, 0.5)] for k in y])
    file = io.BytesIO()
    numpy.savez_compressed(file, x_train=x[:rows], y_train=numpy.array(y[:rows]), x_test=x[rows:], y_test=numpy.array(y[rows:]))
    return file.getvalue()


def images(rows=36):
    """Images of 3 x 3 bytes and their labels, the first of the two packed."""
    pixels = bytes((i * 7 + i // 9 % 3 * 80) % 256 for i in range(rows * 9))
    return {"t-images-idx3-ubyte.gz": gzip.compress(struct.pack(">IIII", 0x803, rows, 3, 3) + pixels, mtime=0),
            "t-labels-idx1-ubyte": struct.pack(">II", 0x801, rows) + bytes(i % 3 for i in range(rows))}


def data_files(kind):
    """The files of an input, the operand that names it, and what comes on standard input."""
    if kind == "csv.gz":
        return {"trees.csv.gz": gzip.compress(table(), mtime=0)}, "trees.csv.gz", os.devnull
    if kind == "npz":
        return {"trees.npz": arrays()}, "trees.npz", os.devnull
    if kind == "idx":
        return images(), "t-images-idx3-ubyte.gz", os.devnull
    return {"trees.csv": table()}, *(("-", "trees.csv") if kind == "stdin" else ("trees.csv", os.devnull))


def train_case(files, data, stdin):
    words = ["train", data, *NET, "--checkpoint-every", "1", "--log", "run.jsonl", "--out", "m.safetensors", "--json"]
    return faults.Case(words, files, ("m.safetensors", "run.jsonl"), stdin)


def with_many_files(case, model):
    """A training that reads a recipe, validation rows, test rows and first weights."""
    files = {**case.before, "r.recipe": b"# the net\nnet=4 tanh\nepochs=2\nbatch=16\n", "v.csv": table(9, 2),
             "t.csv": table(9, 3), "s.safetensors": model}
    words = ["train", "trees.csv", "--recipe", "r.recipe", "--valid", "v.csv", "--test", "t.csv", "--start", "s.safetensors",
             "--log", "run.jsonl", "--out", "m.safetensors"]
    return dataclasses.replace(case, words=words, before=files)


def resumed(bench, case):
    """The same command once more, killed when there was one checkpoint or all but the last step were done; and one that is told
    what to go on from."""
    bench.restore(case.before)
    first = bench.run(case, "rename", "die", 1).files
    bench.restore(case.before)
    left = bench.run(case, "rename", "die", 3).files
    saved = max((content for name, content in left.items() if faults.CHECKPOINT.fullmatch(name)), key=faults.step_of)
    alone = {name: content for name, content in left.items() if not faults.CHECKPOINT.fullmatch(name)}
    words = [*case.words, "--resume", "saved"]
    return {"resume": dataclasses.replace(case, before=left),
            "resume-first": dataclasses.replace(case, before=first),
            "resume-file": dataclasses.replace(case, words=words, before={**alone, "saved": saved})}


def going_back(case):
    """A training that diverges, goes back to its last good weights and ends well."""
    words = ["train", "trees.csv", "--target", "height", "--net", "4 relu", "--epochs", "2", "--batch", "4", "--valid", "0.25",
             "--rule", "sgd", "--rate", "3", "--checkpoint-every", "4", "--log", "run.jsonl", "--out", "m.safetensors"]
    return dataclasses.replace(case, words=words)


def made_by(bench, case, *more):
    """The files that a training makes."""
    case = dataclasses.replace(case, words=case.words + list(more))
    bench.restore(case.before)
    run = bench.run(case)
    assert run.code == 0, run
    return run.files


def cases(bench, kind):
    """The verbs' command lines on an input, each with the files it begins with: of the outputs old ones, to be written over."""
    files, data, stdin = data_files(kind)
    train = train_case(files, data, stdin)
    model = made_by(bench, train)["m.safetensors"]
    train.before = made_by(bench, train, "--seed", "2")
    assert train.before["m.safetensors"] != model
    train.checkpoints = bench.checkpoints_of(train)
    files = {**files, "m.safetensors": model}
    made = {
        "train": train,
        **resumed(bench, train),
        "predict": ["predict", "m.safetensors", data],
        "predict-out": faults.Case(["predict", "m.safetensors", data, "--out", "answers.csv"], {**files, "answers.csv": b"old"},
                                   ("answers.csv",), stdin),
        "eval": ["eval", "m.safetensors", data],
        "info-data": ["info", data],
        "info-model": ["info", "m.safetensors", "--json"],
        "check": ["check", "m.safetensors", data],
        "find-rate": faults.Case(["find-rate", data, *NET, "--svg", "p.svg", "--log", "run.jsonl", "--json"],
                                 {**files, "p.svg": b"<svg old"}, ("p.svg", "run.jsonl"), stdin),
        "race": faults.Case(["race", data, *NET, "--rules", "sgd,adam", "--checkpoint-every", "0", "--out", ".", "--json"], files,
                            ("race.jsonl", *(f"{rule}.{kind}" for rule in ("sgd", "adam") for kind in ("jsonl", "safetensors"))),
                            stdin),
        "help": ["help", "train"],
    }
    if kind == "csv":
        made["train-files"] = with_many_files(train, model)
        made["train-back"] = going_back(train)
        for verb in ("train-files", "train-back"):
            made[verb].checkpoints = bench.checkpoints_of(made[verb])
    return {verb: case if isinstance(case, faults.Case) else faults.Case(case, files, (), stdin) for verb, case in made.items()}


def combinations():
    """Every verb on one input is for `make test`, mostly under the sanitizers; everything else for `make test-long`."""
    for build in ("asan", "gcc"):
        for kind in INPUTS:
            for verb in VERBS:
                if kind != "csv" and verb in ONLY_CSV:
                    continue
                usual = "gcc" if verb in WITHOUT_SANITIZERS else "asan"
                marks = [] if (build, kind) == (usual, "csv") else [pytest.mark.long]
                yield pytest.param(build, kind, verb, marks=marks, id=f"{build}-{kind}-{verb}")


@pytest.mark.parametrize("build, kind, verb", combinations())
def test_every_call_fails(build, kind, verb, fact):
    with faults.Bench(build) as bench:
        campaign = faults.Campaign(bench, cases(bench, kind)[verb])
        campaign.put_all()
    counts = campaign.counts
    fact(f"faults put into {verb} ({build}, {kind})",
         f"{sum(counts.values()):,}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
