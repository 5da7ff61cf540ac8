"""Elementary functions against libm in double, at most 2 ULP (units in the last place), and the same bits from every row of the
kernel table: over a sample of floats, and in the long tier over all 2^32 of them."""
import re

import pytest

from support import ONE_LINE, ONE_LINE_LIBS, ROOT, WARNINGS, run

# Beside the elementary functions themselves, activations that are made of them in one step.
NAMES = "exp log erf sin cos sigmoid tanh softplus elu selu pow".split()
KERNELS = ["src/kernel/" + name for name in ("avx2.c", "avx512.c", "scalar.c", "cpu.c", "angle.c")]


def compiled(folder, kernels=ROOT):
    """The program, with the kernel table of a tree. The scalar row needs a libm call for each fused multiply-add, as in the
    one-line build."""
    sources = [kernels / name for name in KERNELS if (kernels / name).exists()]
    run(["cc", "-std=c11", "-O2", "-D_GNU_SOURCE", *WARNINGS, f"-I{kernels / 'src'}", *ONE_LINE, *sources,
         "tests/oracle/elementary.c", *ONE_LINE_LIBS, "-o", folder / "elementary"])
    return folder / "elementary"


def worst(said):
    """Name and error of each line of the program."""
    return {name: float(error) for name, error in re.findall(r"^(\w+): at most ([0-9.]+|inf) ULP", said, re.MULTILINE)}


def test_sample(tmp_path):
    found = worst(run([compiled(tmp_path), 4099, 2]).stdout)
    assert list(found) == NAMES


@pytest.mark.parametrize("file, right, wrong, name", [
    pytest.param("math.inc", "1.66665167e-01f", "1.66675167e-01f", "exp", id="coefficient"),
    pytest.param("math.inc", "v_set(0x1.fffffep-65f)", "v_set(0x1p-64f)", "sigmoid", id="lost"),
    pytest.param("trig.inc", "0x1.4442dp-24f", "0x1.4443dp-24f", "sin", id="half-pi"),
    pytest.param("angle.c", "0xDB629599", "0xDB629589", "cos", id="two-over-pi"),
    pytest.param("pow.inc", "3.85192594e-08f", "4.85192594e-08f", "pow", id="low-part"),
    pytest.param("vec_avx2.h", "_mm256_fmadd_ps(a, b, c)", "_mm256_add_ps(_mm256_mul_ps(a, b), c)", " differs", id="row"),
])
def test_planted_bug_is_seen(tmp_path, file, right, wrong, name):
    for source in [*(ROOT / "src/kernel").iterdir(), *(ROOT / "src/base").glob("*.h")]:
        text = source.read_text(encoding="ascii")
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.name == file:
            assert text.count(right) == 1
            text = text.replace(right, wrong)
        copy.write_text(text, encoding="ascii")
    said = run([compiled(tmp_path, tmp_path), 4099, 2], expect=1).stdout
    assert name in said if " " in name else worst(said)[name] > 2


@pytest.mark.long
@pytest.mark.serial
def test_all_floats(tmp_path, fact):
    found = worst(run([compiled(tmp_path), 1, 2], timeout=3600).stdout)
    assert list(found) == NAMES
    fact("worst errors over all floats, in ULP", ", ".join(f"{name} {error}" for name, error in found.items()))
