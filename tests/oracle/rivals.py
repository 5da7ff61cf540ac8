"""Downhill's defaults against scikit-learn's default nets and against a constant answer, on the same rows.

A Table is cells as text, split in training and test rows. `ours` and `theirs` answer the test rows; `Verdict` compares. The
tests and tools/compare-tables are made of these.
"""
import csv
import dataclasses
import gzip
import json
import math
import subprocess
import time
import warnings

import numpy
from sklearn import datasets
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

MISSING = {"", "NA", "N/A", "?", "null", "NaN"}
MOST_VALUES = 64


@dataclasses.dataclass
class Table:
    name: str
    task: str  # "classes" or "numbers"
    target: str  # what --target gets
    header: list  # names, or None
    train: list  # rows of cells
    test: list

    def column(self):
        return self.header.index(self.target) if self.header else int(self.target) - 1

    def answers(self, part):
        """The target of the training or test rows."""
        cells = [row[self.column()] for row in part]
        return numpy.array(cells if self.task == "classes" else [float(cell) for cell in cells])

    def write(self, folder):
        for name, rows in (("train.csv", self.train), ("test.csv", self.test)):
            with open(folder / name, "w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(([self.header] if self.header else []) + rows)


def split(rows, seed, fraction=0.2):
    order = numpy.random.default_rng(seed).permutation(len(rows))
    held = round(len(rows) * fraction)
    return [rows[i] for i in sorted(order[held:])], [rows[i] for i in sorted(order[:held])]


def read_cells(path):
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8", newline="")
    with opened as file:
        return [row for row in csv.reader(file, skipinitialspace=True) if row]


# name: (task, target, has a header, file, file with the test rows)
FILES = {
    "titanic": ("classes", "Survived", True, "titanic.csv", None),
    "california-housing": ("numbers", "median_house_value", True, "california-housing.csv", None),
    "adult": ("classes", "15", False, "adult-train.csv.gz", "adult-test.csv.gz"),
    "winequality-white": ("classes", "12", False, "winequality-white.csv", None),
}


def table(name, folder, seed):
    """One of FILES in `folder`, split by `seed` where it has no test rows of its own."""
    task, target, has_header, path, test_path = FILES[name]
    rows = read_cells(folder / path)
    header = rows.pop(0) if has_header else None
    if test_path is None:
        train, test = split(rows, seed)
    else:
        train, test = rows, read_cells(folder / test_path)
        for row in test:
            row[-1] = row[-1].removesuffix(".")  # labels of adult's test rows end in a dot
    return Table(name, task, target, header, train, test)


BUNDLED = {"iris": "classes", "wine": "classes", "breast_cancer": "classes", "diabetes": "numbers", "digits": "classes"}


def bundled(name, seed):
    """A set that comes with scikit-learn, as a table."""
    data = getattr(datasets, f"load_{name}")()
    names = getattr(data, "target_names", None)
    labels = data.target if BUNDLED[name] == "numbers" else [str(names[k]).replace(" ", "_") for k in data.target]
    rows = [[*map(str, x.tolist()), str(y)] for x, y in zip(data.data, labels)]
    header = [str(column) for column in data.feature_names] + ["target"]
    return Table(name, BUNDLED[name], "target", header, *split(rows, seed))


def is_number(cell):
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def their_columns(made):
    """Number and category columns as arrays: (training numbers, categories), (test numbers, categories)."""
    numbers, categories = [], []
    for column in range(len(made.train[0])):
        if column == made.column():
            continue
        present = {row[column] for row in made.train} - MISSING
        if all(map(is_number, present)):
            numbers.append(column)
        elif len(present) <= MOST_VALUES:
            categories.append(column)

    def pick(rows):
        x = [[math.nan if row[c] in MISSING else float(row[c]) for c in numbers] for row in rows]
        k = [["" if row[c] in MISSING else row[c] for c in categories] for row in rows]
        return numpy.hstack([numpy.array(x, dtype=object).reshape(len(rows), -1), numpy.array(k, dtype=object).reshape(len(rows), -1)])

    return pick(made.train), pick(made.test), len(numbers)


def theirs(made, seed):
    """Answers of scikit-learn's default net: columns one-hot and standardised, holes filled by the mean and marked."""
    train, test, numbers = their_columns(made)
    columns = train.shape[1]
    encode = make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), list(range(numbers))),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(range(numbers, columns))))
    if made.task == "classes":
        net = MLPClassifier(random_state=seed)
    else:
        net = TransformedTargetRegressor(MLPRegressor(random_state=seed), transformer=StandardScaler())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return make_pipeline(encode, net).fit(train, made.answers(made.train)).predict(test)


def constant(made):
    """The one answer that is best for all training rows: the commonest class, or the mean."""
    answers = made.answers(made.train)
    if made.task == "numbers":
        return numpy.full(len(made.test), answers.mean())
    values, counts = numpy.unique(answers, return_counts=True)
    return numpy.full(len(made.test), values[counts.argmax()])


def read_answers(text, task):
    """predict's answers as an array, and its column names."""
    lines = list(csv.reader(text.splitlines()))
    cells = [row[0] for row in lines[1:]]
    return numpy.array(cells if task == "classes" else [float(cell) for cell in cells]), lines[0]


def run(command, folder):
    done = subprocess.run([str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"exit code {done.returncode}: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done


@dataclasses.dataclass
class Answers:
    values: numpy.ndarray
    columns: list  # predict's column names
    train: dict  # what train --json said
    eval: dict
    talk: str
    seconds: float


def ours(program, made, folder, flags=()):
    """Answers of the command: train, eval and predict on the files it would get from a person."""
    made.write(folder)
    begin = time.monotonic()
    trained = run([program, "train", "train.csv", "--target", made.target, "--out", "m.safetensors", "--json", *flags], folder)
    seconds = time.monotonic() - begin
    measured = run([program, "eval", "m.safetensors", "test.csv", "--json"], folder)
    predicted = run([program, "predict", "m.safetensors", "test.csv"], folder)
    values, columns = read_answers(predicted.stdout, made.task)
    return Answers(values, columns, json.loads(trained.stdout), json.loads(measured.stdout), trained.stderr, seconds)


def gains(made, answers):
    """A row's goodness, the larger the better: right or not, or minus the squared error."""
    truth = made.answers(made.test)
    return (answers == truth).astype(float) if made.task == "classes" else -(answers - truth) ** 2


@dataclasses.dataclass
class Verdict:
    ours: float  # accuracy, or root mean squared error
    theirs: float
    constant: float
    ahead: float  # mean gain over them, in standard errors of the rows' differences
    above: float  # mean gain over the constant answer, likewise


def in_errors(a, b):
    """Mean of a - b over its standard error."""
    difference = a - b
    error = difference.std(ddof=1) / math.sqrt(len(difference))
    return difference.mean() / error if error > 0 else 0.0


def verdict(made, our_values, their_values):
    mine, other, flat = (gains(made, values) for values in (our_values, their_values, constant(made)))
    score = (lambda gain: gain.mean()) if made.task == "classes" else (lambda gain: math.sqrt(-gain.mean()))
    return Verdict(score(mine), score(other), score(flat), in_errors(mine, other), in_errors(mine, flat))
