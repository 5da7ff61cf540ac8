"""What the tests share: where things are, how builds are made, how commands are run."""
import contextlib
import fcntl
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent

# Builds by name: CMake preset and folder. They are made on first use, once, whichever test comes first.
BUILDS = {
    "gcc": ("default", ROOT / "build"),
    "clang": ("clang", ROOT / "build-clang"),
    "asan": ("asan", ROOT / "build-asan"),
    "tsan": ("tsan", ROOT / "build-tsan"),
    "valgrind": ("valgrind", ROOT / "build-valgrind"),
}

# Builds of the fuzz targets alone.
FUZZERS = {
    "fuzz": ("fuzz", ROOT / "build-fuzz"),
    "afl": ("afl", ROOT / "build-afl"),
}

# In which tiers what runs in every build runs there.
MARKS = {"gcc": [pytest.mark.quick], "tsan": [pytest.mark.long], "valgrind": [pytest.mark.long]}

# How a program of the valgrind build is started. Its processor is valgrind's, not the system's.
VALGRIND = """#!/bin/sh
HILL_TEST_OTHER_CPU=1 exec valgrind -q --error-exitcode=97 --leak-check=full \\
    --errors-for-leak-kinds=definite,indirect,possible --child-silent-after-fork=yes '{program}' "$@"
"""

# The flags of the one line that builds the library (docs/design.md), sources apart.
ONE_LINE = ["-DHILL_NO_GZ", "-Iinclude", "-Isrc"]
ONE_LINE_LIBS = ["-lm", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]

_made = {}
_in_use = ["gcc"]


def in_builds(names):
    """Each name in each build, as pytest's parameters."""
    return [pytest.param(name, make, marks=MARKS.get(make, []), id=f"{make}-{name}") for make in BUILDS for name in names]


def library_sources():
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.c"))


@contextlib.contextmanager
def locked(path, kind=fcntl.LOCK_EX):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a", encoding="ascii") as file:
        fcntl.flock(file, kind)
        yield


def environment(**extra):
    """Of child processes: the sanitizers' settings, and nothing of the make that may have started us."""
    made = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "OPENBLAS_CORETYPE")}
    made["ASAN_OPTIONS"] = "allocator_may_return_null=1:detect_stack_use_after_return=1"
    made["UBSAN_OPTIONS"] = "print_stacktrace=1"
    made["TSAN_OPTIONS"] = "exitcode=97"
    made.update(extra)
    return made


def run(command, expect=0, cwd=ROOT, timeout=600, **extra_environment):
    """Runs a command; fails with all it said where its exit code isn't `expect`. Gives the completed process, with text."""
    __tracebackhide__ = True
    done = subprocess.run([str(word) for word in command], cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=timeout, env=environment(**extra_environment), check=False)
    if done.returncode != expect:
        raise AssertionError(f"exit code {done.returncode}, not {expect}: {' '.join(str(word) for word in command)[:2000]}\n"
                             f"{done.stdout[-6000:]}{done.stderr[-6000:]}")
    return done


def build(name):
    """The folder of a build, up to date; an error where it couldn't be made, in full the first time."""
    __tracebackhide__ = True
    preset, folder = (BUILDS | FUZZERS)[name]
    if name not in _made:
        with locked(ROOT / "build" / f".lock-{name}"):
            _made[name] = False
            run(["cmake", "--preset", preset])
            run(["cmake", "--build", folder, "--parallel", "2"], timeout=1800)
            _made[name] = True
    if not _made[name]:
        raise AssertionError(f"the {name} build failed: another test's report says why")
    return folder


def program(name, path):
    """A program of a build, as it is to be run: as it is, or by a script beside it that starts it under valgrind."""
    folder = build(name)
    if name != "valgrind":
        return folder / path
    script = folder / f"{path}-by-valgrind"
    with locked(ROOT / "build" / ".lock-script"):
        if not script.exists():
            script.write_text(VALGRIND.format(program=folder / path), encoding="utf-8")
            script.chmod(0o755)
    return script


def command():
    """The downhill command that this test is about: of the build in use, or the one that DOWNHILL names."""
    return pathlib.Path(os.environ["DOWNHILL"]) if "DOWNHILL" in os.environ else program(in_use(), "downhill")


def in_use():
    """The build that the test under way is about."""
    return _in_use[-1]


@contextlib.contextmanager
def using(name):
    _in_use.append(name)
    try:
        yield
    finally:
        _in_use.pop()
