"""Every rule against PyTorch's optimisers in double precision, or the paper's formulas: one step, and a hundred."""
import json

import numpy
import pytest

from oracle import Classes, Net, Numbers, assert_close, downhill, of, torch, train
from papers import Muon, NAdam, Quickprop, ScheduleFree

O = torch.optim


class Decayed:
    """An optimiser of PyTorch's that knows no weight decay, with it in the gradient."""

    def __init__(self, kind, p, decay, **words):
        self.p, self.decay, self.inner = p, decay, kind(p, **words)
        self.zero_grad = self.inner.zero_grad

    def step(self):
        for w in self.p:
            w.grad += self.decay * w.detach()
        self.inner.step()


# Downhill's flags, PyTorch's optimiser, a weight decay to try.
RULES = {
    "sgd": (["--rate", "0.1"], lambda p, decay: O.SGD(p, lr=0.1, weight_decay=decay)),
    "momentum": (["--rate", "0.05"], lambda p, decay: O.SGD(p, lr=0.05, momentum=0.9, weight_decay=decay)),
    "nesterov": (["--rate", "0.05"], lambda p, decay: O.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=decay)),
    "adagrad": (["--rate", "0.05"], lambda p, decay: O.Adagrad(p, lr=0.05, weight_decay=decay)),
    "rmsprop": (["--rate", "0.002"], lambda p, decay: O.RMSprop(p, lr=0.002, weight_decay=decay)),
    "adam": (["--rate", "0.01"], lambda p, decay: O.Adam(p, lr=0.01, weight_decay=decay)),
    "adamw": (["--rate", "0.01"], lambda p, decay: O.AdamW(p, lr=0.01, weight_decay=decay)),
    "nadam": (["--rate", "0.01"], lambda p, decay: NAdam(p, 0.01, decay=decay)),
    "schedule-free": (["--rate", "0.02"], lambda p, decay: ScheduleFree(p, 0.02, decay=decay)),
    "muon": (["--rate", "0.01"], lambda p, decay: Muon(p, 0.01, decay=decay)),
    "rprop": (["--rate", "0.01"], lambda p, decay: Decayed(O.Rprop, p, decay, lr=0.01)),
}

# Rules whose way a rounding error changes after a dozen steps (the formula in float leaves that in double as soon as ours does).
# They are compared for as long as they can be, and where they arrive at the foot of a cost that has only one.
BOLD = {
    "quickprop": (["--rate", "0.3"], lambda p, decay: Quickprop(p, 0.3, decay=decay)),
}

# The same with every knob of the rule away from its default.
KNOBS = {
    "momentum": (["--rate", "0.05", "--momentum", "0.6"], lambda p, decay: O.SGD(p, lr=0.05, momentum=0.6, weight_decay=decay)),
    "nesterov": (["--rate", "0.05", "--momentum", "0.6"],
                 lambda p, decay: O.SGD(p, lr=0.05, momentum=0.6, nesterov=True, weight_decay=decay)),
    "adagrad": (["--rate", "0.05", "--epsilon", "0.01"], lambda p, decay: O.Adagrad(p, lr=0.05, eps=0.01, weight_decay=decay)),
    "rmsprop": (["--rate", "0.002", "--alpha", "0.9", "--epsilon", "0.001"],
                lambda p, decay: O.RMSprop(p, lr=0.002, alpha=0.9, eps=0.001, weight_decay=decay)),
    "adam": (["--rate", "0.01", "--beta1", "0.8", "--beta2", "0.95", "--epsilon", "0.001"],
             lambda p, decay: O.Adam(p, lr=0.01, betas=(0.8, 0.95), eps=0.001, weight_decay=decay)),
    "adamw": (["--rate", "0.01", "--beta1", "0.8", "--beta2", "0.95", "--epsilon", "0.001"],
              lambda p, decay: O.AdamW(p, lr=0.01, betas=(0.8, 0.95), eps=0.001, weight_decay=decay)),
    "nadam": (["--rate", "0.01", "--beta1", "0.8", "--beta2", "0.95", "--epsilon", "0.001"],
              lambda p, decay: NAdam(p, 0.01, betas=(0.8, 0.95), eps=0.001, decay=decay)),
    "muon": (["--rate", "0.02", "--momentum", "0.8", "--beta1", "0.8", "--beta2", "0.95"],
             lambda p, decay: Muon(p, 0.02, 0.8, decay, (0.8, 0.95))),
    "schedule-free": (["--rate", "0.01", "--beta1", "0.8", "--beta2", "0.95", "--epsilon", "0.001"],
                      lambda p, decay: ScheduleFree(p, 0.01, betas=(0.8, 0.95), eps=0.001, decay=decay)),
}

