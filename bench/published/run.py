#!/usr/bin/python3
"""Published results on MNIST, and ours by the recipes beside this file.

    bench/published/run.py FOLDER            every row, three seeds; then rewrites docs/published.md
    bench/published/run.py FOLDER ROW...     those rows; prints the table and writes nothing

FOLDER holds the four files of MNIST. The test rows are looked at once a seed, when the model is done: no recipe stops or chooses
by them. DOWNHILL names another command than build/downhill.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PUBLISHED = ROOT / "docs/published.md"
SEEDS = (1, 2, 3)

# Recipe, what it is, the published share of test pictures that are right, where from.
ROWS = (
    ("lecun-300", "300 hidden units, squared cost", "95.3%", "LeCun, Bottou, Bengio, Haffner 1998"),
    ("lecun-300-100", "300 and 100 hidden units, squared cost", "96.95%", "the same"),
    ("lenet-5", "LeNet-5, the pictures as they are", "99.05%", "the same"),
    ("nielsen-30", "30 sigmoid units, squared cost, 30 passes", "95.42%", "Nielsen, Neural Networks and Deep Learning, 2015, chapter 1"),
    ("lesson-16-16", "two layers of 16 units", "about 96%", "the lesson in pictures, 2017"),
    ("simard-800", "800 hidden units, the pictures as they are", "98.4%", "Simard, Steinkraus, Platt 2003"),
    ("simard-800-elastic", "800 hidden units, elastic distortions", "99.3%", "the same"),
)

HEADING = """\
# Published results

MNIST, 60,000 pictures to learn from and 10,000 to be judged by. Each row is a recipe in `bench/published`, run with seeds {seeds} by
`bench/published/run.py FOLDER`; ours is the mean of the three, whatever it came to. The test pictures were looked at once a seed.

| recipe | what | published | ours | each seed | seconds a seed | source |
|---|---|---|---|---|---|---|
"""


def train(folder, recipe, seed, out):
    command = os.environ.get("DOWNHILL", ROOT / "build/downhill")
    words = [command, "train", folder, "--recipe", ROOT / f"bench/published/{recipe}.recipe", "--seed", seed, "--fresh", "--out", out,
             "--threads", len(os.sched_getaffinity(0)), "--json"]
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, text=True, check=True)
    answer = json.loads(done.stdout)
    return 100 * answer["test"]["accuracy"], answer["seconds"]


def table_row(folder, row):
    recipe, what, theirs, source = row
    with tempfile.TemporaryDirectory() as place:
        runs = [train(folder, recipe, seed, pathlib.Path(place) / "model.safetensors") for seed in SEEDS]
    rights = [right for right, _ in runs]
    each = ", ".join(f"{right:.2f}" for right in rights)
    seconds = sum(seconds for _, seconds in runs) / len(runs)
    return f"| `{recipe}` | {what} | {theirs} | {sum(rights) / len(rights):.2f}% | {each} | {seconds:.0f} | {source} |\n"


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    folder, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    text = HEADING.format(seeds=", ".join(map(str, SEEDS)))
    for row in ROWS:
        if not wanted or row[0] in wanted:
            text += table_row(folder, row)
            print(text.splitlines()[-1], flush=True)
    if not wanted:
        PUBLISHED.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main()
