"""The library as one translation unit: static names, types and macros are unique across src/, so that it can be."""
import pytest

from support import ONE_LINE, ROOT, WARNINGS, library_sources, run


def one_file(tmp_path, sources):
    """A file that includes all sources. What a source asks of the system's headers must be asked before the first of them."""
    path = tmp_path / "downhill.c"
    path.write_text("#define _GNU_SOURCE\n" + "".join(f'#include "{ROOT / source}"\n' for source in sources), encoding="ascii")
    return path


def compile_as_one(compiler, tmp_path, sources, expect=0):
    return run([compiler, "-std=c11", "-O0", *WARNINGS, *ONE_LINE, "-c", one_file(tmp_path, sources), "-o", tmp_path / "downhill.o"],
               expect=expect)


def from_the_bottom():
    """The sources in the order of the arrows: base first, model last."""
    layers = ["base", "kernel", "op", "plan", "train", "data", "model"]
    return sorted(library_sources(), key=lambda source: (layers.index(source.split("/")[1]), source))


@pytest.mark.quick
def test_gcc(tmp_path):
    compile_as_one("gcc", tmp_path, from_the_bottom())


def test_clang(tmp_path):
    compile_as_one("clang", tmp_path, from_the_bottom())


@pytest.mark.quick
def test_planted_twin_is_seen(tmp_path):
    """Two files with a static function of the same name, each fine alone."""
    twins = []
    for name in ("one.c", "two.c"):
        twins.append(tmp_path / name)
        twins[-1].write_text(f"int {name[:3]}(void);\nstatic int twin(void)\n{{\n    return 1;\n}}\n"
                             f"int {name[:3]}(void)\n{{\n    return twin();\n}}\n", encoding="ascii")
        compile_as_one("gcc", tmp_path, [twins[-1]])
    said = compile_as_one("gcc", tmp_path, twins, expect=1)
    assert "redefinition of" in said.stderr and "twin" in said.stderr
