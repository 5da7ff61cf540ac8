"""Help, version and manual: on standard output, exit 0, quick, and every example in them works."""
import gzip
import re
import shlex
import shutil
import struct
import subprocess
import time

import pytest

from command_line import USAGE
from command_tables import numbers_table

pytestmark = pytest.mark.quick

VERBS = ["train", "find-rate", "race", "eval", "predict", "info", "check", "view", "report", "help", "version"]


def ways(verb):
    return [["help", verb], [verb, "--help"], [verb, "-h"], [verb, "some", "--nonsense", "--help"]]


@pytest.mark.parametrize("verb", VERBS)
def test_every_way_to_help(downhill, verb):
    texts = {downhill(*words).stdout for words in ways(verb)}
    assert len(texts) == 1
    text = texts.pop()
    assert text.startswith(f"usage: downhill {verb}")
    assert all(len(line) <= 80 for line in text.splitlines()), [line for line in text.splitlines() if len(line) > 80]
    assert downhill("help", verb).stderr == ""


@pytest.mark.serial
def test_help_takes_no_time_and_writes_nothing(downhill):
    before = sorted(downhill.folder.iterdir())
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        downhill("help", "train")
        times.append(time.perf_counter() - begin)
    assert min(times) < 0.05
    assert sorted(downhill.folder.iterdir()) == before


def test_bare_command(downhill):
    text = downhill().stdout
    assert len(text.splitlines()) <= 18
    assert "downhill train xor.csv" in text


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"]])
def test_general_help(downhill, words):
    text = downhill(*words).stdout
    for verb in VERBS:
        assert re.search(rf"^  {verb}\b", text, re.MULTILINE)


def test_version(downhill):
    assert re.fullmatch(r"downhill \d+\.\d+\.\d+\n", downhill("--version").stdout)
    assert downhill("version").stdout == downhill("--version").stdout


def test_train_help_has_every_knob_that_a_model_may_hold(downhill):
    text = downhill("help", "train").stdout
    for knob in ("target", "net", "cost", "rule", "rate", "batch", "epochs", "order", "init", "seed", "schedule", "patience"):
        assert re.search(rf"^  --{knob} ", text, re.MULTILINE), knob
    assert text.count("  --valid ") == 1
    for word in ("relu", "cross-entropy", "adamw", "cosine", "glorot"):
        assert word in text


def test_help_of_a_word_and_a_knob(downhill):
    assert "max" in downhill("help", "relu").stdout
    assert "--rate X" in downhill("help", "rate").stdout
    assert "did you mean relu" in downhill.refuse(USAGE, "help", "rleu")


def test_help_fits_a_narrow_terminal(downhill):
    for columns in (40, 59, 72):
        seen, code = downhill.on_terminal("help", "train", columns=columns, NO_COLOR="1")
        assert code == 0 and "\033" not in seen
        prose = [line for line in seen.split("Examples")[0].splitlines() if not line.startswith("  --")]
        assert all(len(line) <= columns for line in prose), [line for line in prose if len(line) > columns]


def examples(downhill):
    found = []
    for verb in VERBS:
        found += re.findall(r"^  (downhill .*)$", downhill("help", verb).stdout, re.MULTILINE)
    return found


def digit_folder(folder):
    """Sixteen pictures of two digits, as the four usual files."""
    folder.mkdir()
    for part in ("train", "t10k"):
        pixels = b"".join(bytes([200 * (i % 2)] * 8 + [90 * (1 - i % 2)] * 8) for i in range(16))
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">IIII", 0x803, 16, 4, 4) + pixels)
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 0x801, 16) + bytes(i % 2 for i in range(16)))


def test_examples_work(downhill):
    downhill.write("houses.csv", numbers_table())
    downhill.write("lesson.recipe", "# short\nnet=4 sigmoid\nepochs=10\nscale=none\n")
    digit_folder(downhill.folder / "digits")
    made = examples(downhill)
    assert len(made) >= 10
    for line in made:
        words = line.replace("downhill", shlex.quote(downhill.program), 1)
        if line.startswith("downhill view"):  # which goes on until somebody ends it
            words = f"timeout --foreground --preserve-status -s INT 1 {words}"
        if line.startswith("downhill report"):  # which a command without its page can't
            words += " || test $? = 1"
        done = subprocess.run(["sh", "-c", words], cwd=downhill.folder, capture_output=True, text=True, check=False,
                              env=downhill.environment(), timeout=120)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"


def test_manual(downhill):
    page = downhill("help", "--man").stdout
    assert page.startswith(".TH DOWNHILL 1")
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "VERBS", "KNOBS", "WORDS", "EXIT STATUS", "ENVIRONMENT", "EXAMPLES"):
        assert f".SH {section}\n" in page
    assert page.count("\\fB\\-\\-rate\\fR") == 1
    for code in (0, 1, 2, 65, 66, 73, 74, 130, 143):
        assert f".TP\n{code}\n" in page
    if shutil.which("man"):
        downhill.write("downhill.1", page)
        done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "downhill.1"], cwd=downhill.folder, capture_output=True,
                              text=True, env=downhill.environment(MANWIDTH="80"), check=False)
        assert done.returncode == 0 and done.stderr == ""
        assert "--momentum" in done.stdout
