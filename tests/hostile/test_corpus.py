"""Every case of the corpus: refused in one line that says what is wrong and where, or answered; never with more memory than the
files justify. docs/hostile-files.md lists all cases."""
import re
import subprocess

import pytest

import corpus
import support
import variants
from runner import MIB, hostile, measured  # noqa: F401  (fixtures)

CASES = corpus.everything()

# What the command takes for itself.
ITSELF = 10 * MIB


@pytest.mark.parametrize("name", CASES)
def test_case(hostile, name):
    case = CASES[name]
    for path, content in case.files().items():
        hostile.write(path, content)
    run = hostile.refuse if case.code else hostile.answer
    done = run(*case.words, code=case.code, **({"stdin": case.stdin(hostile)} if case.stdin else {}))
    for words in case.says:
        assert words in (done.said if case.code else done.out), done
    if not hostile.sanitized:
        came = hostile.bytes() + case.incoming
        assert done.peak <= 2 * came + 64 * MIB + ITSELF, f"{done.peak / MIB:.0f} MiB of memory for {came / MIB:.0f} of files"


def test_nothing_is_unpickled(hostile):
    """The planted object does what it says where somebody unpickles it: else the cases of objects would prove nothing."""
    path = hostile.write("f.npy", CASES["npy-objects"].files()["f.npy"])
    code = f"import numpy; numpy.load({path!r}, allow_pickle=True)"
    subprocess.run([support.ROOT / ".venv/bin/python", "-c", code], cwd=hostile.folder, check=False, capture_output=True)
    assert (hostile.folder / "pickled").exists()


@pytest.mark.parametrize("i", range(100))
def test_variant(hostile, i):
    """A file that is cut off or has a bit turned is read, or refused as any other."""
    name, _, content = variants.sample(100)[i]
    hostile.write(name, content)
    words = ["info", name]
    if name == "m.safetensors":
        hostile.write("d.csv", corpus.ROWS)
        words = ["predict", name, "d.csv"]
    done = hostile(*words)
    if done.code:
        done = hostile.refuse(*words)
        assert name in done.said
    assert hostile.sanitized or done.peak < 64 * MIB


@pytest.fixture(scope="module")
def locales(tmp_path_factory):
    """A folder with a German locale, whose numbers have a comma for their point."""
    folder = tmp_path_factory.mktemp("locales")
    subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", folder / "de_DE.UTF-8"], check=True, capture_output=True)
    code = "import locale; locale.setlocale(locale.LC_ALL, ''); print(locale.localeconv()['decimal_point'])"
    said = subprocess.run([support.ROOT / ".venv/bin/python", "-c", code], check=True, capture_output=True, text=True,
                          env=support.environment(LOCPATH=str(folder), LC_ALL="de_DE.UTF-8")).stdout
    assert said == ",\n"
    return folder


def test_the_same_in_every_locale(hostile, locales):
    """The same answers and the same model, whatever LC_ALL says."""
    hostile.write("f.csv", "x;z;y\n" + "".join(f"{i / 8};{i},5;{i * i / 3}\n" for i in range(30)))
    seen = set()
    for name in ("C", "C.UTF-8", "de_DE.UTF-8", "no_SUCH"):
        extra = {"LC_ALL": name, "LOCPATH": str(locales)} if name == "de_DE.UTF-8" else {"LC_ALL": name}
        info = hostile("info", "f.csv", "--json", **extra)
        train = hostile("train", "f.csv", "--epochs", "2", "--net", "2 tanh", "--out", "m.safetensors", **extra)
        predict = hostile("predict", "m.safetensors", "f.csv", **extra)
        assert (info.code, train.code, predict.code) == (0, 0, 0)
        model = (hostile.folder / "m.safetensors").read_bytes()
        seen.add((info.out, re.sub(r"in [\d.e-]+ s", "", train.said), predict.out, model))
    assert len(seen) == 1


def test_rules_are_published():
    """The tables of docs/hostile-files.md are the corpus, rule by rule."""
    text = (support.ROOT / "docs/hostile-files.md").read_text(encoding="ascii")
    published = re.findall(r"^\| ([^|]+) \| `([a-z0-9-]+)` \|$", text, re.MULTILINE)
    assert published == [(case.rule, case.name) for case in CASES.values()], "\n" + table()


def table():
    return "\n".join(f"| {case.rule} | `{case.name}` |" for case in CASES.values())
