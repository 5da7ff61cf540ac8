"""Class weights and row weights against PyTorch's weighted means, in double precision, and scikit-learn's balanced weights."""
import json

import numpy
import pytest

from oracle import Classes, Net, Numbers, assert_close, downhill, of, torch, train, write_csv

ROWS, INPUTS = 37, 6
RULE = ["--rule", "sgd", "--rate", "0.3"]


def classes_of(tmp_path):
    """Three classes, the last one rare."""
    data = Classes(tmp_path, ROWS * 3, INPUTS, 3)
    keep = numpy.flatnonzero((data.y != 2) | (numpy.arange(len(data.y)) % 4 == 0))
    data.x, data.y = data.x[keep], data.y[keep]
    return data


def write(data, folder, weights=None):
    y = ["abc"[k] for k in data.y] if isinstance(data, Classes) else data.y
    names = [f"x{i}" for i in range(INPUTS)] + ["w"] * (weights is not None) + ["y"]
    write_csv(folder / "data.csv", names, [*data.x.T, *([] if weights is None else [weights]), y])


def reference(net, start, data, weights, batch, epochs):
    """Gradient descent on the mean over rows of cost times weight, weights having mean 1 over all rows."""
    p = net.parameters(start)
    x, t, w = data.inputs(), data.targets(), torch.tensor(weights / weights.mean())
    size = len(x) if batch == "full" else int(batch)
    for _ in range(epochs):
        for begin in range(0, len(x), size):
            for value in p.values():
                value.grad = None
            part = slice(begin, begin + size)
            (net.costs(p, x[part], t[part]) * w[part]).mean().backward()
            with torch.no_grad():
                for value in p.values():
                    value -= 0.3 * value.grad
    return of(p)


STEPS = [("full", 20), ("10", 3), ("1", 1)]


@pytest.mark.parametrize("batch, epochs", STEPS)
def test_weights_of_rows(tmp_path, batch, epochs):
    net, data = Net([INPUTS, 8, 1], ["tanh", "identity"], "huber"), Numbers(tmp_path, ROWS, INPUTS)
    weights = numpy.random.default_rng(3).uniform(0, 3, ROWS).round(4)
    weights[::5] = 0
    write(data, tmp_path, weights)
    start = net.draw(seed=3)
    got, _ = train(tmp_path, net, start, data, *RULE, "--batch", batch, "--epochs", epochs, "--weight", "w")
    assert_close(got, reference(net, start, data, weights, batch, epochs), 5e-6, least=0.1)


@pytest.mark.parametrize("batch, epochs", STEPS)
@pytest.mark.parametrize("cost, activation", [("cross-entropy", "softmax"), ("hinge", "identity")])
def test_weights_of_classes_and_rows(tmp_path, cost, activation, batch, epochs):
    net, data = Net([INPUTS, 8, 3], ["tanh", activation], cost), classes_of(tmp_path)
    rows = numpy.random.default_rng(3).uniform(0, 3, len(data.y)).round(4)
    write(data, tmp_path, rows)
    start = net.draw(seed=3)
    got, _ = train(tmp_path, net, start, data, *RULE, "--batch", batch, "--epochs", epochs, "--weight", 7, "--class-weights",
                   "c=4, a=0.25")
    weights = rows * numpy.array([0.25, 1, 4])[data.y]
    assert_close(got, reference(net, start, data, weights, batch, epochs), 5e-6, least=0.1)


def test_class_weights_are_those_of_pytorch(tmp_path):
    """On all rows at once the mean is that of PyTorch's criterion with weights."""
    net, data = Net([INPUTS, 8, 3], ["tanh", "softmax"], "cross-entropy"), classes_of(tmp_path)
    write(data, tmp_path)
    start = net.draw(seed=3)
    p = net.parameters(start)
    z, _ = net.forward(p, data.inputs())
    torch.nn.CrossEntropyLoss(weight=torch.tensor([2.0, 0.5, 3.0]))(z, torch.tensor(data.y)).backward()
    got, _ = train(tmp_path, net, start, data, "--rule", "sgd", "--rate", 8, "--batch", "full", "--epochs", 1, "--class-weights",
                   "a=2,b=0.5,c=3")
    gradient = {name: (start[name].astype("float64") - got[name]) / 8 for name in start}
    assert_close(gradient, {name: value.grad.numpy().T for name, value in p.items()}, 1e-5)


def test_balanced_weights_are_those_of_scikit_learn(tmp_path):
    weigher = pytest.importorskip("sklearn.utils.class_weight", reason="scikit-learn is missing; tools/setup test installs it")
    net, data = Net([INPUTS, 8, 3], ["tanh", "softmax"], "cross-entropy"), classes_of(tmp_path)
    write(data, tmp_path)
    start = net.draw(seed=3)
    got, _ = train(tmp_path, net, start, data, *RULE, "--batch", "full", "--epochs", 20, "--class-weights", "balanced")
    weights = weigher.compute_sample_weight("balanced", data.y)
    assert weights.max() > 3 * weights.min()
    assert_close(got, reference(net, start, data, weights, "full", 20), 5e-6, least=0.1)


