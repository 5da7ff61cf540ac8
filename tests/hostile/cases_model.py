"""Hostile models: safetensors files, and what stands in a Downhill model's metadata."""
import struct

import files
from corpus import ROWS, case, entry, model_case as add, text_of
from files import changed, encoder, aimed, model

MIB = 1 << 20
T = "layer1.weight"

add("model-sound", "a sound model answers", model(), "prediction", code=0)

# ---- the container -----------------------------------------------------------------------------------------------------------

add("model-empty", "an empty file is no model", b"", "it is empty")
add("model-cut-length", "eight bytes of length come first", model()[:5], "is not a Downhill model")
add("model-header-over-end", "the header ends within the file", lambda: files.safetensors("{}", b"", 1000),
    ["cut off", "byte 10"])
add("model-header-huge", "a length of 2^63 is no header's", lambda: files.safetensors("{}", b"", 1 << 63),
    "is not a Downhill model")
add("model-header-100mb", "a header is at most --limit-header", lambda: files.safetensors(b"{".ljust(100 * MIB)),
    ["--limit-header", "byte 0"])
add("model-header-17mb", "also where all of it is sound", lambda: text_of(lambda text: text.ljust(17 * MIB)),
    ["--limit-header", "byte 0"])
add("model-header-is-array", "the header is an object", lambda: files.safetensors("[]"), "is not a Downhill model")
add("model-header-with-more-behind", "nothing follows the header's object", lambda: text_of(lambda text: text + "{}"),
    "behind the end of the value at byte")
add("model-header-cut", "the header is whole JSON", lambda: text_of(lambda text: text[:-3]), "at byte")
add("model-deep-nesting", "nesting is at most 32 deep", lambda: files.safetensors('{"a":' + "[" * 100000 + "]" * 100000 + "}"),
    "nesting over 32 deep at byte")
add("model-many-values", "values take no more memory than their text justifies",
    lambda: files.safetensors('{"a":[' + "0," * (8 * MIB - 10) + "0]}"), "too many values for its length at byte")
add("model-many-entries", "entries are looked at before they are stored",
    lambda: files.safetensors("{" + ",".join(f'"{i:x}":0' for i in range(1000000)) + "}"), "its entry isn't")
add("model-duplicate-key", "a tensor stands once", lambda: text_of(lambda text: text.replace("layer1.bias", "layer2.bias")),
    ["twice", "at byte"])
add("model-duplicate-key-escaped", "keys are compared decoded",
    lambda: text_of(lambda text: text.replace("layer1.bias", "l\\u0061yer2.bias")), ["twice", "at byte"])
add("model-duplicate-metadata", "a key of the metadata stands once",
    lambda: text_of(lambda text: text.replace('"epochs"', '"rows"')), ["twice", "at byte"])
add("model-duplicate-dtype", "a key of an entry stands once",
    lambda: text_of(lambda text: text.replace('"shape"', '"dtype"', 1)), ["twice", "at byte"])
add("model-lone-high-surrogate", "a surrogate has its other half",
    lambda: text_of(lambda text: text.replace("layer1.bias", "\\ud800")), "a lone surrogate at byte")
add("model-lone-low-surrogate", "a surrogate follows its other half",
    lambda: text_of(lambda text: text.replace("layer1.bias", "\\udc00x")), "a lone surrogate at byte")
add("model-bad-utf8", "the header is UTF-8", lambda: files.safetensors(b'{"\xed\xa0\x80":1}'), "invalid UTF-8 at byte")
add("model-control-character", "no control character stands in a string",
    lambda: text_of(lambda text: text.replace("layer1.bias", "layer1\tbias")), "a control character in a string at byte")
add("model-zero-byte-in-key", "a key holds no zero byte",
    lambda: text_of(lambda text: text.replace("layer1.bias", "layer1\\u0000")), "a key with a zero byte at byte")
add("model-bom", "no byte order mark comes first", lambda: files.safetensors(b"\xef\xbb\xbf{}"), "is not a Downhill model")
add("model-unquoted", "JSON and nothing like it: keys", lambda: files.safetensors("{a:1}"),
    "a key in quotes is missing at byte 1")
add("model-comment", "JSON and nothing like it: comments", lambda: files.safetensors('{"a":1/**/}'), "at byte 6")
add("model-nan-in-header", "JSON and nothing like it: NaN", lambda: files.safetensors('{"a":NaN}'), "at byte 5")

# ---- tensors -----------------------------------------------------------------------------------------------------------------

add("model-overlap", "two tensors share no byte", lambda: model(change=lambda h: h["layer1.bias"].update(data_offsets=[4, 12])),
    ["overlaps another", "at byte"])