# One step on all rows; a hundred; a hundred on batches of 10 rows, every fourth of which has the 7 rows left of 37.
ROWS, BATCHES = 37, {"few": ("full", 8, 5e-6), "one": ("full", 1, 3e-7), "hundred": ("full", 100, 5e-6), "batches": ("10", 25, 5e-6)}


def reference(net, start, data, make, batch, epochs):
    p = net.parameters(start)
    optimiser = make(list(p.values()))
    x, t = data.inputs(), data.targets()
    size = len(x) if batch == "full" else int(batch)
    for _ in range(epochs):
        for begin in range(0, len(x), size):
            optimiser.zero_grad()
            net.loss(p, x[begin:begin + size], t[begin:begin + size]).backward()
            optimiser.step()
    return of(p)


def compare(tmp_path, net, data, rule, flags, make, decay, steps):
    batch, epochs, tolerance = BATCHES[steps]
    start = net.draw(seed=3)
    got, answer = train(tmp_path, net, start, data, "--rule", rule, *flags, "--decay", decay, "--batch", batch, "--epochs", epochs)
    assert answer["steps"] == {"one": 1, "few": epochs}.get(steps, 100)
    want = reference(net, start, data, lambda p: make(p, decay), batch, epochs)
    assert_close(got, want, tolerance, least=0.1)
    if steps != "one":
        assert max(abs(got[name] - start[name]).max() for name in start) > 0.02


@pytest.mark.parametrize("decay", [0, 0.03])
@pytest.mark.parametrize("steps", ["one", "hundred", "batches"])
@pytest.mark.parametrize("rule", RULES)
def test_numbers(tmp_path, rule, steps, decay):
    net = Net([5, 8, 6, 1], ["tanh", "sigmoid", "identity"])
    compare(tmp_path, net, Numbers(tmp_path, ROWS, 5), rule, *RULES[rule], decay, steps)


@pytest.mark.parametrize("rule", RULES)
def test_classes(tmp_path, rule):
    net = Net([5, 7, 3], ["softplus", "softmax"], "cross-entropy")
    compare(tmp_path, net, Classes(tmp_path, ROWS, 5, 3), rule, *RULES[rule], 0.03, "batches")


@pytest.mark.parametrize("decay", [0, 0.03])
@pytest.mark.parametrize("steps", ["one", "few"])
@pytest.mark.parametrize("rule", BOLD)
def test_bold_first_steps(tmp_path, rule, steps, decay):
    net = Net([5, 8, 6, 1], ["tanh", "sigmoid", "identity"])
    compare(tmp_path, net, Numbers(tmp_path, ROWS, 5), rule, *BOLD[rule], decay, steps)


@pytest.mark.parametrize("rule", BOLD)
def test_bold_at_the_foot(tmp_path, rule):
    net = Net([5, 3], ["softmax"], "cross-entropy")
    compare(tmp_path, net, Classes(tmp_path, ROWS, 5, 3), rule, *BOLD[rule], 0.1, "hundred")


