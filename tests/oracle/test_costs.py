"""Every activation and every cost against PyTorch's functions and its automatic derivatives, in double precision."""
import numpy
import pytest

from oracle import ACTIVATIONS, Classes, Counts, Net, Numbers, assert_close, downhill, train

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
@pytest.mark.parametrize("cost", ["squared", "absolute", "huber", "quantile", "hinge"])
def test_output_activation_of_classes(tmp_path, cost, activation):
    """Several outputs: costs are summed over them."""
    net = Net([INPUTS, 8, 4], ["tanh", activation], cost, quantile=0.8)
    compare(tmp_path, net, Classes(tmp_path, ROWS, INPUTS, 4))


@pytest.mark.parametrize("cost, knobs", [
    ("squared", {}), ("absolute", {}), ("huber", {}), ("huber", {"delta": 0.25}), ("huber", {"delta": 2.5}), ("quantile", {}),
    ("quantile", {"quantile": 0.05}), ("quantile", {"quantile": 0.9}), ("hinge", {})])
def test_cost_of_numbers(tmp_path, cost, knobs):
    net = Net([INPUTS, 8, 1], ["tanh", "identity"], cost, **knobs)
    data = Numbers(tmp_path, ROWS, INPUTS)
    answer = compare(tmp_path, net, data)
    _, outputs = net.forward(net.parameters(net.draw(seed=5)), data.inputs())
    error = (outputs - data.targets()).detach().numpy()
    assert answer["train"]["rmse"] == pytest.approx(numpy.sqrt((error ** 2).mean()), rel=1e-5)
    assert answer["train"]["mae"] == pytest.approx(numpy.abs(error).mean(), rel=1e-5)
    assert answer["train"]["r2"] == pytest.approx(1 - (error ** 2).mean() / data.targets().var(unbiased=False).item(), rel=1e-4)


def test_poisson(tmp_path):
    """Against PyTorch's gradient and scikit-learn's deviance."""
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is missing; tools/setup test installs it")
    net, data = Net([INPUTS, 8, 1], ["tanh", "exp"], "poisson"), Counts(tmp_path, ROWS, INPUTS)
    answer = compare(tmp_path, net, data)
    _, outputs = net.forward(net.parameters(net.draw(seed=5)), data.inputs())
    deviance = metrics.mean_poisson_deviance(data.y, outputs.detach().numpy()[:, 0])
    assert answer["train"]["cost"] == pytest.approx(deviance / 2, rel=1e-5)


def test_poisson_leaves_counts_unscaled(tmp_path):
    """With inputs scaled the answers are still means of counts, and a count below 0 is refused with its place."""
    data = Counts(tmp_path, 200, INPUTS)
    words = ["data.csv", "--cost", "poisson", "--epochs", "60", "--rate", "0.01", "--out", "model.safetensors"]
    answer, talk = downhill(tmp_path, "train", *words, "--json")
    assert "not scaled: the target y, which the poisson cost takes as it is" in talk
    assert answer["train"]["r2"] > 0.5
    text, _ = downhill(tmp_path, "predict", "model.safetensors", "data.csv")
    predictions = [float(line) for line in text.split()[1:]]
    assert min(predictions) > 0 and numpy.mean(predictions) == pytest.approx(data.y.mean(), rel=0.1)
    lines = (tmp_path / "data.csv").read_text(encoding="ascii").splitlines()
    lines[7] = ",".join([*lines[7].split(",")[:-1], "-1"])
    (tmp_path / "data.csv").write_text("\n".join(lines) + "\n", encoding="ascii")
    _, talk = downhill(tmp_path, "train", *words, expect=65)
    assert "data.csv:8: column y: the poisson cost takes counts, 0 or more" in talk


@pytest.mark.parametrize("cost, activation", [("cross-entropy", "softmax"), ("binary-cross-entropy", "sigmoid"),
                                              ("focal", "softmax"), ("hinge", "identity")])
@pytest.mark.parametrize("classes, knobs", [
    (2, {}), (6, {}), (6, {"smoothing": 0.2, "focus": 0.7}), (2, {"smoothing": 0.5, "focus": 5})])
def test_costs_of_classes(tmp_path, cost, activation, classes, knobs):
    net = Net([INPUTS + 1, 8, classes], ["tanh", activation], cost, **knobs)
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
    start["layer1.weight"] *= numpy.float32(0.2 if activation == "exp" else 1)
    start["layer2.weight"] *= numpy.float32(4 if activation in ("sigmoid", "tanh", "softmax") else 0.25)
    cost, gradient = net.gradient(start, data.inputs(), data.targets())
    moved, answer = train(tmp_path, net, start, data, "--rule", "sgd", "--batch", "full", "--epochs", "1", "--rate", RATE)
    got = {name: (start[name].astype("float64") - moved[name]) / RATE for name in start}
    assert_close(got, gradient, 2e-5)
    assert answer["steps"] == 1 and numpy.isfinite(cost)
