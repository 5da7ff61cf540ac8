"""Asks for documents by the program beside this file, and works out with NumPy what ought to stand in them."""
import base64
import json
import struct
import subprocess

import numpy

import support


def name_in_log(folder, log, **members):
    """Sets members of a log's first line; None takes one out."""
    first, rest = (folder / log).read_text(encoding="utf-8").split("\n", 1)
    said = json.loads(first) | members
    said = {key: value for key, value in said.items() if value is not None}
    (folder / log).write_text(json.dumps(said) + "\n" + rest, encoding="utf-8")
    return log


def train(downhill, data, *words, log="run.jsonl", model="run.safetensors", **members):
    downhill("train", data, "--log", log, "--out", model, *words)
    return name_in_log(downhill.folder, log, model=model, **members)


def has_page(downhill):
    """Whether the command was built with its page, for which Node is needed."""
    done = subprocess.run([downhill.program, "report", "nowhere.jsonl"], cwd=downhill.folder, capture_output=True, text=True, check=False)
    return "without its page" not in done.stderr


def ask_all(downhill, logs, *queries, code=0, live=None):
    """Each query's status and document, of one scene."""
    program = support.program(support.in_use(), "tests/documents")
    words = [program, *(["--live", live] if live else []), *([logs] if isinstance(logs, str) else logs), "--", *queries]
    done = subprocess.run(words, cwd=downhill.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
                          env=downhill.environment(), check=False)
    assert done.returncode == code, f"exit code {done.returncode}: {done.stdout[:2000]}{done.stderr[-6000:]}"
    if code:
        return done.stderr
    said = [line.split(" ", 1) for line in done.stdout.split("\n")[:-1]]
    assert len(said) == len(queries)
    return [(int(status), json.loads(document, parse_constant=lambda word: 1 / 0)) for status, document in said]


def ask(downhill, logs, query, status=200, **more):
    (found, document), = ask_all(downhill, logs, query, **more)
    assert found == status, document
    return document


def decoded(packed):
    """The numbers of {"low", "high", "data"}, and how far they may be from what they stand for."""
    q = numpy.frombuffer(base64.b64decode(packed["data"], validate=True), numpy.uint8)
    step = (packed["high"] - packed["low"]) / 255
    return packed["low"] + q * step, step / 2 + 1e-6 * max(abs(packed["low"]), abs(packed["high"]))


def must_be(packed, wanted):
    """That packed numbers are these, within half a step, and that their bounds are met."""
    values, off = decoded(packed)
    wanted = numpy.asarray(wanted, float).ravel()
    assert values.shape == wanted.shape
    assert numpy.abs(values - wanted).max() <= off
    assert numpy.isclose(packed["low"], wanted.min(), rtol=1e-5, atol=1e-6)
    assert numpy.isclose(packed["high"], wanted.max(), rtol=1e-5, atol=1e-6)


def bins_must_be(bins, values):
    """That counts are those of a histogram; a value that lies at a bin's edge may fall into its neighbour."""
    values = numpy.asarray(values, float).ravel()
    assert len(bins["counts"]) == 32 and sum(bins["counts"]) == values.size
    assert numpy.isclose(bins["low"], values.min(), rtol=1e-4, atol=1e-6)
    assert numpy.isclose(bins["high"], values.max(), rtol=1e-4, atol=1e-6)
    wanted = numpy.histogram(values, 32, (bins["low"], bins["high"]))[0]
    assert numpy.abs(numpy.cumsum(bins["counts"]) - numpy.cumsum(wanted)).max() <= max(2, values.size // 200)


class Model:
    """A model file, read by nothing of ours; answers rows in double precision."""

    def __init__(self, path):
        data = path.read_bytes()
        length, = struct.unpack("<Q", data[:8])
        header = json.loads(data[8:8 + length])
        self.facts = header.pop("__metadata__")
        self.encoder = json.loads(self.facts["encoder"])
        self.tensors = {}
        for name, entry in header.items():
            begin, end = (8 + length + at for at in entry["data_offsets"])
            self.tensors[name] = numpy.frombuffer(data[begin:end], "<f4").reshape(entry["shape"]).astype(float)

    def encode(self, rows):
        """Rows are dicts of texts, "" where one is missing."""
        made = []
        for row in rows:
            units = []
            for column in self.encoder["inputs"]:
                cell = row[column["name"]]
                if column["kind"] == "number":
                    number = column["fill"] if cell == "" else float(cell)
                    units.append((number - column["mean"]) / column["deviation"])
                    units += [float(cell == "")] if column["missing"] else []
                else:
                    values = column["values"] + ([None] if column["missing"] else []) + [...]
                    at = column["values"].index(cell) if cell in column["values"] else \
                        len(values) - 2 if cell == "" and column["missing"] else len(values) - 1
                    units += [float(i == at) for i in range(len(values))]
            made.append(units)
        return numpy.array(made)

    def units(self, inputs, hidden=lambda x: numpy.maximum(x, 0)):
        """What the units of each dense layer answer, the last before its activation."""
        found = []
        last = max(int(name[5:].split(".")[0]) for name in self.tensors)
        for i in range(1, last + 1):
            inputs = inputs @ self.tensors[f"layer{i}.weight"] + self.tensors[f"layer{i}.bias"]
            if i < last:
                inputs = hidden(inputs)
            found.append(inputs)
        return found


def softmax(logits):
    powers = numpy.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
