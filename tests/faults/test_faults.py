"""Every call that can fail does, the first, the second, ... and the command ends well each time.

After each fault: the right exit code, 0 only where answers and model are whole and right; a message of one to three lines that
names what failed; no leak, no file left behind, the old file or the new one and never a part.

What a user would expect where nothing else says it:

- A call that is interrupted or does only a part of its work is gone on with; nothing is to be seen of it.
- Words to a person that get lost change neither the answer nor the exit code.
- Without memory or threads the exit code is 1; a file that can't be opened to be read is 66, one that can't be made 73.
- A log that isn't whole never costs the model: it is saved, and the exit code tells of the log.
"""
import gzip
import io
import random

import numpy
import pytest

import faults
import support

NET = ["--net", "4 tanh", "--epochs", "2", "--batch", "16", "--valid", "0.25"]
INPUTS = ("csv", "csv.gz", "npz")
VERBS = ("train", "predict", "predict-out", "eval", "info-data", "info-model", "check")


def table(rows=36):
    """Three classes that two numbers and a colour tell apart."""
    draw = random.Random(1)
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


def data_file(kind):
    content = {"csv": table, "csv.gz": lambda: gzip.compress(table(), mtime=0), "npz": arrays}[kind]()
    return f"trees.{kind}", content


def cases(bench, kind):
    """The verbs' command lines on an input, each with the files it begins with."""
    name, content = data_file(kind)
    train = faults.Case(["train", name, *NET, "--log", "run.jsonl", "--out", "m.safetensors", "--json"], {name: content},
                        ("m.safetensors", "run.jsonl"))
    bench.restore(train.before)
    made = bench.run(train)
    assert made.code == 0, made
    other = faults.Case([*train.words, "--seed", "2"], train.before)
    bench.restore(other.before)
    old = bench.run(other)
    assert old.code == 0 and old.files["m.safetensors"] != made.files["m.safetensors"]
    both = {name: content, "m.safetensors": made.files["m.safetensors"]}
    return {
        "train": faults.Case(train.words, old.files, train.outputs, again=True),
        "predict": faults.Case(["predict", "m.safetensors", name], both),
        "predict-out": faults.Case(["predict", "m.safetensors", name, "--out", "answers.csv"], {**both, "answers.csv": b"old"},
                                   ("answers.csv",)),
        "eval": faults.Case(["eval", "m.safetensors", name], both),
        "info-data": faults.Case(["info", name], both),
        "info-model": faults.Case(["info", "m.safetensors", "--json"], both),
        "check": faults.Case(["check", "m.safetensors", name], both),
    }


def combinations():
    for build in ("asan", "gcc"):
        for kind in INPUTS:
            for verb in VERBS:
                marks = [] if (build, kind) == ("asan", "csv") else [pytest.mark.long]
                yield pytest.param(build, kind, verb, marks=marks, id=f"{build}-{kind}-{verb}")


@pytest.mark.parametrize("build, kind, verb", combinations())
def test_every_call_fails(build, kind, verb, tmp_path, fact):
    bench = faults.Bench(build, tmp_path)
    campaign = faults.Campaign(bench, cases(bench, kind)[verb])
    campaign.put_all()
    bench.close()
    counts = campaign.counts
    fact(f"faults put into {verb} ({build}, {kind})",
         f"{sum(counts.values()):,}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items()))
