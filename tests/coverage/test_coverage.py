"""The judge of `make coverage`: it sees what isn't taken and what is said wrongly; and the tests as they are pass before it."""
import importlib.machinery
import importlib.util

import pytest

from support import ROOT, run


def load():
    loader = importlib.machinery.SourceFileLoader("coverage_tool", str(ROOT / "tools/coverage"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("coverage_tool", loader))
    loader.exec_module(module)
    return module


tool = load()
READER, OTHER = "src/data/zip.c", "src/op/op.c"
REASONS = f"# why\n{READER}\n    if (a)\n        1: it can't be\n\n    if (b) # c\n        2: nor can they\n"


def lines(*counts):
    """Lines `if (a)`, `if (b) # c`, `if (d)` of a reader and one of another file, of so many branches not taken."""
    texts = [(READER, "if (a)"), (READER, "if (b) # c"), (READER, "if (d)"), (OTHER, "if (e)")]
    return [tool.Line(file, 7, text, 20, missed) for (file, text), missed in zip(texts, counts)]


def judged(*counts):
    return tool.judge(lines(*counts), tool.read_reasons(REASONS), every=[READER])


@pytest.mark.quick
def test_reasons_are_read():
    assert tool.read_reasons(REASONS) == {(READER, "if (a)"): 1, (READER, "if (b) # c"): 2}


@pytest.mark.quick
def test_what_is_taken_or_has_its_reason_passes():
    assert judged(1, 2, 0, 1) == []


@pytest.mark.quick
@pytest.mark.parametrize("counts, told", [
    ((1, 2, 1, 0), f"{READER}:7: 1 of 20 branches aren't taken: if (d)"),
    ((2, 2, 0, 0), "1 branches of this line have a reason, 2 aren't taken: if (a)"),
    ((0, 2, 0, 0), "1 branches of this line have a reason, 0 aren't taken: if (a)"),
    ((1, 2, 0, 5), "src: 90.0 % of the branches are taken, less than 95 %"),
])
def test_what_is_wrong_is_seen(counts, told):
    wrong = judged(*counts)
    assert len(wrong) == 1 and told in wrong[0]


@pytest.mark.quick
def test_a_file_that_was_not_counted_is_seen():
    assert tool.judge(lines(1, 2, 0, 0), tool.read_reasons(REASONS), every=[READER, "src/model/new.c"]) == [
        "src/model/new.c: nothing was counted"]


@pytest.mark.quick
def test_reasons_are_of_lines_that_are_there():
    for file, text in tool.read_reasons(tool.REASONS.read_text(encoding="ascii")):
        assert text in [line.strip() for line in (ROOT / file).read_text(encoding="ascii").splitlines()]


@pytest.mark.long
def test_branches_are_taken(fact):
    said = run([ROOT / "tools/coverage"], timeout=3600).stdout.splitlines()
    fact("branches taken", said[-1])
