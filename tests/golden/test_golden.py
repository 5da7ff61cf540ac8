"""The promise of the same bits: every recipe of the golden table on every kernel row and number of threads, in every build."""
import pathlib
import platform
import re

import pytest

import golden
from support import ONE_LINE, ONE_LINE_LIBS, ROOT, WARNINGS, build, library_sources, run

# The one line that builds the library, by two compilers and in two dialects: gnu11 lets them contract all they think they may.
LINES = {
    "gcc": ["gcc", "-std=c11", "-O2"],
    "gcc-gnu11": ["gcc", "-std=gnu11", "-O2"],
    "clang": ["clang", "-std=c11", "-O2"],
    "clang-gnu11": ["clang", "-std=gnu11", "-O2"],
    "gcc-O0": ["gcc", "-std=c11", "-O0"],
    "clang-O0": ["clang", "-std=gnu11", "-O0"],
    "gcc-native": ["gcc", "-std=gnu11", "-O3", "-march=native"],
    "clang-native": ["clang", "-std=gnu11", "-O3", "-march=native"],
}
CROSS = {
    "aarch64-gcc": ["aarch64-linux-gnu-gcc", "-std=gnu11", "-O2", "-static"],
    "aarch64-gcc-O0": ["aarch64-linux-gnu-gcc", "-std=c11", "-O0", "-static"],
    "aarch64-clang": ["clang", "--target=aarch64-linux-gnu", "-std=gnu11", "-O3", "-static"],
}
ALWAYS = ("gcc", "gcc-gnu11", "clang", "clang-gnu11")

# The kernel rows of a machine, each with what its processor must have for it.
ROWS = {
    "x86_64": {"scalar": set(), "avx2": {"avx2", "fma"}, "avx512": {"avx512f", "fma"}},
    "aarch64": {"scalar": set(), "neon": set()},
}.get(platform.machine(), {"scalar": set()})

ADVICE = """
Where another row, number of threads or build has the bits of the table, this is a bug in what differs. Where none has, the
change under test changes the arithmetic or what a model file holds. If it means to: tools/golden writes the table anew, and
CONTRIBUTING.md says what else that asks for."""


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    return golden.write_tables(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def cross():
    """The cross compiler and the emulator are there, or this fails with how to install them."""
    run([ROOT / "tools/setup", "--only-say", "long"])


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    """The golden program around the library of the release build."""
    archive = build("gcc") / "libdownhill.a"
    zlib = ["-lz"] if "inflate" in run(["nm", archive]).stdout else []
    made = tmp_path_factory.mktemp("release") / "golden"
    run(["cc", "-Iinclude", "-Isrc", "tests/golden/golden.c", archive, *zlib, *ONE_LINE_LIBS, "-o", made])
    return [made]


def lacks(row):
    """What this machine's processor lacks for a kernel row."""
    flags = re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return sorted(ROWS[row] - set(flags[1].split() if flags else ()))


def compare(words, tables, row):
    """Trains every recipe on every number of threads: the row and the threads must be those asked for, the hashes the table's."""
    table, wrong = golden.expected(), []
    for threads in golden.THREADS:
        shared = 0
        for name, (data, recipe) in golden.RECIPES.items():
            digest, ran = golden.train(words, tables[data], recipe, row, threads)
            assert (ran["row"], int(ran["threads"])) == (row, threads), f"{name}: asked for {row} and {threads} threads, ran {ran}"
            shared += int(ran["shared"]) == threads
            if digest != table.get(name):
                wrong.append(f"{row}, {threads} threads: {name}")
        assert shared >= 3, f"only {shared} recipes have work for {threads} threads: some need wider nets, see THREAD_WORK and THREAD_REUSE in src/kernel/vec_*.h"
    assert not wrong, "\n".join(["not the bits of tests/golden/hashes.txt:", *wrong]) + ADVICE


@pytest.mark.quick
@pytest.mark.parametrize("row", ROWS)
def test_release(row, release, tables):
    if lacks(row):
        pytest.skip(f"this machine's processor lacks {', '.join(lacks(row))}: row {row} not tested")
    compare(release, tables, row)


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("line", [pytest.param(line, marks=[] if line in ALWAYS else [pytest.mark.long]) for line in LINES])
def test_one_line(line, row, tables):
    if lacks(row):
        pytest.skip(f"this machine's processor lacks {', '.join(lacks(row))}: row {row} not tested")
    compare(golden.program(line, LINES[line]), tables, row)


@pytest.mark.long
@pytest.mark.parametrize("row", ["neon", "scalar"])
@pytest.mark.parametrize("line", CROSS)
@pytest.mark.usefixtures("cross")
def test_aarch64(line, row, tables):
    """The same for AArch64, emulated."""
    compare(["qemu-aarch64", *golden.program(line, CROSS[line])], tables, row)


@pytest.mark.long
@pytest.mark.usefixtures("cross")
def test_command_on_aarch64(tmp_path):
    """The command cross-compiles without a warning, and its best row is NEON's."""
    command = sorted((ROOT / "cli").glob("*.c"))
    run([*CROSS["aarch64-gcc"], *WARNINGS, *ONE_LINE, *library_sources(), *command, *ONE_LINE_LIBS, "-o", tmp_path / "downhill"])
    assert re.search(r"^kernels +neon .*scalar", run(["qemu-aarch64", tmp_path / "downhill", "info"]).stdout, re.MULTILINE)


@pytest.mark.quick
def test_table_is_whole():
    """A hash for each recipe and no other, all different; and a recipe for every word that a recipe takes."""
    table = golden.expected()
    assert list(table) == list(golden.RECIPES), "recipes and hashes differ; tools/golden writes the table anew"
    assert len(set(table.values())) == len(table)
    used = set(re.findall(r"[a-z][a-z0-9-]*", " ".join(recipe for _, recipe in golden.RECIPES.values())))
    for name in ("op/op.def", "plan/words.def"):
        rows = re.findall(r'^(?:LAYER|ACTIVATION|COST|RULE|SCHEDULE|INIT)\(\w+, "([\w-]+)"',
                          (ROOT / "src" / name).read_text(encoding="ascii"), re.MULTILINE)
        assert len(rows) > 10
        assert set(rows) - used - {"dense"} == set(), f"words of src/{name} that no recipe of tests/golden/golden.py has"


def test_the_line_of_the_documents():
    """What people are told to type is what is tested here."""
    line = "cc -std=c11 -O2 " + " ".join(ONE_LINE) + " $(find src -name '*.c') " + " ".join(ONE_LINE_LIBS)
    assert line in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