@pytest.mark.parametrize("rule", KNOBS)
def test_knobs(tmp_path, rule):
    net = Net([5, 7, 3], ["tanh", "softmax"], "cross-entropy")
    compare(tmp_path, net, Classes(tmp_path, ROWS, 5, 3), rule, *KNOBS[rule], 0.03, "batches")


def test_wide_net_in_blocks(tmp_path):
    """Layers wider than a tile, and a batch that the engine may cut in blocks."""
    net = Net([7, 67, 130, 33, 1], ["silu", "tanh", "gelu", "identity"])
    compare(tmp_path, net, Numbers(tmp_path, 333, 7), "nesterov", *RULES["nesterov"], 0, "hundred")


def clipped(make, length, value):
    """An optimiser whose gradients are cut by PyTorch first: value by value, then to a length."""
    class Clipped:
        def __init__(self, p, decay):
            self.p, self.inner = p, make(p, decay)
            self.zero_grad = self.inner.zero_grad

        def step(self):
            if value:
                torch.nn.utils.clip_grad_value_(self.p, value)
            if length:
                before = torch.nn.utils.clip_grad_norm_(self.p, length)
                assert before > length
            self.inner.step()
    return Clipped


@pytest.mark.parametrize("length, value", [(0.05, 0), (0, 0.01), (0.03, 0.02)])
def test_clipping(tmp_path, length, value):
    """PyTorch divides by the length and a millionth; the tolerance allows for that."""
    net = Net([5, 8, 6, 1], ["tanh", "sigmoid", "identity"])
    flags, make = RULES["momentum"]
    flags = [*flags, "--clip", length, "--clip-value", value]
    data = Numbers(tmp_path, ROWS, 5)
    start = net.draw(seed=3)
    got, _ = train(tmp_path, net, start, data, "--rule", "momentum", *flags, "--batch", 10, "--epochs", 3)
    assert_close(got, reference(net, start, data, lambda p: clipped(make, length, value)(p, 0), "10", 3), 2e-5, least=0.1)
    free, _ = train(tmp_path, net, start, data, "--rule", "momentum", *RULES["momentum"][0], "--batch", 10, "--epochs", 3)
    assert max(abs(got[name] - free[name]).max() for name in got) > 1e-3


def test_clipping_of_huge_gradients(tmp_path):
    """A gradient is cut though no float holds its squares."""
    net = Net([5, 4, 1], ["identity", "identity"])
    data = Numbers(tmp_path, ROWS, 5)
    start = {name: value * numpy.float32(1e3 if name.startswith("layer1") else 1e15) for name, value in net.draw(seed=3).items()}
    got, _ = train(tmp_path, net, start, data, "--rule", "sgd", "--rate", 1, "--clip", 1e9, "--batch", "full", "--epochs", 1)
    want = reference(net, start, data, lambda p: clipped(lambda q, _: O.SGD(q, lr=1), 1e9, 0)(p, 0), "full", 1)
    assert_close(got, want, 1e-6)
    assert abs(got["layer1.weight"] - start["layer1.weight"]).max() > 1e8


@pytest.mark.parametrize("left", [0.9, 0.99])
def test_average(tmp_path, left):
    """What the model has, and what validation saw: the mean of the weights of all steps, of which early steps leave less."""
    net = Net([5, 8, 6, 1], ["tanh", "sigmoid", "identity"])
    data = Numbers(tmp_path, ROWS, 5)
    start = net.draw(seed=3)
    got, _ = train(tmp_path, net, start, data, "--rule", "sgd", "--rate", 0.1, "--batch", 10, "--epochs", 25, "--average", left)

    p = net.parameters(start)
    optimiser = O.SGD(list(p.values()), lr=0.1)
    x, t, step, mean = data.inputs(), data.targets(), 0, None
    for _ in range(25):
        for begin in range(0, ROWS, 10):
            optimiser.zero_grad()
            net.loss(p, x[begin:begin + 10], t[begin:begin + 10]).backward()
            optimiser.step()
            step += 1
            keep = min(left, (1 + step) / (10 + step))
            mean = {name: w if mean is None else keep * mean[name] + (1 - keep) * w for name, w in of(p).items()}
            mean = {name: numpy.array(w) for name, w in mean.items()}
    assert_close(got, mean, 5e-6, least=0.1)
    assert max(abs(mean[name] - of(p)[name]).max() for name in mean) > 1e-3


