"""Small sound inputs for every fuzz target, and words to try, made from nothing but this file and the recipe's own tables.

    tests/fuzz/seeds.py FOLDER      writes FOLDER/TARGET/NAME and FOLDER/TARGET.dict
"""
import gzip
import io
import json
import pathlib
import re
import struct
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PLAIN = b"\x00"       # first byte: read as it stands
LIKE = b"\x01"        # with the columns that a model wants
CATEGORY = b"\x02"    # with the second column as categories
TEST = b"\x04"        # the test part
WRAPPED = b"\x80"     # what follows is packed by the target
DEFLATED = b"\xc0"
WIDE = b"\xa0"


def npy(kind, shape, data, order="False", version=1):
    header = f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}".encode()
    start = 10 if version == 1 else 12
    header += b" " * (-(start + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + data


def idx(kind, shape, data):
    return bytes([0, 0, kind, len(shape)]) + struct.pack(f">{len(shape)}I", *shape) + data


def npz(arrays, method):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in arrays.items():
            archive.writestr(zipfile.ZipInfo(name + ".npy", (1980, 1, 1, 0, 0, 0)), data, compress_type=method)
    return out.getvalue()


def packed(data):
    return gzip.compress(data, mtime=0)


def csvs():
    return {
        "header": PLAIN + b'age,name,"x""y"\n1.5,"a, ""b""",3\n?,\xc3\xa9,1e-3\n\n7,c,2\n',
        "bare": PLAIN + b"1,2,3\r\n4,5,6\r\n7,8,9\r\n",
        "mark": PLAIN + b"\xef\xbb\xbfa;b\n1,5;x\n2,5;y\n",
        "tabs": PLAIN + b"a\tb\n1\t2\n3\t4\n",
        "blanks": PLAIN + b" 1   2.5  -3\n 4 5 6\n",
        "like": LIKE + b"c1,c2\n1,red\n2,green\n",
        "missing": b"\x04" + b"a,b\nx,1\n?,2\n3,NaN\n",
        "yes": b"\x08" + b"1,2\n3,4\n",
        "no": b"\x10" + b"a,b\nc,d\n",
        "bar": b"\x80" + b"a|b\n1|2\n",
        "lines": PLAIN + b'a,b\n"1\n2",3\n4,"5\r\n6"\n',
        "twice": PLAIN + b"a,a,a\n1,2,3\n",
        "far": PLAIN + b"1e308,-1e-308\n0.1,123456789012345678901234567890\n",
    }


def trainings():
    """Tables with classes and with numbers to learn."""
    flowers = b"length,colour,kind\n" + b"".join(b"%d.5,%s,%s\n" % (i, (b"red", b"blue", b"")[i % 3], (b"a", b"b")[i % 2])
                                                for i in range(12))
    heights = b"x,y\n" + b"".join(b"%d,%d.25\n" % (i, i * i) for i in range(9)) + b"?,4\n3,\n"
    tables = {"flowers": flowers, "heights": heights}
    made = {f"{name}-{how}": bytes([how]) + text for name, text in tables.items() for how in range(16)}
    made["npy"] = b"\x01" + arrays()["doubles"]
    made["images"] = archives()["images"]
    made["huge"] = b"\x01" + b"1e308,-1e308\n-1e308,1e308\n0,1\n1e-308,2\n"
    return made


def arrays():
    numbers = struct.pack("<6d", *range(6))
    return {
        "doubles": npy("<f8", (3, 2), numbers),
        "floats": npy(">f4", (3, 2), struct.pack(">6f", *range(6)), "True"),
        "halves": npy("<f2", (4,), struct.pack("<4e", 0, 1, -2.5, 6e-8), version=2),
        "shorts": npy("<i2", (3, 2), struct.pack("<6h", *range(-3, 3)), version=3),
        "flags": npy("|b1", (3,), b"\0\1\1"),
        "bytes": npy("|u1", (2, 3, 2), bytes(range(12))),
        "colours": npy("|u1", (2, 1, 2, 3), bytes(range(12)), "True"),
        "large": npy("<u8", (2, 2), struct.pack("<4Q", 0, 1, 2**53, 2**64 - 1)),
    }


def images():
    return {
        "images": idx(8, (3, 2, 2), bytes(range(12))),
        "colours": idx(8, (1, 2, 2, 3), bytes(range(12))),
        "labels": idx(8, (6,), bytes(range(6))),
        "table": idx(8, (6, 2), bytes(range(12))),
        "signed": idx(9, (4,), bytes([0, 1, 254, 255])),
        "shorts": idx(11, (3,), struct.pack(">3h", -1, 0, 1)),
        "longs": idx(12, (3,), struct.pack(">3i", -1, 0, 1)),
        "floats": idx(13, (3, 1), struct.pack(">3f", -1, 0, 1)),
        "doubles": idx(14, (2,), struct.pack(">2d", 0.5, 1)),
    }


def archives():
    made = arrays()
    pair = {"x_train": made["doubles"], "y_train": made["flags"]}
    both = struct.pack(">H", len(pair["x_train"])) + pair["x_train"] + pair["y_train"]
    return {
        "stored": PLAIN + npz(pair, zipfile.ZIP_STORED),
        "deflated": PLAIN + npz(pair, zipfile.ZIP_DEFLATED),
        "one": CATEGORY + npz({"anything": made["shorts"]}, zipfile.ZIP_DEFLATED),
        "test": TEST + npz({"x": made["doubles"], "x_test": made["bytes"], "y_test": npy("|u1", (2,), b"\1\0")},
                           zipfile.ZIP_STORED),
        "images": PLAIN + npz({"images": made["bytes"], "labels": npy("<i4", (2,), struct.pack("<2i", 1, 0))},
                              zipfile.ZIP_STORED),
        "like": LIKE + npz({"data": made["doubles"], "target": made["flags"]}, zipfile.ZIP_STORED),
        "made": WRAPPED + both,
        "made-deflated": DEFLATED + both,
        "made-wide": WIDE + both,
    }


def gzips():
    text = csvs()["header"][1:]
    made = {
        "csv": PLAIN + packed(text),
        "members": PLAIN + packed(b"a,b\n1,") + packed(b"2\n3,4\n") + b"\0" * 5,
        "npy": CATEGORY + packed(arrays()["doubles"]),
        "idx": PLAIN + packed(images()["images"]),
        "npz": PLAIN + packed(npz({"x": arrays()["doubles"], "y": arrays()["flags"]}, zipfile.ZIP_DEFLATED)),
        "twice": PLAIN + packed(packed(text)),
        "made": WRAPPED + text,
        "made-npy": WRAPPED + arrays()["bytes"],
        "bomb": PLAIN + packed(b"1,2\n" * 20000),
    }
    return made


def safetensors(metadata, tensors):
    """A file's header and its tensors' bytes: tensors are (name, shape, values)."""
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, shape, values in tensors:
        end = len(data) + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(data), end]}
        data += struct.pack(f"<{len(values)}f", *values)
    return json.dumps(header, separators=(",", ":")).encode(), data


