"""The arrows of docs/design.md: no #include may point up. Each kind of bad include is planted once and must be seen."""
import shutil

import pytest

from support import ROOT, run

pytestmark = pytest.mark.quick


@pytest.fixture
def copy(tmp_path):
    """A copy of the sources, clean as the tree itself."""
    for name in ("include", "src", "cli"):
        shutil.copytree(ROOT / name, tmp_path / name)
    run([ROOT / "tools/arrows", tmp_path])
    return tmp_path


def test_arrows_hold():
    run([ROOT / "tools/arrows"])


@pytest.mark.parametrize("path, line, told", [
    ("src/base/text.c", '#include "plan/recipe.h"', "src/base may include itself, downhill.h and nothing else"),
    ("src/data/planted.h", '#include "kernel/kernel.h"', "src/data may include itself, downhill.h and src/base"),
    ("src/plan/planted.h", '#include "data/table.h"', '"data/table.h" is in src/data'),
    ("src/base/planted.h", '#include "../data/table.h"', '"../data/table.h" is in src/data'),
    ("src/kernel/planted.h", "#include <pthread.h>", "<pthread.h> may only be included in src/base"),
    ("src/base/planted.h", "#include <zlib.h>", "<zlib.h> may only be included in src/data"),
    ("src/plan/planted.h", "#  include <ctype.h>", "<ctype.h> may only be included in src/base"),
    ("src/plan/planted.c", "#include <math.h>", 'the first include of a .c file is "base/fp.h"'),
    ("src/base/planted.h", '#include "base/absent.h"', "neither beside this file nor in src/"),
    ("src/extra/planted.h", "", "src/extra is not on the map"),
    ("cli/planted.h", '#include "base/text.h"', "cli may include itself, downhill.h and nothing else"),
])
def test_planted_include_is_seen(copy, path, line, told):
    file = copy / path
    file.parent.mkdir(exist_ok=True)
    with open(file, "a", encoding="ascii") as stream:
        stream.write(line + "\n")
    said = run([ROOT / "tools/arrows", copy], expect=1).stdout
    assert len(said.splitlines()) == 1
    assert said.startswith(path + ":") and told in said
