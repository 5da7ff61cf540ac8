"""The lesson: the same descent in NumPy and double precision, stuck where the lesson is stuck, and not with longer steps."""
import runpy

import numpy
import pytest

from oracle import downhill, tensors
from rivals import read_answers
from support import ROOT

EXAMPLES = ROOT / "examples"
X = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
Y = numpy.array([0, 1, 1, 0], dtype=float)


def sigmoid(z):
    return 1 / (1 + numpy.exp(-z))


def lesson(start, rate, passes):
    """A net 2-4-1 of sigmoids goes down half the squared difference, one row after another; gives its four outputs."""
    w1, b1, w2, b2 = (start[name].astype(float) for name in ("layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"))
    w2 = w2[:, 0]
    for _ in range(passes):
        for x, y in zip(X, Y):
            hidden = sigmoid(x @ w1 + b1)
            output = sigmoid(hidden @ w2 + b2)
            d2 = (output - y) * output * (1 - output)
            d1 = d2 * w2 * hidden * (1 - hidden)
            w2, b2 = w2 - rate * d2 * hidden, b2 - rate * d2
            w1, b1 = w1 - rate * numpy.outer(x, d1), b1 - rate * d1
    return sigmoid(sigmoid(X @ w1 + b1) @ w2 + b2)


def outputs(folder, *flags):
    """Trains as the README says; gives predict's four answers, the start weights and what train said."""
    answer, talk = downhill(folder, "train", EXAMPLES / "xor.csv", "--recipe", EXAMPLES / "lesson.recipe", "--start",
                            EXAMPLES / "lesson-start.safetensors", "--out", "lesson.safetensors", "--json", *flags)
    assert answer["epochs"] == 10_000 and answer["steps"] == 40_000 and answer["parameters"] == 17
    predicted, _ = downhill(folder, "predict", "lesson.safetensors", EXAMPLES / "xor.csv")
    return read_answers(predicted, "numbers")[0], tensors.load_file(EXAMPLES / "lesson-start.safetensors"), talk


def test_the_lesson_to_the_letter(tmp_path):
    got, start, talk = outputs(tmp_path)
    want = lesson(start, 0.01, 10_000)
    assert numpy.abs(got - want).max() < 1e-4, (got, want)
    stuck = [line for line in talk.splitlines() if line.startswith("stuck")]
    assert len(stuck) == 1, talk
    for number in (f"{((want - Y) ** 2).mean() / 2:.3g}", "0.125", "always answering the mean", "gradient norm"):
        assert number in stuck[0], (number, stuck)
    assert "--rate" in talk


def test_longer_steps_solve_xor(tmp_path):
    got, start, talk = outputs(tmp_path, "--rate", "1")
    assert numpy.abs(got - lesson(start, 1, 10_000)).max() < 1e-4
    assert (got.round() == Y).all() and ((got - Y) ** 2).mean() < 0.01
    assert "stuck" not in talk


def test_start_weights():
    """Uniform from 0 to 1, and made by the script."""
    start = tensors.load_file(EXAMPLES / "lesson-start.safetensors")
    assert {name: value.shape for name, value in start.items()} == {
        "layer1.weight": (2, 4), "layer1.bias": (4,), "layer2.weight": (4, 1), "layer2.bias": (1,)}
    assert all(value.dtype == numpy.float32 and 0 <= value.min() and value.max() < 1 for value in start.values())
    made = runpy.run_path(str(ROOT / "tools/lesson-start"))["start_bytes"]()
    assert made == (EXAMPLES / "lesson-start.safetensors").read_bytes()


def test_own_start_weights(tmp_path):
    """The recipe without --start draws uniform weights by the seed; they lie from 0 to 1 and fill that range."""
    downhill(tmp_path, "train", EXAMPLES / "xor.csv", "--recipe", EXAMPLES / "lesson.recipe", "--epochs", "0", "--net",
             "500 sigmoid, output sigmoid", "--out", "drawn.safetensors")
    for name, value in tensors.load_file(tmp_path / "drawn.safetensors").items():
        assert 0 <= value.min() and value.max() < 1, name
        if value.size >= 500:
            assert value.mean() == pytest.approx(0.5, abs=0.05) and value.std() == pytest.approx(12 ** -0.5, abs=0.02)