def net(*widths):
    """Tensors of a net with so many inputs, hidden units and outputs."""
    tensors = []
    for i, (n, m) in enumerate(zip(widths, widths[1:]), 1):
        tensors += [(f"layer{i}.weight", [n, m], [(k % 7 - 3) / 4 for k in range(n * m)]), (f"layer{i}.bias", [m], [0.5] * m)]
    return tensors


def both_forms(made):
    """Each file as it is on the disk, and with its length left to the target."""
    out = {}
    for name, (header, data) in made.items():
        header += b" " * (-len(header) % 8)
        out[name] = struct.pack("<Q", len(header)) + header + data
        out[name + "-made"] = header + b"\0" + data
    return out


ENCODERS = {
    "classes": {"header": True, "task": "classes", "inputs": [
        {"name": "a", "position": 0, "kind": "number", "fill": 1, "mean": 1.5, "deviation": 0.5, "missing": True},
        {"name": "colour", "position": 1, "kind": "category", "values": ["green", "red"], "missing": True}],
        "target": {"name": "k", "position": 2, "kind": "category", "classes": ["no", "yes"]}},
    "numbers": {"header": False, "task": "numbers", "inputs": [
        {"name": "c1", "position": 0, "kind": "number", "fill": 0, "mean": 0, "deviation": 1, "missing": False}],
        "target": {"name": "c3", "position": 2, "kind": "number", "mean": -2, "deviation": 1e-3}},
    "embedded": {"header": True, "task": "numbers", "inputs": [
        {"name": "a", "position": 0, "kind": "category", "values": ["x", "y"], "embedded": 3, "missing": True},
        {"name": "b", "position": 1, "kind": "number", "fill": 1, "edges": [0, 0.5, 2], "mean": 1, "deviation": 1, "missing": False}],
        "target": {"name": "k", "position": 2, "kind": "number", "mean": 0, "deviation": 1}},
    "image": {"header": False, "task": "classes", "inputs": [
        {"name": "image", "position": 0, "kind": "image", "height": 2, "width": 2, "channels": 1, "unit": 255, "mean": 0.1,
         "deviation": 0.3, "missing": False}],
        "target": {"name": "label", "position": 1, "kind": "number", "classes": ["0", "1", "9"]}},
}

