"""The golden table: recipes over tables made here, the program that trains them, and the hashes of their model files."""
import hashlib
import pathlib
import subprocess

from support import ONE_LINE, ONE_LINE_LIBS, ROOT, WARNINGS, environment, library_sources, locked, run

HASHES = ROOT / "tests/golden/hashes.txt"
HEADING = """\
# The golden table: sha256 of the whole model file that each recipe of tests/golden/golden.py comes to, on any kernel row, any
# number of threads, any compiler. Written by tools/golden; CONTRIBUTING.md says when that may be run.
"""

THREADS = (1, 2, 3, 8)


# ---- the tables -------------------------------------------------------------------------------------------------------------

def draws(count, seed):
    """Whole numbers of 0 .. 9999, the same ones forever (Knuth's generator of 64 bits)."""
    state, numbers = seed, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        numbers.append((state >> 33) % 10000)
    return numbers


def csv(names, rows):
    return "".join(",".join(str(cell) for cell in row) + "\n" for row in [names, *rows]).encode()


def points():
    """XOR drawn large: y says whether just one of x1 and x2 lies above the middle."""
    pairs = [(row * 37 % 101, row * 53 % 89) for row in range(300)]
    return csv(["x1", "x2", "y"], [(x1, x2, int((x1 > 50) != (x2 > 44))) for x1, x2 in pairs])


def mixed():
    """Numbers and categories with missing cells; the price is a number to learn, the kind one of three words."""
    rows = []
    for row in range(180):
        size, weight, colour, shape, noise = draws(5, row)
        price = f"{size / 100 + 3 * (shape % 4) - noise / 5000:.3f}"
        rows.append(("" if size % 11 == 0 else size / 100, f"{weight}e-7", ["red", "green", "?", "sea blue"][colour % 4],
                     "abcd"[shape % 4], price, ["low", "middle", "high"][(size > 3000) + (size + 500 * (shape % 4) > 7500)]))
    return csv(["size", "weight", "colour", "shape", "price", "kind"], rows)


def wide():
    """More columns than a vector has lanes, more rows than a block: enough work for several threads."""
    rows = []
    for row in range(300):
        numbers = [number / 500 - 10 for number in draws(37, 1000 + row)]
        rows.append([f"{number:.3f}" for number in numbers] + ["pqrst"[int(sum(numbers[:9])) % 5], f"{sum(numbers[20:]):.4f}"])
    return csv([f"x{i}" for i in range(1, 38)] + ["letter", "sum"], rows)


def digits():
    """270 images of 29 x 28 bytes, four classes: a bright column that says which, on noise. An IDX file and its labels."""
    labels = [row * 7 % 4 for row in range(270)]
    noise = iter(draws(270 * 29 * 28, 5))
    pixels = bytes(next(noise) % 90 + 150 * (x == 6 * label) for label in labels for y in range(29) for x in range(28))
    images = bytes([0, 0, 8, 3, 0, 0, 1, 14, 0, 0, 0, 29, 0, 0, 0, 28]) + pixels
    return images, bytes([0, 0, 8, 1, 0, 0, 1, 14]) + bytes(labels)


def places():
    """Two categories of many values, one of them sometimes missing, and a number; the price has a part of each."""
    rows = []
    for row in range(400):
        street, shop, size, noise = draws(4, 2000 + row)
        price = street * 7919 % 90 / 9 + shop * 31 % 70 / 7 + size / 4000 + noise / 9000
        rows.append((f"s{street % 90}", "" if shop % 23 == 0 else f"p{shop % 70}", size / 100, f"{price:.3f}"))
    return csv(["street", "shop", "size", "price"], rows)


def write_tables(folder):
    """The tables as files; what to open for each."""
    paths = {name: folder / f"{name}.csv" for name in ("points", "mixed", "wide", "places")}
    for path, data in zip(paths.values(), (points(), mixed(), wide(), places())):
        path.write_bytes(data)
    paths["digits"] = folder / "digits-images-idx3-ubyte"
    for path, data in zip((paths["digits"], folder / "digits-labels-idx1-ubyte"), digits()):
        path.write_bytes(data)
    return paths


# ---- the recipes ------------------------------------------------------------------------------------------------------------

