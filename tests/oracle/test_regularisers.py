"""L1 and max-norm against PyTorch's optimisers in double precision, with the penalty and the projection written out."""
import numpy
import pytest

from oracle import Classes, Net, assert_close, of, torch, train

O = torch.optim
RULES = {
    "sgd": (["--rate", "0.1"], lambda p: O.SGD(p, lr=0.1)),
    "momentum": (["--rate", "0.05"], lambda p: O.SGD(p, lr=0.05, momentum=0.9)),
    "adamw": (["--rate", "0.01", "--decay", "0.01"], lambda p: O.AdamW(p, lr=0.01, weight_decay=0.01)),
}
ROWS, INPUTS, CLASSES = 40, 5, 3


def reference(net, start, data, make, l1, most, steps):
    p = net.parameters(start)
    optimiser = make(list(p.values()))
    for _ in range(steps):
        optimiser.zero_grad()
        net.loss(p, data.inputs(), data.targets()).backward()
        with torch.no_grad():
            for value in p.values():
                value.grad += l1 * value.sign()
        optimiser.step()
        with torch.no_grad():
            for name, value in p.items():
                if most and name.endswith("weight"):
                    value *= (most / value.norm(dim=1, keepdim=True)).clamp(max=1)
    return of(p)


@pytest.mark.parametrize("l1, most", [(0.003, 0), (0, 0.6), (0.003, 0.6)])
@pytest.mark.parametrize("rule", RULES)
def test_100_steps(tmp_path, rule, l1, most):
    flags, make = RULES[rule]
    net, data = Net([INPUTS, 19, CLASSES], ["tanh", "softmax"], "cross-entropy"), Classes(tmp_path, ROWS, INPUTS, CLASSES)
    start = net.draw(seed=3)
    start["layer1.weight"][2, 3] = 0  # stays where no gradient moves it
    start["layer1.bias"][:] = 0
    got, _ = train(tmp_path, net, start, data, "--rule", rule, *flags, "--batch", "full", "--epochs", 100, "--l1", l1, "--max-norm",
                   most)
    assert_close(got, reference(net, start, data, make, l1, most, 100), 1e-5, least=0.1)
    lengths = numpy.concatenate([numpy.linalg.norm(got[f"layer{i}.weight"].astype("float64"), axis=0) for i in (1, 2)])
    assert (lengths.max() < most * (1 + 1e-6) and (abs(lengths - most) < 1e-6).sum() > 3) if most else lengths.max() > 0.7


def test_a_weight_of_0_is_not_drawn(tmp_path):
    """Nothing but L1 could move the weights of an input that is always 0."""
    net, data = Net([INPUTS, 4, CLASSES], ["tanh", "softmax"], "cross-entropy"), Classes(tmp_path, ROWS, INPUTS, CLASSES)
    start = net.draw(seed=3)
    for weights in start.values():
        weights[:] = 0
    got, _ = train(tmp_path, net, start, data, "--rule", "sgd", "--batch", "full", "--epochs", 5, "--l1", "0.5", "--rate", "0.001")
    assert not got["layer1.weight"].any() and not got["layer2.weight"].any() and got["layer2.bias"].any()
