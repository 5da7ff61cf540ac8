"""Rules that look at all rows several times a step: against their papers' formulas in double, and what they are there to solve."""
import json
import math

import numpy
import pytest

import papers
from oracle import Classes, Net, Numbers, assert_close, downhill, train, write_csv

RULES = {"lm": papers.levenberg_marquardt, "lbfgs": papers.lbfgs}


def compare(tmp_path, rule, net, data, steps, tolerance, decay=0.0, rate=1.0):
    start = net.draw(seed=3)
    got, answer = train(tmp_path, net, start, data, "--rule", rule, "--epochs", steps, "--decay", decay, "--rate", rate)
    assert answer["steps"] == steps
    whole = papers.Whole(net, start, data.inputs(), data.targets(), decay)
    w = RULES[rule](whole, numpy.concatenate([value.flatten() for value in start.values()]).astype("float64"), steps, rate)
    want = {name: value.T for name, value in whole.split(w).items()}
    assert_close(got, want, tolerance, least=0.1)
    assert max(abs(got[name] - start[name]).max() for name in got) > 0.02
    return whole


# A rounding error changes their way after a while: they are compared before, and where they arrive at the one foot there is.

@pytest.mark.parametrize("decay", [0, 0.01])
@pytest.mark.parametrize("rule, steps, rate, looks", [("lm", 1, 1, 2), ("lm", 4, 1, 8), ("lm", 4, 1.95, 9), ("lbfgs", 1, 1, 2),
                                                      ("lbfgs", 13, 1, 14), ("lbfgs", 8, 9, 14), ("lbfgs", 8, 0.05, 14)])
def test_first_steps(tmp_path, rule, steps, rate, looks, decay):
    """More steps than L-BFGS remembers; lines along which it must look further on, or back; trials that lm must take back."""
    whole = compare(tmp_path, rule, Net([5, 6, 1], ["tanh", "identity"]), Numbers(tmp_path, 37, 5), steps, 2e-5, decay, rate)
    assert whole.looks >= looks


@pytest.mark.parametrize("rule", RULES)
def test_several_outputs(tmp_path, rule):
    net = Net([5, 4, 3], ["tanh", "sigmoid"])
    data = Classes(tmp_path, 37, 5, 3)
    data.flags = ["--task", "classes"]
    compare(tmp_path, rule, net, data, 6, 2e-5, 0.01)


@pytest.mark.parametrize("rule, net", [("lm", Net([5, 3], ["sigmoid"])), ("lbfgs", Net([5, 3], ["softmax"], "cross-entropy"))])
def test_hundred_steps_to_the_foot(tmp_path, rule, net):
    """As near as costs that are sums of floats can tell points apart."""
    compare(tmp_path, rule, net, Classes(tmp_path, 37, 5, 3), 100, 1e-5, 0.1)


def test_more_rows_than_a_block(tmp_path):
    compare(tmp_path, "lm", Net([3, 4, 1], ["tanh", "identity"]), Numbers(tmp_path, 600, 3), 5, 2e-5)
    compare(tmp_path, "lbfgs", Net([3, 4, 1], ["tanh", "identity"]), Numbers(tmp_path, 600, 3), 9, 2e-5)


def test_weighed_rows(tmp_path):
    """A row that counts twice is as good as two rows."""
    data = Numbers(tmp_path, 30, 3)
    net = Net([3, 4, 1], ["tanh", "identity"])
    start = net.draw(seed=3)
    weights = numpy.arange(30) % 3
    names = ["a", "b", "c", "y"]
    columns = [*data.x.T, data.y]
    made = []
    for rule in RULES:
        write_csv(tmp_path / "data.csv", [*names, "w"], [*columns, weights])
        once, _ = train(tmp_path, net, start, data, "--rule", rule, "--epochs", 4, "--weight", "w")
        write_csv(tmp_path / "data.csv", names, [numpy.repeat(column, weights) for column in columns])
        twice, _ = train(tmp_path, net, start, data, "--rule", rule, "--epochs", 4)
        assert_close(once, twice, 1e-4)
        made.append(once["layer1.weight"])
    assert abs(made[0] - made[1]).max() > 1e-3


