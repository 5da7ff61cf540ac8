"""The one line that builds the library, and its promise: every compiler, dialect and optimisation level gives the same bits."""
import hashlib

import pytest

from support import ONE_LINE, ONE_LINE_LIBS, ROOT, build, library_sources, run

# Between them: every rule, every activation and several layer widths; one block of rows and more.
RECIPES = {
    "default": "target=y",
    "activations": "target=y\nepochs=6\nrate=0.01\nbatch=7\n"
                   "net=9 sigmoid, 17 tanh, 5 relu, 33 leaky-relu, 8 elu, 16 selu, 15 gelu, 10 silu, 12 mish, 11 softplus",
    "numbers": "target=y\ntask=numbers\ncost=huber\nrule=adam\nschedule=cosine\nwarmup=1\nepochs=8\nbatch=full\nnet=20 tanh",
    "sgd": "target=y\nrule=sgd\nschedule=exponential\nepochs=5\nbatch=1\nnet=6 sigmoid",
    "momentum": "target=y\nrule=momentum\nschedule=step\ndecay=0.001\nepochs=5\nbatch=32\nnet=40 relu, 24 relu",
    "nesterov": "target=y\ntask=numbers\ncost=absolute\nrule=nesterov\nepochs=5\nbatch=299\nnet=19 gelu",
    "adagrad": "target=y\nrule=adagrad\nepochs=5\nbatch=16\nnet=8 softplus",
    "rmsprop": "target=y\nrule=rmsprop\ninit=lecun\nepochs=5\nbatch=64\nnet=70 selu",
}

# The first is the line of the design; the last two let the compiler contract and rearrange all it thinks it may.
LINES = {
    "gcc": ["gcc", "-std=c11", "-O2"],
    "gcc-gnu11": ["gcc", "-std=gnu11", "-O2"],
    "gcc-O0": ["gcc", "-std=c11", "-O0"],
    "clang": ["clang", "-std=c11", "-O2"],
    "clang-gnu11": ["clang", "-std=gnu11", "-O2"],
    "clang-O0": ["clang", "-std=gnu11", "-O0"],
    "gcc-native": ["gcc", "-std=gnu11", "-O3", "-march=native"],
    "clang-native": ["clang", "-std=gnu11", "-O3", "-march=native"],
}


def models(program, folder):
    """Trains by every recipe; the hash of each model."""
    hashes = {}
    for name, recipe in RECIPES.items():
        model = folder / f"{name}.safetensors"
        run([program, model, recipe])
        hashes[name] = hashlib.sha256(model.read_bytes()).hexdigest()
    return hashes


@pytest.fixture(scope="session")
def expected(tmp_path_factory):
    """The models that the library of the release build makes."""
    folder = tmp_path_factory.mktemp("expected")
    archive = build("gcc") / "libdownhill.a"
    zlib = ["-lz"] if "inflate" in run(["nm", archive]).stdout else []
    run(["cc", "-Iinclude", "tests/build/one_line.c", archive, *zlib, *ONE_LINE_LIBS, "-o", folder / "program"])
    return models(folder / "program", folder)


@pytest.mark.parametrize("line", LINES)
def test_same_bits(line, expected, tmp_path):
    run([*LINES[line], *ONE_LINE, *library_sources(), "tests/build/one_line.c", *ONE_LINE_LIBS, "-o", tmp_path / "program"])
    assert models(tmp_path / "program", tmp_path) == expected


def test_recipes_differ(expected):
    assert len(set(expected.values())) == len(RECIPES)


def test_the_line_of_the_documents():
    """What people are told to type is what is tested here."""
    line = "cc -std=c11 -O2 " + " ".join(ONE_LINE) + " $(find src -name '*.c') " + " ".join(ONE_LINE_LIBS)
    assert line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
