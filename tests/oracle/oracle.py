"""What the oracle tests share: the command run in a folder, tables and weights as files, and nets in PyTorch, in double."""
import json

import numpy
import pytest

import support

safetensors = pytest.importorskip("safetensors", reason="the safetensors package is missing; tools/setup test installs it")
torch = pytest.importorskip("torch", reason="PyTorch is missing; tools/setup test installs it")

from safetensors import numpy as tensors  # noqa: E402  (only once it is there)

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

F = torch.nn.functional

# Downhill's words and what PyTorch calls the same.
ACTIVATIONS = {
    "identity": lambda x: x,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "relu": F.relu,
    "leaky-relu": lambda x: F.leaky_relu(x, 0.01),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softmax": lambda x: F.softmax(x, dim=1),
}

KNOBS = {"delta": 1.0, "quantile": 0.5, "focus": 2.0, "smoothing": 0.0}


def focal(z, t, knobs):
    """Lin 2017 for several classes, with torch's smoothing of targets."""
    smoothed = t * (1 - knobs["smoothing"]) + knobs["smoothing"] / t.shape[1]
    logarithm = F.log_softmax(z, dim=1)
    return -(smoothed * (1 - logarithm.exp()) ** knobs["focus"] * logarithm).sum(dim=1)


def hinge(y, t):
    if y.shape[1] == 1:
        return (1 - y * torch.where(t > 0, 1.0, -1.0)).clamp(min=0)[:, 0]
    return F.multi_margin_loss(y, t.argmax(dim=1), reduction="none")


# Costs of each row, summed over outputs. Those of FROM_UNITS take what stands before the output activation.
COSTS = {
    "squared": lambda y, t, k: F.mse_loss(y, t, reduction="none").sum(dim=1) / 2,
    "absolute": lambda y, t, k: F.l1_loss(y, t, reduction="none").sum(dim=1),
    "huber": lambda y, t, k: F.huber_loss(y, t, reduction="none", delta=k["delta"]).sum(dim=1),
    "quantile": lambda y, t, k: torch.maximum(k["quantile"] * (t - y), (k["quantile"] - 1) * (t - y)).sum(dim=1),
    # The part of the deviance that PyTorch leaves out is t ln t - t.
    "poisson": lambda z, t, k: (F.poisson_nll_loss(z, t, reduction="none") + torch.xlogy(t, t) - t).sum(dim=1),
    "cross-entropy": lambda z, t, k: F.cross_entropy(z, t, reduction="none", label_smoothing=k["smoothing"]),
    "binary-cross-entropy": lambda z, t, k: F.binary_cross_entropy_with_logits(
        z, t * (1 - k["smoothing"]) + k["smoothing"] / 2, reduction="none").sum(dim=1),
    "focal": lambda z, t, k: focal(z, t, k),
    "hinge": lambda y, t, k: hinge(y, t),
}
FROM_UNITS = {"cross-entropy": "softmax", "focal": "softmax", "binary-cross-entropy": "sigmoid", "poisson": "exp"}


def downhill(folder, *words, expect=0, text=None):
    """Runs the command in a folder; gives its standard output, as JSON where --json was asked for, and its talk."""
    __tracebackhide__ = True
    done = support.run([support.command().absolute(), *words], expect=expect, cwd=folder)
    return (json.loads(done.stdout) if "--json" in words else done.stdout), done.stderr


def write_csv(path, names, columns):
    """Columns of any kind; floats are written so that reading gives the same floats back."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(",".join(names) + "\n")
        for row in zip(*columns):
            file.write(",".join(str(cell) for cell in row) + "\n")


class Net:
    """A dense net: widths [inputs, hidden..., outputs], one activation a layer, and a cost with its knobs."""

    def __init__(self, widths, activations, cost="squared", **knobs):
        self.widths, self.activations, self.cost, self.knobs = list(widths), list(activations), cost, {**KNOBS, **knobs}

    def text(self):
        hidden = [f"{units} {activation}" for units, activation in zip(self.widths[1:-1], self.activations)]
        return ", ".join(hidden + [f"output {self.activations[-1]}"])

    def draw(self, seed, spread=1.0):
        """Start weights in float32, by tensor name. Biases aren't zero, so that every formula is met off its centre."""
        draw = numpy.random.default_rng(seed)
        made = {}
        for i, (n, m) in enumerate(zip(self.widths, self.widths[1:]), 1):
            made[f"layer{i}.weight"] = (draw.uniform(-1, 1, (n, m)) * spread / numpy.sqrt(n) * 1.7).astype("float32")
            made[f"layer{i}.bias"] = draw.uniform(-0.3, 0.3, m).astype("float32")
        return made

    def parameters(self, start):
        """PyTorch's layout: a weight is [outputs, inputs]."""
        return {name: torch.tensor(value.T.astype("float64")).requires_grad_() for name, value in start.items()}

    def forward(self, p, x):
        """(what stands before the output activation, the outputs)"""
        for i, activation in enumerate(self.activations, 1):
            z = F.linear(x, p[f"layer{i}.weight"], p[f"layer{i}.bias"])
            x = ACTIVATIONS[activation](z)
        return z, x

    def loss(self, p, x, t):
        return self.costs(p, x, t).mean()

    def costs(self, p, x, t):
        """Of each row."""
        z, y = self.forward(p, x)
        if self.cost in FROM_UNITS:
            assert self.activations[-1] == FROM_UNITS[self.cost]
            y = z
        return COSTS[self.cost](y, t, self.knobs)

    def gradient(self, start, x, t):
        """(cost, gradient by name, in Downhill's layout)"""
        p = self.parameters(start)
        loss = self.loss(p, x, t)
        loss.backward()
        return loss.item(), {name: value.grad.numpy().T for name, value in p.items()}