RECIPES = {
    "empty": "",
    "lesson": "# the lesson\nnet=4 sigmoid, output sigmoid\nrule=sgd\nrate=0.01\n",
    "whole": "target=k\ntask=classes\nscale=standard\nvalid=0\nnet=2 tanh, output softmax\ncost=cross-entropy\nseed=1\n"
             "rule=adamw\nrate=0.001\nbatch=16\nepochs=3\norder=shuffled\nmomentum=0.9\nbeta1=0.9\nbeta2=0.999\nalpha=0.99\n"
             "epsilon=1e-8\ndecay=0.01\ndelta=1\nquantile=0.5\nl1=0\nmax-norm=3\ndropout-warmup=1\nfocus=2\nsmoothing=0.1\nweight=\nclass-weights=none\nschedule=cosine\nwarmup=0.5\ndrop=0.95\ndrop-every=10\npatience=10\n",
    "embed": "net=embed 1:5x2, 3 relu\n",
    "deep": "net=3 relu, 3 leaky-relu, 2 elu, 2 selu, 2 gelu, 2 silu, 2 mish, 2 softplus, 17, output identity\r\nbatch=full\n",
    "costs": "cost=poisson\nnet=2 exp, dropout 0.5, layernorm tanh\n",
    "rules": "rule=rmsprop\nschedule=step\ncost=huber\ninit=lecun\nmomentum = 0\n",
}


def models():
    def model(encoder, recipe, tensors):
        metadata = {"format": "downhill 1", "arith": "1", "recipe": recipe,
                    "encoder": json.dumps(encoder, separators=(",", ":")), "rows": "7", "epochs": "3", "steps": "3",
                    "best_epoch": "3"}
        return safetensors(metadata, tensors)
    return both_forms({
        "classes": model(ENCODERS["classes"], RECIPES["whole"], net(6, 2, 2)),
        "numbers": model(ENCODERS["numbers"], "net=output identity\ncost=squared\n", net(1, 1)),
        "embedded": model(ENCODERS["embedded"], "net=embed 1:4x3, output identity\ncost=squared\n",
                          [("layer1.table1", [4, 3], [0.5] * 12), ("layer2.weight", [5, 1], [1] * 5), ("layer2.bias", [1], [0])]),
        "image": model(ENCODERS["image"], "net=3 relu, 2\n", net(4, 3, 2, 3)),
    })


