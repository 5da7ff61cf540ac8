"""Every unit test and every example, in every build: release by gcc, release by clang, and under the sanitizers.

The thread sanitizer and valgrind are for `make test-long`. None of them is told to look away from anything.
"""
import gzip
import pathlib

import pytest

from support import BUILDS, MARKS, ROOT, build, in_builds, program, run

UNITS = sorted(path.stem for path in (ROOT / "tests/unit").glob("test_*.c"))
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.c"))
FASHION = pathlib.Path("/usr/share/datasets/fashion-mnist")


@pytest.mark.parametrize("make", [pytest.param(make, marks=MARKS.get(make, [])) for make in BUILDS])
def test_build(make):
    """No warning: they are errors in these builds."""
    assert (build(make) / "downhill").exists()


@pytest.mark.parametrize("unit, make", in_builds(UNITS))
def test_unit(unit, make):
    done = run([program(make, f"tests/{unit}")], timeout=1800)
    assert "[  PASSED  ]" in done.stdout + done.stderr


def few_images(folder):
    """A folder with the first 2,000 and 500 images of Fashion-MNIST, under MNIST's four names."""
    folder.mkdir()
    for part, count in (("train", 2000), ("t10k", 500)):
        for name, header, each in ((f"{part}-images-idx3-ubyte", 16, 28 * 28), (f"{part}-labels-idx1-ubyte", 8, 1)):
            data = gzip.decompress((FASHION / f"{name}.gz").read_bytes())
            head = data[:4] + count.to_bytes(4, "big") + data[8:header]
            (folder / name).write_bytes(head + data[header:header + count * each])
    return folder


@pytest.mark.parametrize("example, make", in_builds(EXAMPLES))
def test_example(example, make, tmp_path):
    """Each ends well and has something to say, run from a folder that sees examples/ as the root of the project does."""
    words = [few_images(tmp_path / "images")] if "digits" in example else []
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    assert run([program(make, f"examples/{example}"), *words], cwd=tmp_path, timeout=1800).stdout