def test_a_row_of_weight_3_is_three_rows(tmp_path):
    net, data = Net([INPUTS, 8, 1], ["tanh", "identity"]), Numbers(tmp_path, ROWS, INPUTS)
    counts = numpy.arange(ROWS) % 4
    start = net.draw(seed=3)
    write(data, tmp_path, counts)
    weighed, told = train(tmp_path, net, start, data, *RULE, "--batch", "full", "--epochs", 20, "--weight", "w")
    several = Numbers(tmp_path, ROWS, INPUTS)
    several.x, several.y = data.x.repeat(counts, axis=0), data.y.repeat(counts)
    write(several, tmp_path)
    repeated, _ = train(tmp_path, net, start, several, *RULE, "--batch", "full", "--epochs", 20)
    assert_close(weighed, {name: value.astype("float64") for name, value in repeated.items()}, 2e-6, least=0.1)
    # What the answer tells counts each row once.
    _, y = net.forward(net.parameters(weighed), data.inputs())
    assert told["train"]["cost"] == pytest.approx(((y - data.targets()) ** 2).mean().item() / 2, rel=1e-5)


def test_costs_of_the_trace_are_weighed(tmp_path):
    """Those of steps, of epochs and of validation rows, whose weights have mean 1 among themselves."""
    net, data = Net([INPUTS, 8, 1], ["tanh", "identity"]), Numbers(tmp_path, ROWS, INPUTS)
    write(data, tmp_path, weights := 1 + numpy.arange(ROWS) % 4)
    (tmp_path / "valid.csv").write_bytes((tmp_path / "data.csv").read_bytes())
    start = net.draw(seed=3)
    train(tmp_path, net, start, data, "--rate", "1e-20", "--batch", 10, "--epochs", 1, "--weight", "w", "--valid", "valid.csv",
          "--log", "run.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="ascii").splitlines()]
    rows = [row for row in rows if "cost" in row]
    costs = net.costs(net.parameters(start), data.inputs(), data.targets()).detach().numpy() * weights / weights.mean()
    assert [row["cost"] for row in rows] == pytest.approx([costs[i:i + 10].mean() for i in range(0, ROWS, 10)], rel=1e-5)
    assert rows[-1]["train_cost"] == pytest.approx(costs.mean(), rel=1e-5)
    assert rows[-1]["valid_cost"] == pytest.approx(costs.mean(), rel=1e-5)


def test_the_column_of_weights_is_no_input(tmp_path):
    """Nor is it taken for the target where it is the last, and later tables need none."""
    data = Numbers(tmp_path, ROWS, 3)
    write_csv(tmp_path / "data.csv", ["x1", "x2", "t", "class"], [*data.x.T, numpy.arange(ROWS) % 3])
    answer, _ = downhill(tmp_path, "train", "data.csv", "--epochs", 1, "--weight", "class", "--out", "m.safetensors", "--json")
    facts, _ = downhill(tmp_path, "info", "m.safetensors", "--json")
    assert "t" == facts["target"] and facts["inputs"] == 2, facts
    write_csv(tmp_path / "later.csv", ["x1", "x2", "t"], data.x.T)
    later, _ = downhill(tmp_path, "eval", "m.safetensors", "later.csv", "--json")
    assert later["cost"] == pytest.approx(answer["train"]["cost"], rel=1e-6)


@pytest.mark.parametrize("flags, weights, said", [
    (["--weight", "w"], "1,2,-1,1", "data.csv:4: column w: a number below 0"),
    (["--weight", "w"], "1,2,,1", "data.csv:4: column w: a missing cell"),
    (["--weight", "w"], "1,2,1e39,1", "data.csv:4: column w: a number that is too large"),
    (["--weight", "w"], "0,0,0,0", "every row has weight 0"),
    (["--weight", "w"], "p,q,r,s", "column w holds text"),
    (["--weight", "v"], "1,1,1,1", "there is no column v of weights"),
    (["--weight", "w", "--target", "w"], "1,2,1,2", "cannot be both"),
    (["--class-weights", "no=2,maybe=1"], "1,1,1,1", "'maybe=1' is no class with its weight"),
    (["--class-weights", "no=-2"], "1,1,1,1", "'no=-2' is no class"),
    (["--class-weights", "no"], "1,1,1,1", "'no' is no class"),
    (["--class-weights", "balanced", "--target", "x"], "1,1,1,1", "x is learned as numbers"),
])
def test_weights_that_cannot_be(tmp_path, flags, weights, said):
    rows = zip("0.5 1.5 2.25 3".split(), weights.split(","), "yes no no yes".split())
    (tmp_path / "data.csv").write_text("x,w,y\n" + "".join(",".join(row) + "\n" for row in rows), encoding="ascii")
    _, talk = downhill(tmp_path, "train", "data.csv", *flags, expect=2 if "learned" in said else 65)
    assert said in talk and len(talk.splitlines()) == 1, talk


def test_names_of_classes_may_have_commas(tmp_path):
    data = "x,y\n" + "".join(f'{i},{["pear", chr(34) + "a=1, b" + chr(34)][i % 2]}\n' for i in range(8))
    (tmp_path / "data.csv").write_text(data, encoding="ascii")
    for listed in ("a=1, b=0, pear=2", "pear=2,a=1, b=0"):
        downhill(tmp_path, "train", "data.csv", "--epochs", "300", "--rate", "0.05", "--valid", "0", "--class-weights", listed,
                 "--out", "m.safetensors")
        text, _ = downhill(tmp_path, "predict", "m.safetensors", "data.csv")
        assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["pear"] * 8
