"""The text of the tree: format, characters, sizes of files."""
import os
import re
import statistics

import pytest

from support import ROOT, run

pytestmark = pytest.mark.quick

C_ENDINGS = (".c", ".h", ".inc", ".def")
LONGEST = 1500


def tracked():
    """Files git knows or would take, so that a new file is tested before it is committed; of an unpacked archive, the sources."""
    if not (ROOT / ".git").exists():
        tops = ("src", "include", "cli", "tests", "tools", "examples")
        return sorted(path for top in tops for path in (ROOT / top).rglob("*") if path.is_file() and path.suffix != ".pyc")
    names = run(["git", "ls-files", "--cached", "--others", "--exclude-standard"]).stdout.splitlines()
    return [ROOT / name for name in sorted(set(names)) if (ROOT / name).is_file()]


def c_files():
    return [path for path in tracked() if path.name.endswith(C_ENDINGS)]


def lines_of(path):
    return path.read_text(encoding="utf-8").count("\n")


def test_clang_format():
    files = [path for path in c_files() if path.suffix in (".c", ".h")]
    said = run(["clang-format", "--dry-run", *files]).stderr
    first = {}
    for name, line in re.findall(r"^(.+?):(\d+):\d+: warning: code should be clang-formatted", said, re.MULTILINE):
        first.setdefault(name, line)
    wrong = [f"{os.path.relpath(name, ROOT)}:{line}: not as clang-format writes it" for name, line in first.items()]
    assert not wrong, "`make format` puts it right:\n" + "\n".join(wrong)


def test_characters():
    """No tabs, no blanks at line ends, no missing last newline; and all but the tests' own data is plain ASCII."""
    wrong = []
    for path in tracked():
        if not path.name.endswith(C_ENDINGS + (".py", ".txt", ".cmake", ".json")) and path.parent.name not in ("tools", ".ci"):
            continue
        data = path.read_bytes()
        name = path.relative_to(ROOT)
        if data and not data.endswith(b"\n"):
            wrong.append(f"{name}: no newline at its end")
        for number, line in enumerate(data.split(b"\n"), 1):
            if re.search(rb"[\x00-\x1f]" if path.suffix == ".py" else rb"[^\x20-\x7e]", line):
                wrong.append(f"{name}:{number}: a tab, a control character or one beyond ASCII")
            if line.endswith(b" "):
                wrong.append(f"{name}:{number}: blanks at the end of the line")
    assert not wrong, "\n".join(wrong)


def test_no_promises():
    """What is left to do stands in issues, not in the sources."""
    word = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
    wrong = [f"{path.relative_to(ROOT)}:{number}: {line.strip()}" for path in c_files()
             for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if word.search(line)]
    assert not wrong, "\n".join(wrong)


def test_sizes_of_files(fact):
    sizes = {path.relative_to(ROOT): lines_of(path) for path in c_files() if path.relative_to(ROOT).parts[0] in ("src", "cli")}
    too_long = {str(path): size for path, size in sizes.items() if size > LONGEST}
    library = sorted(size for path, size in sizes.items() if path.parts[0] == "src" and path.suffix == ".c")
    engine = sum(size for path, size in sizes.items() if len(path.parts) > 2 and path.parts[1] in ("base", "op", "plan", "train"))
    assert not too_long
    assert statistics.median(library) < 400
    fact("lines a .c file of the library", f"median {statistics.median(library):g}, longest {library[-1]}, files {len(library)}")
    fact("lines of base, op, plan and train", engine)
    fact("lines of src and cli", sum(sizes.values()))


def test_banners():
    """Every .c file of the library begins with a comment that names it and says what it owns."""
    for path in (ROOT / "src").rglob("*.c"):
        head = path.read_text(encoding="utf-8")[:200]
        assert head.startswith("/*\n * " + path.name + " - "), f"{path.relative_to(ROOT)}: no banner"