def test_looks_between_steps_are_not_taken_again(tmp_path):
    """A line search ends where the next step begins: what the log has of that point is what the search found there."""
    data = Numbers(tmp_path, 37, 5)
    net = Net([5, 6, 1], ["tanh", "identity"])
    train(tmp_path, net, net.draw(3), data, "--rule", "lbfgs", "--epochs", 20, "--log", "run.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    costs = [row["cost"] for row in rows if row.get("cost") is not None]
    assert len(costs) == 20 and all(b <= a * (1 + 2e-7) for a, b in zip(costs, costs[1:])) and costs[-1] < costs[0] / 2


# ---- what they are there for --------------------------------------------------------------------------------------------------

def xor():
    return ["x1", "x2", "y"], [(0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)], "4 tanh"


def sine():
    return ["x", "y"], [(i / 49, math.sin(2 * math.pi * i / 49)) for i in range(50)], "8 tanh"


def spirals():
    """Lang and Witbrock: Learning to tell two spirals apart (1988)."""
    rows = []
    for i in range(97):
        angle, radius = i * math.pi / 16, 6.5 * (104 - i) / 104
        x, y = radius * math.sin(angle), radius * math.cos(angle)
        rows += [(x, y, 1), (-x, -y, -1)]
    return ["x1", "x2", "y"], rows, "16 tanh, 16 tanh"


PASSES = {"xor": 20, "sine": 100, "spirals": 100}


@pytest.mark.parametrize("table", [pytest.param(xor, marks=pytest.mark.quick), pytest.param(sine, marks=pytest.mark.quick), spirals])
def test_lm_solves(tmp_path, table):
    """To a mean squared error of a millionth, in far less than 200 passes, from at least 8 of 10 starts, as chosen where nothing is said."""
    names, rows, net = table()
    write_csv(tmp_path / "data.csv", names, zip(*rows))
    solved = 0
    for seed in range(1, 11):
        downhill(tmp_path, "train", "data.csv", "--target", "y", "--task", "numbers", "--net", net, "--rule", "lm", "--seed", seed,
                 "--epochs", PASSES[table.__name__], "--valid", 0, "--out", "model.safetensors")
        said, _ = downhill(tmp_path, "predict", "model.safetensors", "data.csv")
        answers = [float(line.split(",")[-1]) for line in said.splitlines()[1:]]
        solved += sum((y - row[-1]) ** 2 for y, row in zip(answers, rows, strict=True)) / len(rows) <= 1e-6
    assert solved >= 8


@pytest.mark.quick
def test_lbfgs_solves_xor(tmp_path):
    names, rows, net = xor()
    write_csv(tmp_path / "data.csv", names, zip(*rows))
    solved = 0
    for seed in range(1, 11):
        made, _ = downhill(tmp_path, "train", "data.csv", "--target", "y", "--task", "numbers", "--net", net, "--rule", "lbfgs",
                           "--seed", seed, "--epochs", 50, "--valid", 0, "--out", "model.safetensors", "--json")
        assert made["steps"] == 50
        said, _ = downhill(tmp_path, "predict", "model.safetensors", "data.csv")
        answers = [float(line.split(",")[-1]) for line in said.splitlines()[1:]]
        solved += sum((y - row[-1]) ** 2 for y, row in zip(answers, rows, strict=True)) / len(rows) <= 1e-6
    assert solved >= 8


# ---- what they can't do ---------------------------------------------------------------------------------------------------------

@pytest.mark.quick
@pytest.mark.parametrize("flags, words", [
    (["--rule", "lm", "--batch", 10], "--batch full"),
    (["--rule", "lbfgs", "--batch", 10], "--batch full"),
    (["--rule", "lbfgs", "--clip", 1], "clip: lbfgs"),
    (["--rule", "lm", "--clip-value", 1], "clip-value: lm"),
    (["--rule", "lbfgs", "--max-norm", 1], "max-norm: lbfgs"),
    (["--rule", "lm", "--net", "9 tanh, dropout 0.1"], "net: lm compares"),
    (["--rule", "lbfgs", "--net", "9 identity, batchnorm tanh"], "net: lbfgs compares"),
    (["--rule", "lm", "--cost", "huber"], "not huber"),
    (["--rule", "lm", "--net", "100 tanh, 100 tanh"], "of which lm takes at most 3000"),
])
def test_refusals(tmp_path, flags, words):
    Numbers(tmp_path, 20, 3)
    _, said = downhill(tmp_path, "train", "data.csv", "--target", "y", "--task", "numbers", *flags, expect=2)
    assert words in said and said.count("downhill:") == 1
