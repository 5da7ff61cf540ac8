"""The sources of the page: types, sizes, and what may not stand in them."""
import gzip
import json
import re
import shutil

from support import ROOT, build, run

PAGE = ROOT / "page"
SOURCES = sorted((PAGE / "src").iterdir())
LARGEST = 200 * 1024


def test_types():
    build("gcc")
    run([PAGE / "node_modules/.bin/tsc", "--noEmit", "-p", PAGE])


def test_sizes(fact):
    folder = build("gcc")
    compressed = len(gzip.compress((folder / "page.html").read_bytes(), 9))
    fact("the page, compressed", f"{compressed / 1024:.0f} KiB")
    assert compressed < LARGEST
    too_long = [path.name for path in SOURCES if path.read_text(encoding="utf-8").count("\n") > 400]
    assert too_long == []


def test_text():
    """Plain characters, a banner, lines that fit; and no markup is ever made of a string."""
    wrong = []
    for path in [*SOURCES, *PAGE.glob("*.mjs")]:
        text = path.read_text(encoding="utf-8")
        if not text.isascii() or "\t" in text or re.search(r" $", text, re.MULTILINE):
            wrong.append(f"{path.name}: a tab, a blank at a line's end or a character beyond ASCII")
        if path.suffix in (".ts", ".mjs") and not text.startswith("// "):
            wrong.append(f"{path.name}: no banner")
        if re.search(r"\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval|new Function)\b", text):
            wrong.append(f"{path.name}: makes markup or code of a string")
        if "http:" in text.replace("http://www.w3.org/2000/svg", "") or "https:" in text:
            wrong.append(f"{path.name}: names a host")
    assert wrong == []


def test_lock_file_names_no_host():
    text = (PAGE / "package-lock.json").read_text(encoding="utf-8")
    assert "resolved" not in text and "://" not in re.sub(r'"url": "[^"]*"', "", text)
    lock = json.loads(text)["packages"]
    assert all("integrity" in package for name, package in lock.items() if name)
    assert lock[""]["dependencies"].keys() == {"uplot"}


def test_two_builds_at_once_and_no_network(tmp_path):
    """The same bytes from each build; nothing is fetched once node_modules is there."""
    folder = build("gcc")
    run(["node", PAGE / "install.mjs"], npm_config_offline="true")
    run(["node", PAGE / "build.mjs", tmp_path])
    assert (tmp_path / "page.c").read_bytes() == (folder / "page.c").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["page.c", "page.html"]


def test_without_node(tmp_path):
    """Everything else is configured, and what is missing is said once."""
    places = tmp_path / "bin"
    places.mkdir()
    for tool in ("cmake", "cc", "gcc", "make", "ld", "as", "ar", "ranlib", "nm", "uname", "strip", "objcopy", "objdump"):
        if shutil.which(tool):
            (places / tool).symlink_to(shutil.which(tool))
    said = run(["cmake", "-S", ROOT, "-B", tmp_path / "build", "-DHILL_TESTS=OFF", "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF"],
               PATH=str(places)).stdout
    assert said.count("Downhill will have no page") == 1
    assert "page.c" not in (tmp_path / "build/CMakeFiles/downhill_command.dir/build.make").read_text(encoding="utf-8")