add("model-same-bytes-twice", "two tensors aren't the same bytes",
    lambda: model(change=lambda h: h["layer1.bias"].update(data_offsets=[0, 8])), ["overlaps another", "at byte"])
add("model-hole", "no byte between tensors is nobody's",
    lambda: model({**files.SHAPES, "x": [1]}, change=lambda h: h.pop("layer2.weight") and None),
    ["a hole lies before it", "at byte"])
add("model-hole-in-front", "no byte before the tensors is nobody's",
    lambda: model({"x": [1], **files.SHAPES}, change=lambda h: h.pop("x") and None), ["a hole lies before it", "at byte"])
add("model-trailing-bytes", "the tensors end with the file", lambda: model() + b"0123",
    ["4 bytes belong to no tensor", "at byte"])
add("model-polyglot-zip", "no other file hangs on", lambda: model() + files.npz(files.Member("x.npy", files.npy([1.0]))),
    ["belong to no tensor", "at byte"])
add("model-cut-off", "every tensor's bytes are there", lambda: model()[:-1], ["lie outside the file", "at byte"])
add("model-offsets-beyond", "offsets lie within the file", lambda: model(change=entry(data_offsets=[0, 1 << 60])),
    [T, "lie outside the file", "at byte"])
add("model-offsets-reversed", "a tensor doesn't end before it begins", lambda: model(change=entry(data_offsets=[8, 0])),
    [T, "outside", "at byte"])
add("model-offsets-overflow", "offsets fit into 64 bits", lambda: model(change=entry(data_offsets=[0, 1 << 64])),
    [T, "data_offsets aren't two numbers", "at byte"])
add("model-offsets-three", "offsets are two", lambda: model(change=entry(data_offsets=[0, 8, 16])),
    [T, "data_offsets aren't two numbers", "at byte"])
add("model-wraparound", "a product of sizes doesn't wrap", lambda: model(change=entry(shape=[1 << 62, 4], data_offsets=[0, 0])),
    [T, "shape and its bytes differ", "at byte"])
add("model-wraparound-of-32-bits", "nor in 32 bits",
    lambda: model(change=entry(shape=[65536, 65536, 2, 1 << 31], data_offsets=[0, 8])),
    [T, "shape and its bytes differ", "at byte"])
add("model-shape-and-bytes", "bytes are the product of the shape times four", lambda: model(change=entry(shape=[3, 2])),
    [T, "shape and its bytes differ", "at byte"])
add("model-negative-size", "sizes aren't negative", lambda: model(change=entry(shape=[-1, -2])),
    [T, "shape isn't a list of sizes", "at byte"])
add("model-negative-offset", "offsets aren't negative", lambda: model(change=entry(data_offsets=[-8, 0])),
    [T, "data_offsets aren't two numbers", "at byte"])
add("model-zero-size", "no tensor is empty",
    lambda: model(change=lambda h: h.update(z={"dtype": "F32", "shape": [0], "data_offsets": [24, 24]})),
    ["z: it has no bytes", "at byte"])
add("model-zero-size-reuse", "an empty tensor doesn't reuse an offset",
    lambda: model(change=lambda h: h.update(z={"dtype": "F32", "shape": [7, 0], "data_offsets": [0, 0]})),
    ["z: it has no bytes", "at byte"])
add("model-fraction-size", "sizes are whole numbers", lambda: text_of(lambda text: text.replace("[1, 2]", "[1.0, 2]")),
    [T, "shape isn't a list of sizes", "at byte"])
add("model-size-with-exponent", "numbers are canonical: no exponent",
    lambda: text_of(lambda text: text.replace("[1, 2]", "[1e0, 2]")), [T, "shape isn't a list of sizes", "at byte"])
add("model-size-with-zero-in-front", "numbers are canonical: no leading zero",
    lambda: text_of(lambda text: text.replace("[1, 2]", "[01, 2]")), "a malformed number at byte")
add("model-size-as-text", "sizes are numbers", lambda: text_of(lambda text: text.replace("[1, 2]", '["1", 2]')),
    [T, "shape isn't a list of sizes", "at byte"])
add("model-rank-9", "a tensor has at most 8 axes", lambda: model(change=entry(shape=[1] * 8 + [2])),
    [T, "shape isn't a list of sizes", "at byte"])