# Most hold no rows out, so that the model has the last weights and nothing that went wrong on the way is left behind.
RECIPES = {
    # Every rule, each with some of the knobs it has.
    "sgd": ("points", "target=y valid=0 rule=sgd rate=0.1 epochs=2 batch=1 net=6.sigmoid"),
    "momentum": ("points", "target=y valid=0 rule=momentum momentum=0.8 decay=0.001 epochs=4 batch=32 net=40.relu,24.relu"),
    "nesterov": ("points", "target=y valid=0 rule=nesterov rate=0.02 epochs=4 batch=299 net=19.gelu"),
    "adagrad": ("points", "target=y valid=0 rule=adagrad epsilon=1e-6 epochs=4 batch=16 net=8.softplus"),
    "rmsprop": ("points", "target=y valid=0 rule=rmsprop alpha=0.95 epochs=4 batch=64 net=70.selu"),
    "adam": ("points", "target=y valid=0 rule=adam beta1=0.85 beta2=0.98 decay=0.01 epochs=4 batch=100 net=20.tanh"),
    "adamw": ("points", "target=y valid=0 rule=adamw decay=0.1 epochs=4 batch=7 net=9.relu,5.relu"),
    "l1": ("points", "target=y valid=0 rule=momentum l1=0.001 epochs=4 batch=32 net=20.relu"),
    "max-norm": ("digits", "valid=0 max-norm=0.5 l1=1e-4 epochs=1 batch=40 net=conv.3.3x3.relu,maxpool.2,23.relu"),
    "nadam": ("points", "target=y valid=0 rule=nadam beta1=0.8 decay=0.01 epochs=4 batch=100 net=20.tanh"),
    "schedule-free": ("points", "target=y valid=0 rule=schedule-free beta2=0.99 warmup=1 epochs=4 batch=37 net=20.tanh"),
    "rprop": ("points", "target=y valid=0 rule=rprop decay=0.001 epochs=30 net=9.relu,5.tanh"),
    "quickprop": ("points", "target=y valid=0 rule=quickprop decay=0.0001 epochs=30 net=9.tanh,5.tanh"),
    "lbfgs": ("mixed", "target=kind valid=0 rule=lbfgs decay=0.001 epochs=30 net=11.tanh,5.silu"),
    "lm": ("wide", "target=sum valid=0 rule=lm decay=1e-5 epochs=5 net=9.tanh,7.gelu"),
    "muon": ("wide", "target=letter valid=0 rule=muon epochs=2 batch=60 net=15.relu,130.tanh,40.silu"),
    "average": ("points", "target=y valid=0.2 rule=momentum average=0.9 epochs=4 batch=32 net=40.relu,24.relu"),
    "rate-factors": ("wide", "target=letter valid=0 rate-factors=1:0.1,2:3 epochs=2 batch=31 net=15.relu,300.tanh"),
    "clip": ("wide", "target=letter valid=0 rule=momentum clip=0.3 clip-value=0.01 epochs=3 batch=31 net=15.relu,300.tanh"),
    # Every activation, hidden and at the end.
    "activations": ("points", "target=y valid=0 epochs=4 rate=0.01 batch=7 net=9.sigmoid,17.tanh,5.relu,33.leaky-relu,8.elu,"
                              "16.selu,15.gelu,10.silu,12.mish,11.softplus,7.softmax,3.identity"),
    # Every cost.
    "squared": ("mixed", "target=price valid=0 cost=squared rate=0.01 epochs=4 batch=25 net=31.tanh"),
    "absolute": ("mixed", "target=price valid=0 cost=absolute epochs=4 batch=50 net=13.elu"),
    "huber": ("mixed", "target=price valid=0 cost=huber delta=0.3 epochs=4 batch=full net=20.leaky-relu"),
    "cross-entropy": ("mixed", "target=kind valid=0 cost=cross-entropy epochs=4 batch=11 net=17.silu"),
    "binary-cross-entropy": ("digits", "valid=0 cost=binary-cross-entropy epochs=2 batch=40 net=12.relu,output.sigmoid"),
    "quantile": ("mixed", "target=price valid=0 cost=quantile quantile=0.8 epochs=4 batch=25 net=13.tanh"),
    "poisson": ("mixed", "target=size valid=0 cost=poisson epochs=4 batch=25 net=13.tanh,5.exp"),
    "focal": ("mixed", "target=kind valid=0 cost=focal focus=1.3 smoothing=0.1 epochs=4 batch=11 net=17.silu"),
    "hinge": ("mixed", "target=kind valid=0 cost=hinge epochs=4 batch=11 net=17.tanh"),
    "smoothing": ("digits", "valid=0 cost=binary-cross-entropy smoothing=0.2 epochs=1 batch=40 net=5.relu,output.sigmoid"),
    "weights": ("mixed", "target=kind valid=0.2 weight=weight class-weights=low=3,high=0.5 epochs=4 batch=11 net=17.silu"),
    "balanced": ("wide", "target=letter valid=0 class-weights=balanced epochs=1 batch=1 net=5.tanh"),
    # Every init; zero is a start from which only the last bias moves, and uniform one that saturates.
    "uniform": ("points", "target=y valid=0 init=uniform epochs=3 batch=33 net=14.tanh"),
    "glorot": ("points", "target=y valid=0 init=glorot seed=0 epochs=3 batch=33 net=14.tanh"),
    "he": ("points", "target=y valid=0 init=he seed=18446744073709551615 epochs=3 batch=33 net=14.mish"),
    "lecun": ("points", "target=y valid=0 init=lecun scale=none rate=1e-4 epochs=3 batch=33 net=14.selu"),
    "nguyen-widrow": ("mixed", "target=price valid=0 init=nguyen-widrow epochs=3 batch=33 net=14.tanh,5.sigmoid"),
    "zero": ("points", "target=y valid=0 init=zero epochs=3 batch=33 net=14.tanh"),
    # Every schedule.
    "constant": ("points", "target=y valid=0 schedule=constant warmup=2 order=file epochs=4 batch=45 net=10.relu"),
    "step": ("points", "target=y valid=0 schedule=step drop=0.3 drop-every=2 epochs=5 batch=45 net=10.relu"),
    "exponential": ("points", "target=y valid=0 schedule=exponential drop=0.7 epochs=5 batch=45 net=10.relu"),
    "cosine": ("points", "target=y valid=0 schedule=cosine warmup=1.5 epochs=5 batch=45 net=10.relu"),
    "one-cycle": ("points", "target=y valid=0 schedule=one-cycle epochs=5 batch=45 net=10.relu"),
    "flat-cosine": ("points", "target=y valid=0 schedule=flat-cosine warmup=0.5 epochs=5 batch=45 net=10.relu"),
    "coslog4": ("points", "target=y valid=0 schedule=coslog4 epochs=9 batch=45 net=10.relu"),
    "plateau": ("wide", "target=letter valid=0.2 patience=0 schedule=plateau drop-every=1 drop=0.3 rate=0.02 epochs=9 batch=31 net=9.relu"),
    # What is chosen where nothing is said, and the best weights on rows held out.
    "auto": ("points", "target=y epochs=12"),
    "auto-mixed": ("mixed", "target=kind epochs=12"),
    "best": ("wide", "target=letter valid=0.2 patience=2 rate=0.05 epochs=8 batch=31 net=15.relu"),
    # Bytes to inputs.
    "images": ("digits", "valid=0.15 epochs=2 batch=64 net=21.relu"),
    # Windows over pictures, and over a row of columns: plain and padded, in strides, in groups, in blocks of a batch.
    "conv": ("digits", "valid=0 epochs=2 batch=64 net=conv.8.3x3.relu,maxpool.2,conv.20.5x5.relu,maxpool.2,21.relu"),
    "conv-same": ("digits", "valid=0 epochs=1 batch=full net=conv.6.4x3.stride.2.same.silu,conv.12.3.same.groups.3,avgpool.all"),
    "depthwise": ("digits", "valid=0 epochs=1 batch=50 net=conv.20.3x3.stride.2.relu,conv.20.3x3.same.groups.20.relu,conv.9.1.relu,"
                            "conv.9.5x5.same.stride.2.groups.9,avgpool.all"),
    "conv-line": ("wide", "target=sum valid=0 epochs=2 batch=50 net=conv.9.5.tanh,maxpool.3.stride.1,conv.4.3.gelu"),
    "lines": ("digits", "valid=0.2 epochs=1 batch=50 net=dropout.1e-1,conv.6.5x5.stride.3.identity,layernorm.gelu,maxpool.2,"
                        "dropout.4e-1,17.identity,layernorm"),
    "dropout": ("wide", "target=letter valid=0 rule=momentum epochs=2 batch=full dropout-warmup=5 net=70.relu,dropout.5e-1,40.relu,dropout.2e-1"),
    "residual": ("points", "target=y valid=0 epochs=3 batch=20 net=9.tanh,[7.gelu,[7.silu],9.identity],5"),
    "columns": ("digits", "valid=0.2 epochs=2 batch=50 rule=adamw net=scale,conv.6.5x5.stride.3.identity,batchnorm.relu,20.identity,"
                          "batchnorm.tanh,scale.gelu"),
    # Tables of rows, one batch of which is larger than a block.
    "embed": ("places", "target=price valid=0 embed=street=4,shop=17 rule=adam epochs=2 batch=30 net=20.tanh"),
    "embed-auto": ("places", "target=price valid=0.2 embed=auto rule=muon epochs=2 batch=300 net=20.relu,[20.gelu]"),
    "bends": ("digits", "valid=0 epochs=2 batch=50 net=conv.6.5x5.stride.3.identity,prelu,20.identity,swish,9.identity,prelu.tanh"),
    "periodic": ("points", "target=y valid=0 epochs=3 batch=33 rule=adam net=periodic.9.5e-1,conv.6.1.relu,20.tanh,periodic.3"),
    "pieces": ("mixed", "target=kind valid=0 numbers=piecewise_7 epochs=4 batch=25 net=31.tanh"),
    # Every way to grow.
    "grow": ("digits", "valid=0 epochs=2 batch=50 net=9.relu grow=shift_2,rotate_10,scale_0.1,elastic_1.5,flip,cutout_6,mixup_0.3"),
    # Work enough for eight threads: in products cut by rows, and by columns; in a block of rows and a short one; in long sums;
    # in the rule's pass.
    "shared": ("wide", "target=letter valid=0 rule=adam epochs=1 batch=full net=300.gelu,200.tanh"),
    "shared-columns": ("wide", "target=sum valid=0.5 patience=0 rule=momentum rate=1e-3 epochs=1 batch=80 net=330.relu,401.tanh"),
    "shared-images": ("digits", "valid=0 rule=adamw epochs=1 batch=full net=70.relu,129.relu"),
}


