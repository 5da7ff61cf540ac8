"""The front doors: what make and the set-up script say where something is missing, and how fast they are where nothing is."""
import os
import pathlib
import re
import shutil
import time

import pytest

from support import ROOT, run

pytestmark = pytest.mark.quick


def path_without(tmp_path, *absent):
    """A PATH that has every command of this machine but those."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(os.pathsep):
        for command in pathlib.Path(place).glob("*"):
            link = folder / command.name
            if command.name not in absent and not link.is_symlink():
                link.symlink_to(command)
    return str(folder)


def copy_of_doors(tmp_path):
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in ("Makefile", "CMakePresets.json", "CMakeLists.txt"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "tools", folder / "tools")
    return folder


def test_make_says_what_is_missing(tmp_path):
    done = run(["make"], cwd=copy_of_doors(tmp_path), expect=2, PATH=path_without(tmp_path, "cc", "cmake"))
    assert re.search(r"^tools/setup: gcc .*cmake .*missing\. On Debian: apt-get install gcc .*cmake", done.stderr, re.MULTILINE)


def test_setup_is_quick_where_nothing_is_missing():
    run([ROOT / "tools/setup", "--only-say", "build", "check", "test"])
    start = time.monotonic()
    run([ROOT / "tools/setup", "--only-say", "build", "check", "test"])
    assert time.monotonic() - start < 2


def test_setup_knows_its_parts():
    assert "the parts are build, demo, check, test, coverage, long" in run([ROOT / "tools/setup", "tests"], expect=2).stderr


def test_setup_without_apt(tmp_path):
    done = run([ROOT / "tools/setup", "build"], expect=1, PATH=path_without(tmp_path, "cmake", "apt-get"))
    assert "cmake" in done.stderr and "there is no apt-get" in done.stderr


def test_makefile_is_thin_and_helps():
    text = (ROOT / "Makefile").read_text(encoding="ascii")
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split()
    said = run(["make", "help"]).stdout
    assert text.count("\n") < 100
    assert [name for name in targets if name not in ("all", "help") and f"make {name} " not in said] == []


def test_scripts_are_sound():
    """Each script parses and can be run."""
    for path in (ROOT / ".ci/run", *(ROOT / "tools").iterdir()):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        if first.startswith("#!"):
            assert os.access(path, os.X_OK), path
        if first.endswith("sh"):
            run([first[2:].split()[-1], "-n", path])