add("model-unknown-dtype", "dtypes are known ones", lambda: model(change=entry(dtype="F31")), [T, "unknown dtype", "at byte"])
add("model-dtype-is-number", "a dtype is text", lambda: model(change=entry(dtype=32)), [T, "dtype is no text", "at byte"])
add("model-entry-with-more", "an entry has its three keys alone", lambda: model(change=entry(path="/etc/passwd")),
    [T, "its entry isn't {dtype, shape, data_offsets}", "at byte"])
add("model-entry-with-less", "an entry has all three keys", lambda: model(change=lambda h: h[T].pop("shape") and None),
    [T, "its entry isn't", "at byte"])
add("model-entry-is-text", "an entry is an object", lambda: model(change=lambda h: h.update({T: "x"})),
    [T, "its entry isn't", "at byte"])
add("model-metadata-number", "metadata is text", lambda: model(rows=4), ["rows is no text", "at byte"])
add("model-metadata-is-array", "metadata is an object", lambda: model(change=lambda h: h.update(__metadata__=[])),
    ["__metadata__ is no object", "at byte"])
add("model-nan", "no weight is NaN", lambda: model(data=files.weights(files.SHAPES)[:-4] + b"\0\0\xc0\x7f"),
    ["layer2.bias", "no finite number", "at byte"])
add("model-infinity", "no weight is infinite", lambda: model(data=b"\0\0\x80\xff" + files.weights(files.SHAPES)[4:]),
    [T, "no finite number", "at byte"])

# ---- the net and its weights -------------------------------------------------------------------------------------------------

add("model-wide-net", "weights are in the file before room is taken for them",
    lambda: model(recipe="net=30000 relu, 30000 relu, output identity\n"), [T, "isn't F32 [1, 30000]", "at byte"])
add("model-widest-net", "a net beyond any memory is a wrong file",
    lambda: model(recipe="net=" + "1048576 relu, " * 63 + "output identity\n"), [T, "isn't F32", "at byte"])
add("model-tensor-missing", "every tensor of the net is there",
    lambda: model({k: v for k, v in files.SHAPES.items() if k != "layer2.bias"}), ["no tensor layer2.bias", "at byte"])
add("model-tensor-too-many", "and no other", lambda: model({**files.SHAPES, "layer3.bias": [1]}),
    ["1 tensors more than the net", "at byte"])
add("model-transposed", "shapes are the net's", lambda: model({**files.SHAPES, T: [2, 1]}), [T, "isn't F32 [1, 2]", "at byte"])
add("model-halves", "weights are float32", lambda: model(change=entry(dtype="BF16", shape=[2, 2])), [T, "isn't F32", "at byte"])
add("model-of-images-too-large", "as many inputs as there are weights",
    lambda: model(encoder=changed(kind="image", height=32768, width=32768, channels=1, unit=255)),
    ["more inputs than there are weights", "at byte"])

# ---- metadata ----------------------------------------------------------------------------------------------------------------

add("model-bare", "a file without a recipe is no model", lambda: model(change=lambda h: h.pop("__metadata__") and None),
    "without a recipe")
add("model-format-2", "the format is known", lambda: model(format="downhill 2"), 'its format is "downhill 2"')
add("model-count-negative", "counts are whole numbers", lambda: model(rows="-1"), ['"rows" is no count', "at byte"])
add("model-count-too-large", "counts fit into 64 bits", lambda: model(steps="18446744073709551616"),
    ['"steps" is no count', "at byte"])
add("model-count-missing", "every count is there", lambda: model(change=lambda h: h["__metadata__"].pop("epochs") and None),
    ['lacks "epochs"', "at byte"])
add("model-recipe-key-unknown", "its recipe has known keys", lambda: model(recipe=files.RECIPE + "exec=rm\n"),
    ["recipe:2", "unknown key 'exec'"])
add("model-recipe-key-twice", "each once", lambda: model(recipe=files.RECIPE + files.RECIPE), ["recipe:2", "twice"])
add("model-recipe-out-of-bounds", "and values within bounds", lambda: model(recipe=files.RECIPE + "rate=1e999\n"),
    ["recipe:2", "rate"])
add("model-recipe-word-empty", "an empty value is no word", lambda: model(recipe=files.RECIPE + "task=\n"),
    ["recipe:2", "task"])
add("model-recipe-zero-byte", "and no zero byte", lambda: model(recipe=files.RECIPE + "target=a\0b\n"),
    ["recipe:2", "zero byte"])
add("model-recipe-delimiter", "a delimiter is a character that may be one",
    lambda: model(recipe=files.RECIPE + "delimiter=x\n"), ["recipe:2", "delimiter 'x'"])
add("model-recipe-other-net", "cost and output belong together",
    lambda: model(recipe="net=2 tanh, output tanh\ncost=cross-entropy\n"), "cost")

