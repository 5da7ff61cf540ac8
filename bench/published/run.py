#!/usr/bin/python3
"""Results on MNIST and Fashion-MNIST, published ones and ours, by the recipes beside this file.

    bench/published/run.py MNIST FASHION [ROW...]     runs those rows, or all, three seeds each, and puts them into docs/published.md

MNIST and FASHION are folders with the usual four files. The test rows are looked at once a seed, when the model is done: no recipe
stops or chooses by them. DOWNHILL names another command than build/downhill.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PUBLISHED = ROOT / "docs/published.md"
SEEDS = (1, 2, 3)

# What is published is a share of test pictures that are right. A row without a recipe file is run without a flag.
Row = collections.namedtuple("Row", "name data what published source")
LECUN = "LeCun, Bottou, Bengio, Haffner 1998"
SIMARD = "Simard, Steinkraus, Platt 2003"
ROWS = (
    Row("lecun-300", "MNIST", "300 hidden units, squared cost", "95.3%", LECUN),
    Row("lecun-300-100", "MNIST", "300 and 100 hidden units, squared cost", "96.95%", LECUN),
    Row("lenet-5", "MNIST", "LeNet-5, the pictures as they are", "99.05%", LECUN),
    Row("nielsen-30", "MNIST", "30 sigmoid units, squared cost, 30 passes", "95.42%",
        "Nielsen, Neural Networks and Deep Learning, 2015, chapter 1"),
    Row("lesson-16-16", "MNIST", "two layers of 16 units", "about 96%", "3Blue1Brown, Neural networks, 2017"),
    Row("simard-800", "MNIST", "800 hidden units, the pictures as they are", "98.4%", SIMARD),
    Row("simard-800-elastic", "MNIST", "800 hidden units, elastic distortions", "99.3%", SIMARD),
    Row("dense", "MNIST", "a dense net in a hurry", "", ""),
    Row("best", "MNIST", "our best", "", ""),
    Row("no-flag-mnist", "MNIST", "`downhill train FOLDER`", "", ""),
    Row("no-flag-fashion", "Fashion-MNIST", "`downhill train FOLDER`", "", ""),
)

HEADING = """\
# Published results

What others have published beside what the recipes in `bench/published` come to, run by `bench/published/run.py` with seeds {seeds}; ours
is the mean of the three, whatever it is. 10,000 test pictures judge a model; they are looked at once, when it is done.

| recipe | data | what | published | ours | each seed | seconds a seed | source |
|---|---|---|---|---|---|---|---|
"""


def train(row, folder, seed, out):
    command = os.environ.get("DOWNHILL", ROOT / "build/downhill")
    recipe = ROOT / f"bench/published/{row.name}.recipe"
    words = [command, "train", folder, "--seed", seed, "--fresh", "--out", out, "--json"]
    words += ["--recipe", recipe] if recipe.exists() else []
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    return 100 * answer["test"]["accuracy"], answer["seconds"]


def line_of(row, folder):
    with tempfile.TemporaryDirectory() as place:
        runs = [train(row, folder, seed, pathlib.Path(place) / "model.safetensors") for seed in SEEDS]
    rights = [right for right, _ in runs]
    each = ", ".join(f"{right:.2f}" for right in rights)
    seconds = sum(seconds for _, seconds in runs) / len(runs)
    ours = f"{sum(rights) / len(rights):.2f}%"
    return "| " + " | ".join((f"`{row.name}`", row.data, row.what, row.published, ours, each, f"{seconds:.0f}", row.source)) + " |"


def kept_lines():
    """The lines of the page as it is, by the names of their rows, and what follows the table."""
    text = PUBLISHED.read_text(encoding="ascii") if PUBLISHED.exists() else ""
    lines = {found[1]: found[0] for found in re.finditer(r"^\| `([a-z0-9-]+)` \|.*$", text, re.MULTILINE)}
    return lines, text.rpartition("|\n")[2]


def main():
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    folders = {"MNIST": pathlib.Path(sys.argv[1]).resolve(), "Fashion-MNIST": pathlib.Path(sys.argv[2]).resolve()}
    wanted = sys.argv[3:] or [row.name for row in ROWS]
    unknown = set(wanted) - {row.name for row in ROWS}
    if unknown:
        raise SystemExit(f"no row called {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
    for row in ROWS:
        if row.name in wanted:
            line = line_of(row, folders[row.data])
            print(line, flush=True)
            lines, rest = kept_lines()
            lines[row.name] = line
            table = "".join(lines[known.name] + "\n" for known in ROWS if known.name in lines)
            PUBLISHED.write_text(HEADING.format(seeds=", ".join(map(str, SEEDS))) + table + rest, encoding="ascii")


if __name__ == "__main__":
    main()