def recipe_text(words):
    """One knob a line, as a recipe has them; the net's blanks are written as dots above, those of growth and numbers as underscores."""
    lines = [word.split("=", 1) for word in words.split()]
    blanks = {"net": ".", "grow": "_", "numbers": "_"}
    return "\n".join(f"{knob}={value.replace(blanks[knob], ' ') if knob in blanks else value}" for knob, value in lines)


# ---- the program ------------------------------------------------------------------------------------------------------------

def program(name, compiler):
    """The golden program, built by one line, where it isn't there as these sources make it."""
    folder = ROOT / "build/golden" / name
    command = [*compiler, *WARNINGS, *ONE_LINE, *library_sources(), "tests/golden/golden.c", *ONE_LINE_LIBS,
               "-o", folder / "golden"]
    version = run([compiler[0], "--version"]).stdout
    sources = [ROOT / "include/downhill.h", ROOT / "tests/golden/golden.c", *sorted((ROOT / "src").rglob("*.*"))]
    key = hashlib.sha256(repr((version, *map(str, command))).encode() + b"".join(path.read_bytes() for path in sources))
    with locked(folder / ".lock"):
        made = folder / "made-of"
        if not made.exists() or made.read_text(encoding="ascii") != key.hexdigest():
            run(command)
            made.write_text(key.hexdigest(), encoding="ascii")
    return [folder / "golden"]


def train(words, data, recipe, row, threads):
    """Trains one recipe; the hash of the model, and what trained it as a dict."""
    command = [*words, data, recipe_text(recipe), row, threads]
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, timeout=600,
                          env=environment(), check=False)
    said = done.stderr.decode()
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {' '.join(map(repr, map(str, command)))}\n{said}")
    return hashlib.sha256(done.stdout).hexdigest(), dict(word.split("=") for word in said.split())


def expected():
    lines = [line for line in HASHES.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    return dict(line.split() for line in lines)


def rewrite(words, folder):
    """Writes the table anew, as one thread of the reference row has it; the names whose hash is another now."""
    tables = write_tables(pathlib.Path(folder))
    before = expected() if HASHES.exists() else {}
    now = {name: train(words, tables[table], recipe, "scalar", 1)[0] for name, (table, recipe) in RECIPES.items()}
    width = max(map(len, now))
    HASHES.write_text(HEADING + "".join(f"{name:{width}}  {digest}\n" for name, digest in now.items()), encoding="ascii")
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
