"""Every rule against PyTorch's optimisers in double precision: one step, and a hundred."""
import pytest

from oracle import Classes, Net, Numbers, assert_close, of, torch, train

O = torch.optim

# Downhill's flags, PyTorch's optimiser, a weight decay to try.
RULES = {
    "sgd": (["--rate", "0.1"], lambda p, decay: O.SGD(p, lr=0.1, weight_decay=decay)),
    "momentum": (["--rate", "0.05"], lambda p, decay: O.SGD(p, lr=0.05, momentum=0.9, weight_decay=decay)),
    "nesterov": (["--rate", "0.05"], lambda p, decay: O.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=decay)),
    "adagrad": (["--rate", "0.05"], lambda p, decay: O.Adagrad(p, lr=0.05, weight_decay=decay)),
    "rmsprop": (["--rate", "0.002"], lambda p, decay: O.RMSprop(p, lr=0.002, weight_decay=decay)),
    "adam": (["--rate", "0.01"], lambda p, decay: O.Adam(p, lr=0.01, weight_decay=decay)),
    "adamw": (["--rate", "0.01"], lambda p, decay: O.AdamW(p, lr=0.01, weight_decay=decay)),
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
}

# One step on all rows; a hundred; a hundred on batches of 10 rows, every fourth of which has the 7 rows left of 37.
ROWS, BATCHES = 37, {"one": ("full", 1, 3e-7), "hundred": ("full", 100, 5e-6), "batches": ("10", 25, 5e-6)}


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
    assert answer["steps"] == (1 if steps == "one" else 100)
    want = reference(net, start, data, lambda p: make(p, decay), batch, epochs)
    assert_close(got, want, tolerance, least=0.1)
    if steps != "one":
        assert max(abs(got[name] - start[name]).max() for name in start) > 0.02


@pytest.mark.parametrize("decay", [0, 0.03])
@pytest.mark.parametrize("steps", BATCHES)
@pytest.mark.parametrize("rule", RULES)
def test_numbers(tmp_path, rule, steps, decay):
    net = Net([5, 8, 6, 1], ["tanh", "sigmoid", "identity"])
    compare(tmp_path, net, Numbers(tmp_path, ROWS, 5), rule, *RULES[rule], decay, steps)


@pytest.mark.parametrize("rule", RULES)
def test_classes(tmp_path, rule):
    net = Net([5, 7, 3], ["softplus", "softmax"], "cross-entropy")
    compare(tmp_path, net, Classes(tmp_path, ROWS, 5, 3), rule, *RULES[rule], 0.03, "batches")


@pytest.mark.parametrize("rule", KNOBS)
def test_knobs(tmp_path, rule):
    net = Net([5, 7, 3], ["tanh", "softmax"], "cross-entropy")
    compare(tmp_path, net, Classes(tmp_path, ROWS, 5, 3), rule, *KNOBS[rule], 0.03, "batches")


def test_wide_net_in_blocks(tmp_path):
    """Layers wider than a tile, and a batch that the engine may cut in blocks."""
    net = Net([7, 67, 130, 33, 1], ["silu", "tanh", "gelu", "identity"])
    compare(tmp_path, net, Numbers(tmp_path, 333, 7), "nesterov", *RULES["nesterov"], 0, "hundred")
