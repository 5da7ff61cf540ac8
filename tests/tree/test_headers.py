"""Every header compiles alone, and the public one is C and C++."""
import pytest

from support import ONE_LINE, ROOT, WARNINGS, run


@pytest.mark.quick
@pytest.mark.parametrize("standard", ["c99", "c11", "gnu17"])
def test_public_header_in_c(standard):
    run(["gcc", f"-std={standard}", *WARNINGS, "-x", "c", "-fsyntax-only", "include/downhill.h"])


def test_public_header_in_cpp(tmp_path):
    """A C++ program's names of the functions are the C ones."""
    (tmp_path / "use.cc").write_text('#include "downhill.h"\nconst char *use() { return hill_version(); }\n', encoding="ascii")
    run(["clang", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-Iinclude", "-c", tmp_path / "use.cc", "-o", tmp_path / "use.o"])
    assert " U hill_version" in run(["nm", tmp_path / "use.o"]).stdout


def test_every_header_stands_alone(tmp_path):
    headers = sorted((ROOT / "src").rglob("*.h"))
    wrong = []
    for header in headers:
        if header.name.startswith("vec_"):
            continue  # the same words for each instruction set, undone at the end: fragments by design
        (tmp_path / "alone.c").write_text(f'#include "{header}"\nint alone;\n', encoding="ascii")
        try:
            run(["gcc", "-std=c11", *WARNINGS, "-Wno-unused-function", *ONE_LINE, "-fsyntax-only", tmp_path / "alone.c"])
        except AssertionError as error:
            wrong.append(str(error))
    assert not wrong, "\n".join(wrong)