def test_validation_looks_at_the_average(tmp_path):
    """The costs of the log are those of the models that as many passes leave."""
    net = Net([5, 8, 1], ["tanh", "identity"])
    data = Numbers(tmp_path, 80, 5)
    words = ["--rule", "sgd", "--rate", 0.3, "--batch", 10, "--average", 0.95, "--valid", "0.25", "--log", "run.jsonl"]
    train(tmp_path, net, net.draw(1), data, *words, "--epochs", 6)
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    costs = [row["valid_cost"] for row in rows if row.get("valid_cost") is not None]
    assert len(costs) == 6
    for epochs, cost in enumerate(costs, 1):
        _, answer = train(tmp_path, net, net.draw(1), data, *words, "--epochs", epochs)
        if cost == min(costs[:epochs]):
            assert answer["valid"]["cost"] == cost


@pytest.mark.parametrize("text, factors", [("1:0.1,3:2", [0.1, 1, 2]), ("1-2:0.25, 2 : 0,last:3", [0.25, 0, 3]), ("1-last:0.5", [0.5] * 3)])
@pytest.mark.parametrize("rule", ["momentum", "adamw", "rprop"])
def test_rate_factors(tmp_path, rule, text, factors):
    """As groups of parameters with rates of their own; what a layer of factor 0 has stays as it is."""
    net = Net([5, 8, 6, 1], ["tanh", "sigmoid", "identity"])
    data = Numbers(tmp_path, ROWS, 5)
    start = net.draw(seed=3)
    got, _ = train(tmp_path, net, start, data, "--rule", rule, *RULES[rule][0], "--decay", "0", "--batch", "full", "--epochs", 30,
                   "--rate-factors", text)

    def make(p):
        rate = {"momentum": 0.05, "adamw": 0.01, "rprop": 0.01}[rule]
        if rule == "rprop":  # its bounds are those of weights, not of rates
            groups = [{"params": p[2 * i:2 * i + 2], "lr": max(rate * f, 1e-30), "step_sizes": (1e-6 * f, 50 * f)}
                      for i, f in enumerate(factors)]
            return O.Rprop(groups, lr=rate)
        groups = [{"params": p[2 * i:2 * i + 2], "lr": rate * f} for i, f in enumerate(factors)]
        return O.SGD(groups, lr=rate, momentum=0.9) if rule == "momentum" else O.AdamW(groups, lr=rate, weight_decay=0)

    assert_close(got, reference(net, start, data, make, "full", 30), 5e-6, least=0.1)
    for layer, factor in enumerate(factors, 1):
        assert (got[f"layer{layer}.weight"] == start[f"layer{layer}.weight"]).all() == (factor == 0)


@pytest.mark.quick
@pytest.mark.parametrize("text, words", [
    ("2", "character 1"), ("1:", "character 1"), ("1:2,", "character 1"), ("1:-1", "character 1"), ("1:2, x:3", "character 5"),
    ("0:1", "character 1"), ("3-2:1", "character 1"), ("last-2:1", "character 1"), ("1:2 3", "character 1"), ("1:inf", "character 1"),
    ("4:1", "no layer 4; 3 have"), ("1-4:1", "no layer 4"), ("1:2000000", "character 1")])
def test_factors_that_are_none(tmp_path, text, words):
    Numbers(tmp_path, ROWS, 5)
    _, said = downhill(tmp_path, "train", "data.csv", "--target", "y", "--net", "4 tanh, 3 tanh", "--rate-factors", text, expect=2)
    assert words in said