def weights():
    tensors = net(3, 2, 2)
    return both_forms({
        "bare": safetensors(None, tensors),
        "turned": safetensors({"arith": "1"}, tensors[::-1]),
        "run": safetensors({"arith": "1", "who": "\u00e9"}, tensors + [("run.step", [2], [1, 2])]),
        "more": safetensors(None, tensors + [("other", [], [1])]),
    })


def checkpoints():
    """Edits of a checkpoint that the target makes: where, how many bytes go, how many come, those."""
    def edit(at, cut, text):
        return struct.pack("<HBB", at, cut, len(text)) + text
    return {
        "sgd": b"\x00", "adamw": b"\x01", "later": b"\x06", "later-adamw": b"\x0d", "over": b"\x1e", "over-adamw": b"\x1f",
        "edit": b"\x07" + edit(1500, 1, b"1") + edit(1600, 0, b"null"), "weight": b"\x04" + edit(65000, 4, b"\0\0\x80\x3f"),
        "file": b"\x00" + models()["numbers-made"],
    }


def logs():
    return {
        "first": b'{"downhill":"0.1.0","recipe":"net=2\\n","data":"a.csv","rows":7,"model":"a.safetensors"}',
        "step": b'{"step":12,"epoch":1,"cost":1.5e-3,"rate":0.1,"train_cost":null,"seconds":-0.25}',
        "odd": rb' {"a\u0062" : [ true , {} , "\ud83d\ude00\/" ] , "ab\"" : "" } ',
    }


def jsons():
    made = {f"encoder-{name}": json.dumps(encoder).encode() for name, encoder in ENCODERS.items()}
    escapes = json.dumps(ENCODERS["classes"]).replace("colour", r"\u000a\u00e9").replace("yes", r"\u000c")
    made["encoder-escapes"] = escapes.encode()
    made["values"] = rb'{"a":[null,true,false,-0,1.5e-7,10],"\u00e9\ud83d\ude00":"\"\\\/\b\f\n\r\t","":{}}'
    made["deep"] = b"[" * 31 + b"]" * 31
    made["header"] = models()["classes-made"].split(b"\0")[0]
    return made


def numbers():
    texts = ["0", "-0", "1", "-1.5", "1e5", "1E-7", "0.1", ".5", "5.", "1e308", "1.7976931348623157e308",
             "1.7976931348623159e308", "4.9e-324", "2.4703282292062327e-324", "2.2250738585072011e-308", "9007199254740993",
             "18446744073709551615",
             "18446744073709551616", "inf", "-Infinity", "nan", "1e999", "1e-999", "+1",
             "1.00000005960464477539062500000000001", "0." + "0" * 300 + "1e300", "123456789" * 20]
    made = {f"text-{i:02}": text.encode() for i, text in enumerate(texts)}
    made.update({f"bits-{i}": struct.pack("<d", value) for i, value in enumerate((0.1, -5e-324, 1e23, 2**-44, 1.5))})
    return made


def plain(files):
    """Files that a target reads behind its first byte, and the second as a model wants them."""
    made = {name: PLAIN + data for name, data in files.items()}
    made.update({name + "-like": LIKE + data for name, data in list(files.items())[:2]})
    return made


TARGETS = {
    "checkpoint": checkpoints,
    "csv": csvs,
    "gz": gzips,
    "idx": lambda: plain(images()),
    "json": jsons,
    "log": lambda: jsons() | logs(),
    "model": models,
    "npy": lambda: plain(arrays()),
    "npz": archives,
    "numbers": numbers,
    "train": trainings,
    "recipe": lambda: {f"{name}-{how}": bytes([how]) + text.encode() for name, text in RECIPES.items() for how in (2, 129)},
    "weights": weights,
}


def table_words():
    """What the recipe's own tables have in quotes: keys and words of knobs, operators, rules, schedules."""
    tables = ("plan/knob.def", "plan/words.def", "op/op.def")
    text = "".join((ROOT / "src" / name).read_text(encoding="ascii") for name in tables)
    return sorted({word for row in re.findall(r'"([^"]*)"', text) for word in row.split()
                   if re.fullmatch(r"[a-z][a-z0-9-]*", word) and len(row) < 40})