# ---- the encoder -------------------------------------------------------------------------------------------------------------

add("encoder-not-json", "the encoder is JSON", lambda: model(encoder="{"), ["encoder", "at byte 1"])
add("encoder-deep", "and not deep", lambda: model(encoder="[" * 1000), ["encoder", "nesting over 32 deep at byte"])
add("encoder-many-values", "and not many values", lambda: model(encoder="[" + "0," * (7 * MIB) + "0]"),
    ["encoder", "too many values for its length at byte"])
add("encoder-array", "it is an object", lambda: model(encoder="[]"), ["encoder", "at byte 0"])
add("encoder-no-inputs", "it has an input", lambda: model(encoder=encoder(inputs=[])), ["encoder: no inputs", "at byte"])
add("encoder-no-target", "it has a target", lambda: model(encoder={k: v for k, v in files.ENCODER.items() if k != "target"}),
    ["encoder: no target", "at byte"])
add("encoder-deviation-zero", "nothing is divided by 0", lambda: model(encoder=changed(deviation=0)),
    ["a deviation above 0", "at byte"])
add("encoder-deviation-negative", "nor by less", lambda: model(encoder=aimed(deviation=-1)), ["a deviation above 0", "at byte"])
add("encoder-mean-infinite", "numbers are finite",
    lambda: model(encoder=files.json.dumps(files.ENCODER).replace('"mean": 0', '"mean": 1e999')), ["without mean", "at byte"])
add("encoder-position-negative", "positions are whole numbers", lambda: model(encoder=changed(position=-1)),
    ["without position", "at byte"])
add("encoder-kind-unknown", "kinds are known", lambda: model(encoder=changed(kind="sound")),
    ["without name or kind", "at byte"])
add("encoder-name-with-zero-byte", "names are texts", lambda: model(encoder=changed(name="x\0y")),
    ["without name or kind", "at byte"])
add("encoder-value-twice", "a category's value stands once", lambda: model(encoder=changed(kind="category", values=["a", "a"])),
    ["twice", "at byte"])


def embedding(tables="1:3x2", rows=3, width=2, **parts):
    """A model that embeds its one input, a category of two values; `parts` of that are changed."""
    shapes = {"layer1.table1": [rows, width], "layer2.weight": [2, 2], "layer2.bias": [2], "layer3.weight": [2, 1], "layer3.bias": [1]}
    words = {"name": "x", "position": 0, "kind": "category", "values": ["1", "2"], "embedded": 2, "missing": False}
    net = f"net={'embed ' + tables + ', ' if tables else ''}2 tanh, output identity\n"
    return model(shapes, recipe=net, encoder=encoder(inputs=[{**words, **parts}]))


add("embedding", "a model that embeds a column", embedding, "prediction", code=0)
add("embedding-of-fewer-rows", "tables have a row for all that a column may hold", lambda: embedding("1:2x2", rows=2),
    "column x is embedded, and wants a table 1:3x2 there")
add("embedding-of-more-rows", "and no more", lambda: embedding("1:4x2", rows=4), "wants a table 1:3x2")
add("embedding-of-another-width", "and are as wide as the encoder says", lambda: embedding(embedded=3), "wants a table 1:3x3")
add("embedding-without-a-table", "an embedded column has one", lambda: embedding(""), "wants a table 1:3x2")
add("embedding-of-nothing", "and a table a column", lambda: embedding(embedded=None, kind="number", fill=0, mean=0, deviation=1),
    "the table of unit 1 belongs to no embedded column")
add("embedding-of-no-unit", "its unit is one of the inputs'", lambda: embedding("2:3x2"), "there is no unit 2; the inputs are 1")
add("embedding-of-width-zero", "widths are above 0", lambda: embedding(embedded=0), ["an embedded input without a width", "at byte"])
add("embedding-too-wide", "and bounded", lambda: embedding(embedded=1025), ["an embedded input without a width", "at byte"])
add("embedding-tensor-of-fewer-rows", "tables have the shape that the net says", lambda: embedding(rows=2),
    ["layer1.table1", "isn't F32 [3, 2]", "at byte"])
add("embedding-of-all-memory", "and take no more memory than the file justifies",
    lambda: embedding("1:16777216x1024", embedded=1024), "wants a table 1:3x1024 there")



def pieces(edges, units=2):
    """A model whose one number is in bins."""
    return model({**files.SHAPES, T: [units, 2]}, encoder=changed(edges=edges))


