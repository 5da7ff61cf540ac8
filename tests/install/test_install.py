"""What `make install` installs, as a program of someone else meets it."""
import pathlib
import re
import subprocess

import pytest

from support import ROOT, build, run

HERE = pathlib.Path(__file__).parent
SAID = re.compile(r"^0\.1\.0 adamw\n$")

EXPECTED = """
bin/downhill
include/downhill.h
lib/libdownhill.a
lib/libdownhill.so
lib/libdownhill.so.0
lib/libdownhill.so.0.1.0
lib/pkgconfig/downhill.pc
lib/cmake/downhill/downhill-config.cmake
lib/cmake/downhill/downhill-config-version.cmake
lib/cmake/downhill/downhill-targets.cmake
lib/cmake/downhill/downhill-targets-release.cmake
share/man/man1/downhill.1
"""


def files_under(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    """An installed tree, moved after its installation: nothing in it may hold the place it was made for."""
    folder = tmp_path_factory.mktemp("install")
    run(["cmake", "--install", build("gcc"), "--prefix", folder / "made"])
    (folder / "made").rename(folder / "moved")
    return folder / "moved"


@pytest.fixture
def pkg_config(prefix):
    def ask(*words):
        return run(["pkg-config", *words, "downhill"], PKG_CONFIG_PATH=str(prefix / "lib/pkgconfig")).stdout.split()
    return ask


def test_files(prefix):
    assert files_under(prefix) == set(EXPECTED.split())


def test_pkg_config_shared(prefix, pkg_config, tmp_path):
    run(["cc", *pkg_config("--cflags"), HERE / "use.c", *pkg_config("--libs"), "-o", tmp_path / "use"])
    assert SAID.match(run([tmp_path / "use"], LD_LIBRARY_PATH=str(prefix / "lib")).stdout)
    run([tmp_path / "use"], expect=127)


def test_pkg_config_static(prefix, pkg_config, tmp_path):
    """-static: nothing of the system's either."""
    run(["cc", "-static", *pkg_config("--cflags"), HERE / "use.c", *pkg_config("--static", "--libs"), "-o", tmp_path / "use"])
    assert SAID.match(run([tmp_path / "use"]).stdout)


def test_pkg_config_version(pkg_config):
    assert pkg_config("--modversion") == ["0.1.0"]


def test_find_package(prefix, tmp_path):
    run(["cmake", "-S", HERE, "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}"])
    run(["cmake", "--build", tmp_path])
    for program in ("use_shared", "use_static"):
        assert SAID.match(run([tmp_path / program]).stdout)


def test_command(prefix):
    """The installed command needs nothing of the tree it was built in."""
    assert "0.1.0" in run([prefix / "bin/downhill", "--version"], cwd="/").stdout
    needed = run(["readelf", "-d", prefix / "bin/downhill"]).stdout
    assert "libdownhill" not in needed and "RUNPATH" not in needed and "RPATH" not in needed


def test_manual(prefix):
    """mandoc finds nothing wrong but that no date is given: the same sources make the same page on any day."""
    page = prefix / "share/man/man1/downhill.1"
    done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page], capture_output=True, text=True, check=False)
    assert [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line] == []
    text = run(["mandoc", "-T", "ascii", page]).stdout
    assert "--epochs" in re.sub(".\b", "", text)


def test_make_uninstall(tmp_path):
    """make install with DESTDIR, as packages are made; make uninstall takes all of it out again."""
    build("gcc")
    where = ["PREFIX=/opt/downhill", f"DESTDIR={tmp_path}"]
    run(["make", "install", *where], cwd=ROOT, DESTDIR=str(tmp_path))
    assert files_under(tmp_path / "opt/downhill") == set(EXPECTED.split())
    (tmp_path / "opt/downhill/lib/other").write_text("", encoding="ascii")
    run(["make", "uninstall", *where], cwd=ROOT)
    assert files_under(tmp_path) == {"opt/downhill/lib/other"}