def of(parameters):
    """PyTorch's parameters as arrays in Downhill's layout."""
    return {name: value.detach().numpy().T for name, value in parameters.items()}


class Numbers:
    """Rows with one number to learn."""

    def __init__(self, folder, rows, inputs, seed=1):
        draw = numpy.random.default_rng(seed)
        self.x = draw.normal(size=(rows, inputs)).astype("float32")
        self.y = (numpy.sin(self.x.sum(axis=1)) + draw.normal(size=rows) * 0.3).astype("float32")
        names = [f"x{i}" for i in range(inputs)] + ["y"]
        write_csv(folder / "data.csv", names, [*self.x.T, self.y])
        self.flags = ["--task", "numbers"]

    def inputs(self):
        return torch.tensor(self.x.astype("float64"))

    def targets(self):
        return torch.tensor(self.y.astype("float64"))[:, None]


class Counts(Numbers):
    """Rows with a count to learn."""

    def __init__(self, folder, rows, inputs, seed=1):
        super().__init__(folder, rows, inputs, seed)
        draw = numpy.random.default_rng(seed)
        self.y = draw.poisson(numpy.exp(1 + self.x[:, 0] - self.x[:, 1] / 2)).astype("float32")
        write_csv(folder / "data.csv", [f"x{i}" for i in range(inputs)] + ["y"], [*self.x.T, self.y.astype(int)])


class Classes:
    """Rows of some classes; a target is 1 for the row's own class."""

    def __init__(self, folder, rows, inputs, classes, seed=1):
        draw = numpy.random.default_rng(seed)
        self.x = draw.normal(size=(rows, inputs)).astype("float32")
        self.y = numpy.argmax(self.x[:, :classes] + draw.normal(size=(rows, classes)) * 0.5, axis=1)
        assert len(set(self.y)) == classes
        self.classes = classes
        names = [f"x{i}" for i in range(inputs)] + ["y"]
        write_csv(folder / "data.csv", names, [*self.x.T, ["abcdefghij"[k] for k in self.y]])
        self.flags = ["--task", "classes"]

    def inputs(self):
        return torch.tensor(self.x.astype("float64"))

    def targets(self):
        return F.one_hot(torch.tensor(self.y), self.classes).double()


def train(folder, net, start, data, *flags):
    """Trains from `start` on the raw rows of `data`, in file order; gives (weights, train's JSON)."""
    tensors.save_file({name: numpy.ascontiguousarray(value) for name, value in start.items()}, folder / "start.safetensors")
    answer, _ = downhill(folder, "train", "data.csv", "--target", "y", *data.flags, "--scale", "none", "--valid", "0", "--order",
                         "file", "--net", net.text(), "--cost", net.cost, "--patience", "0",
                         *[word for knob, value in net.knobs.items() for word in (f"--{knob}", repr(value))],
                         "--start", "start.safetensors", "--out", "model.safetensors", "--json", *flags)
    return tensors.load_file(folder / "model.safetensors"), answer


def assert_close(ours, theirs, tolerance, least=0.0):
    """Every element within `tolerance` of its tensor's largest, which counts as no less than `least`."""
    __tracebackhide__ = True
    assert set(ours) == set(theirs)
    for name, want in theirs.items():
        got = ours[name].astype("float64")
        assert got.shape == want.shape, name
        error = numpy.abs(got - want).max() / max(numpy.abs(want).max(), least)
        assert error < tolerance, f"{name}: {error:.2g} of its largest element, not under {tolerance:g}"