add("pieces", "a model of a number in pieces", lambda: pieces([0, 1, 2.5]), "prediction", code=0)
add("pieces-of-one-edge", "edges are two at least", lambda: pieces([1]), ["edges that are no list of two or more", "at byte"])
add("pieces-of-no-list", "in a list", lambda: pieces({}), ["edges that are no list", "at byte"])
add("pieces-too-many", "and 1,025 at most", lambda: pieces(list(range(1026)), 1025), ["edges that are no list", "at byte"])
add("pieces-equal", "edges ascend", lambda: pieces([0, 1, 1]), ["edges that are no ascending numbers", "at byte"])
add("pieces-of-text", "and are numbers", lambda: pieces([0, "1"]), ["edges that are no ascending numbers", "at byte"])
add("pieces-too-far-apart", "whose distance is finite", lambda: pieces([-1.7e308, 1.7e308]),
    ["edges that are no ascending numbers", "at byte"])

add("encoder-one-class", "classes are two at least",
    lambda: model(encoder=encoder(task="classes", target={**files.TARGET, "kind": "category", "classes": ["a"]})),
    ["two classes", "at byte"])
add("encoder-classes-unordered", "classes of numbers ascend",
    lambda: model(encoder=encoder(task="classes", target={**files.TARGET, "classes": ["2", "1"]})),
    ["no ascending numbers", "at byte"])
add("encoder-image-of-no-size", "images have a size",
    lambda: model(encoder=changed(kind="image", height=0, width=9, channels=1, unit=255)),
    ["an image without height", "at byte"])
add("encoder-image-wraparound", "whose product is bounded",
    lambda: model(encoder=changed(kind="image", height=1 << 29, width=1 << 29, channels=1 << 29, unit=255)),
    ["an image without height", "at byte"])

TWO = {T: [2, 2], "layer1.bias": [2], "layer2.weight": [2, 1], "layer2.bias": [1]}
SECOND = {**files.INPUT, "name": "z"}
add("encoder-column-twice", "a column is one input", lambda: model(TWO, encoder=encoder(inputs=[files.INPUT, files.INPUT])),
    "wants one of its columns twice")
add("encoder-target-as-input", "and no input stands where the target stood",
    lambda: model(TWO, encoder=encoder(header=False, inputs=[files.INPUT, {**SECOND, "position": 1}])),
    "wants one of its columns twice", words=["predict", "m.safetensors", "bare.csv", "--header", "no"],
    beside={"bare.csv": "1\n3\n"})
add("encoder-position-far", "a column that no file has",
    lambda: model(encoder=encoder(header=False, inputs=[{**files.INPUT, "position": 1 << 62}])),
    "trained on 4611686018427387905", words=["predict", "m.safetensors", "bare.csv", "--header", "no"],
    beside={"bare.csv": "1,2\n3,4\n"})


def classes(count):
    shapes = {T: [1, count], "layer1.bias": [count]}
    target = {**files.TARGET, "kind": "category", "classes": [f"k{i}" for i in range(count)]}
    return model(shapes, recipe="net=output softmax\n", encoder=encoder(task="classes", target=target))


add("model-of-65536-classes", "no matrix is made of more than 2,048 classes", lambda: classes(65536), '"confusion":null',
    code=0, words=["eval", "m.safetensors", "k.csv", "--json"], beside={"k.csv": "x,y\n1,k1\n2,k65535\n"})
WIDE = {T: [1, 1 << 20], "layer1.bias": [1 << 20], "layer2.weight": [1 << 20, 1], "layer2.bias": [1]}
add("model-of-a-million-units", "answers take no more memory than the weights justify",
    lambda: model(WIDE, recipe="net=1048576 relu, output identity\nbatch=1024\nrule=adam\n"), "prediction", code=0)
add("model-of-65537-classes", "classes are at most 65,536", lambda: classes(65537), ["encoder", "at byte"])

# ---- weights to start from -----------------------------------------------------------------------------------------------------

case("start-of-another-net", "start weights are the net's",
    lambda: {"s.safetensors": files.safetensors(*bare()), "d.csv": ROWS},
    ["train", "d.csv", "--target", "y", "--net", "3 tanh", "--start", "s.safetensors"], [T, "isn't F32 [1, 3]", "at byte"])
case("start-with-nan", "and finite",
    lambda: {"s.safetensors": files.safetensors(bare()[0], struct.pack("<7f", *[float("nan")] * 7)), "d.csv": ROWS},
    ["train", "d.csv", "--target", "y", "--task", "numbers", "--net", "2 tanh", "--start", "s.safetensors"],
    [T, "no finite number", "at byte"])


def bare():
    return files.entries(files.SHAPES)[0], files.weights(files.SHAPES)