CSV_WORDS = ["\"", "\"\"", ",", ";", "\t", "|", " ", "\r\n", "\n", "\r", "NA", "N/A", "?", "null", "NaN", "inf", "1e999",
             "\ufeff", "c1", "c2"]
JSON_WORDS = ["{", "}", "[", "]", ":", ",", "\"", "\\u0000", "\\ud800", "\\\"", "true", "false", "null", "-", "1e", "\\"]
NPY_WORDS = ["\x93NUMPY", "'descr': ", "'fortran_order': ", "'shape': ", "True", "False", "(3, 2)", "(3,)", "()", "'<f8'",
             "'>i2'", "'|u1'", "'|b1'", "'<f2'", "'|O'", "[('a', '<f8')]", ", ", "}"]
ENCODER_WORDS = ["header", "task", "classes", "numbers", "inputs", "target", "name", "position", "kind", "number", "category",
                 "image", "values", "missing", "fill", "mean", "deviation", "height", "width", "channels", "unit",
                 "embedded", "edges"]
MODEL_WORDS = ["__metadata__", "format", "downhill 1", "arith", "recipe", "encoder", "rows", "epochs", "steps", "best_epoch",
               "dtype", "F32", "F64", "shape", "data_offsets", "layer1.weight", "layer1.bias", "layer2.weight", "run."]
RUN_WORDS = ["data", "valid", "start", "seed", "step", "epoch_cost", "recent", "recent_steps", "good_step", "good_epoch_cost",
             "good_recent", "good_recent_steps", "first_cost", "ways_back", "best_epoch", "best_cost", "ended",
             "18446744073709551615", "1e308", "-1", "run.good.", "run.moment1.", "run.moment2."]
NUMBER_WORDS = ["e+", "e-", "E", ".", "inf", "infinity", "nan", "0x", "00000000", "99999999", "308", "-324"]
ZIP_WORDS = ["PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "PK\x06\x06", "PK\x06\x07", "x_train.npy", "y_test.npy", "images",
             "target"]


def words_of(target):
    return {
        "checkpoint": JSON_WORDS + RUN_WORDS + MODEL_WORDS,
        "csv": CSV_WORDS,
        "gz": ["\x1f\x8b\x08", *CSV_WORDS],
        "idx": ["\x00\x00\x08\x01", "\x00\x00\x08\x03", "\x00\x00\x0e\x02", "\x00\x00\x00\x01"],
        "json": JSON_WORDS + ENCODER_WORDS,
        "log": [*JSON_WORDS, "downhill", "recipe", "step", "cost"],
        "model": JSON_WORDS + ENCODER_WORDS + MODEL_WORDS + ["\\n", *table_words()],
        "npy": NPY_WORDS,
        "npz": NPY_WORDS + ZIP_WORDS,
        "numbers": NUMBER_WORDS,
        "recipe": ["output ", "\n", "=", ", ", *(word + "=" for word in table_words()), *table_words()],
        "train": [*CSV_WORDS, "target", "label", "class", "1e308", "-1e-308", "0"],
        "weights": JSON_WORDS + MODEL_WORDS,
    }[target]


def quoted(word):
    data = word.encode("utf-8" if max(word) > "\xff" else "latin-1")
    return '"' + "".join(chr(c) if 0x20 <= c < 0x7f and c not in b'"\\' else f"\\x{c:02x}" for c in data) + '"\n'


def write(folder, target):
    (folder / target).mkdir(parents=True, exist_ok=True)
    for name, data in TARGETS[target]().items():
        (folder / target / name).write_bytes(data)
    (folder / f"{target}.dict").write_text("".join(map(quoted, words_of(target))), encoding="ascii")


if __name__ == "__main__":
    for each in TARGETS:
        write(pathlib.Path(sys.argv[1]), each)
