"""The arrows of docs/design.md: no #include may point up. Each kind of bad include is planted once and must be seen."""
import pytest

from support import ROOT, run

pytestmark = pytest.mark.quick


@pytest.fixture
def copy(tmp_path):
    """A small tree with one header in each folder."""
    for folder in ("base", "kernel", "op", "plan", "train", "data", "model"):
        (tmp_path / "src" / folder).mkdir(parents=True)
        (tmp_path / "src" / folder / f"{folder}.h").write_text("#include <stddef.h>\n", encoding="ascii")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli/main.c").write_text('#include "downhill.h"\n#include <unistd.h>\n', encoding="ascii")
    run([ROOT / "tools/arrows", tmp_path])
    return tmp_path


def test_arrows_hold():
    run([ROOT / "tools/arrows"])


@pytest.mark.parametrize("path, line, told", [
    ("src/base/base.h", '#include "plan/plan.h"', "src/base may include itself, downhill.h and nothing else"),
    ("src/data/planted.h", '#include "kernel/kernel.h"', "src/data may include itself, downhill.h and src/base"),
    ("src/plan/planted.h", '#include "data/data.h"', '"data/data.h" is in src/data'),
    ("src/train/planted.h", '#include "model/model.h"', '"model/model.h" is in src/model'),
    ("src/base/planted.h", '#include "../data/data.h"', '"../data/data.h" is in src/data'),
    ("src/kernel/planted.h", "#include <pthread.h>", "<pthread.h> may only be included in src/base"),
    ("src/base/planted.h", "#include <zlib.h>", "<zlib.h> may only be included in src/data"),
    ("src/plan/planted.h", "#  include <ctype.h>", "<ctype.h> may only be included in src/base"),
    ("src/plan/planted.c", "#include <math.h>", 'the first include of a .c file is "base/fp.h"'),
    ("src/base/planted.h", '#include "base/absent.h"', "neither beside this file nor in src/"),
    ("src/extra/planted.h", "", "src/extra is not on the map"),
    ("cli/planted.h", '#include "base/base.h"', "cli may include itself, downhill.h and nothing else"),
])
def test_planted_include_is_seen(copy, path, line, told):
    file = copy / path
    file.parent.mkdir(exist_ok=True)
    with open(file, "a", encoding="ascii") as stream:
        stream.write(line + "\n")
    said = run([ROOT / "tools/arrows", copy], expect=1).stdout
    assert len(said.splitlines()) == 1
    assert said.startswith(path + ":") and told in said


@pytest.mark.parametrize("path, line", [
    ("src/model/planted.h", '#include "train/train.h"'),
    ("src/train/planted.h", '#include "kernel/kernel.h"'),
    ("src/data/planted.h", "#include <zlib.h>"),
    ("src/base/planted.h", "#include <pthread.h>"),
    ("cli/planted.h", "#include <signal.h>"),
])
def test_allowed_include_passes(copy, path, line):
    (copy / path).write_text(line + "\n", encoding="ascii")
    run([ROOT / "tools/arrows", copy])
