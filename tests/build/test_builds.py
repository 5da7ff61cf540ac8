"""Every unit test and every example, in every build: release by gcc, release by clang, and under the sanitizers.

The thread sanitizer's build is for `make test-long`.
"""
import pytest

from support import BUILDS, ROOT, build, run

UNITS = sorted(path.stem for path in (ROOT / "tests/unit").glob("test_*.c"))
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.c"))


MARKS = {"gcc": [pytest.mark.quick], "tsan": [pytest.mark.long]}


def in_builds(names):
    """Each name in each build."""
    return [pytest.param(name, make, marks=MARKS.get(make, []), id=f"{make}-{name}") for make in BUILDS for name in names]


@pytest.mark.parametrize("make", [pytest.param(make, marks=MARKS.get(make, [])) for make in BUILDS])
def test_build(make):
    """No warning: they are errors in these builds."""
    assert (build(make) / "downhill").exists()


@pytest.mark.parametrize("unit, make", in_builds(UNITS))
def test_unit(unit, make):
    done = run([build(make) / "tests" / unit])
    assert "[  PASSED  ]" in done.stdout + done.stderr


@pytest.mark.parametrize("example, make", in_builds(EXAMPLES))
def test_example(example, make, tmp_path):
    """Examples run where the examples' data lies, and end well."""
    run([build(make) / "examples" / example], cwd=tmp_path)
