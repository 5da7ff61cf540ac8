"""Every activation and every cost against PyTorch's functions and its automatic derivatives, in double precision."""
import numpy
import pytest

from oracle import ACTIVATIONS, Classes, Net, Numbers, assert_close, train

ROWS, INPUTS = 29, 5

# The longer the one step, the less of the gradient is lost in rounding the weights after it.
RATE = 8


def compare(tmp_path, net, data, tolerance=1e-5):
    """The cost at the start weights, and the gradient as one step of gradient descent shows it."""
    start = net.draw(seed=5)
    cost, gradient = net.gradient(start, data.inputs(), data.targets())
    _, answer = train(tmp_path, net, start, data, "--rule", "sgd", "--batch", "full", "--epochs", "0")
    assert answer["train"]["cost"] == pytest.approx(cost, rel=1e-5)
    moved, _ = train(tmp_path, net, start, data, "--rule", "sgd", "--batch", "full", "--epochs", "1", "--rate", RATE)
    got = {name: (start[name].astype("float64") - moved[name]) / RATE for name in start}
    assert_close(got, gradient, tolerance)
    return answer


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_hidden_activation(tmp_path, activation):
    net = Net([INPUTS, 9, 8, 1], [activation, activation, "identity"])
    compare(tmp_path, net, Numbers(tmp_path, ROWS, INPUTS))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("cost", ["squared", "absolute", "huber"])
def test_output_activation_of_classes(tmp_path, cost, activation):
    """Several outputs: costs are summed over them."""
    net = Net([INPUTS, 8, 4], ["tanh", activation], cost)
    compare(tmp_path, net, Classes(tmp_path, ROWS, INPUTS, 4))


@pytest.mark.parametrize("cost, delta", [("squared", 1.0), ("absolute", 1.0), ("huber", 1.0), ("huber", 0.25), ("huber", 2.5)])
def test_cost_of_numbers(tmp_path, cost, delta):
    net = Net([INPUTS, 8, 1], ["tanh", "identity"], cost, delta)
    data = Numbers(tmp_path, ROWS, INPUTS)
    answer = compare(tmp_path, net, data)
    _, outputs = net.forward(net.parameters(net.draw(seed=5)), data.inputs())
    error = (outputs - data.targets()).detach().numpy()
    assert answer["train"]["rmse"] == pytest.approx(numpy.sqrt((error ** 2).mean()), rel=1e-5)
    assert answer["train"]["mae"] == pytest.approx(numpy.abs(error).mean(), rel=1e-5)
    assert answer["train"]["r2"] == pytest.approx(1 - (error ** 2).mean() / data.targets().var(unbiased=False).item(), rel=1e-4)


@pytest.mark.parametrize("cost, activation", [("cross-entropy", "softmax"), ("binary-cross-entropy", "sigmoid")])
@pytest.mark.parametrize("classes", [2, 6])
def test_cross_entropies(tmp_path, cost, activation, classes):
    net = Net([INPUTS + 1, 8, classes], ["tanh", activation], cost)
    data = Classes(tmp_path, ROWS * 2, INPUTS + 1, classes)
    answer = compare(tmp_path, net, data)
    _, outputs = net.forward(net.parameters(net.draw(seed=5)), data.inputs())
    assert answer["train"]["accuracy"] == pytest.approx((outputs.detach().numpy().argmax(axis=1) == data.y).mean())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_far_from_the_centre(tmp_path, activation):
    """Units of some tens: no overflow, and still PyTorch's slopes."""
    net = Net([INPUTS, 7, 3], [activation, "softmax"], "cross-entropy")
    data = Classes(tmp_path, ROWS, INPUTS, 3)
    start = net.draw(seed=5)
    start["layer1.weight"] *= numpy.float32(16)
    start["layer2.weight"] *= numpy.float32(4 if activation in ("sigmoid", "tanh", "softmax") else 0.25)
    cost, gradient = net.gradient(start, data.inputs(), data.targets())
    moved, answer = train(tmp_path, net, start, data, "--rule", "sgd", "--batch", "full", "--epochs", "1", "--rate", RATE)
    got = {name: (start[name].astype("float64") - moved[name]) / RATE for name in start}
    assert_close(got, gradient, 2e-5)
    assert answer["steps"] == 1 and numpy.isfinite(cost)
