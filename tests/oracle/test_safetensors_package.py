"""Model files and the safetensors package, both ways."""
import json

import numpy
import pytest

from oracle import Classes, Numbers, downhill, safetensors, tensors, torch
from support import ROOT


@pytest.fixture
def model(tmp_path):
    Classes(tmp_path, 80, 4, 3)
    downhill(tmp_path, "train", "data.csv", "--target", "y", "--net", "9 tanh, 6 relu", "--epochs", 5, "--out", "m.safetensors")
    return tmp_path / "m.safetensors"


def test_opens(model):
    with safetensors.safe_open(model, framework="numpy") as file:
        shapes = {name: file.get_tensor(name).shape for name in file.keys()}
        metadata = file.metadata()
    assert shapes == {"layer1.weight": (4, 9), "layer1.bias": (9,), "layer2.weight": (9, 6), "layer2.bias": (6,),
                      "layer3.weight": (6, 3), "layer3.bias": (3,)}
    recipe = dict(line.split("=", 1) for line in metadata["recipe"].splitlines())
    assert recipe["net"] == "9 tanh, 6 relu, output softmax" and recipe["target"] == "y" and recipe["epochs"] == "5"
    assert "auto" not in (recipe["task"], recipe["cost"], recipe["rate"], recipe["batch"])
    assert metadata["arith"] == "1"
    encoder = json.loads(metadata["encoder"])
    assert all(name in json.dumps(encoder) for name in ("x0", "x1", "x2", "x3"))
    assert metadata["rows"] == "72"


def test_opens_with_torch_too(model):
    from safetensors.torch import load_file
    for name, value in load_file(model).items():
        assert value.dtype == torch.float32 and torch.isfinite(value).all(), name


def test_the_tensors_are_the_net(model):
    """Inputs standardised by hand and the file's tensors give predict's probabilities."""
    folder = model.parent
    text, _ = downhill(folder, "predict", "m.safetensors", "data.csv")
    rows = numpy.array([line.split(",")[1:] for line in text.splitlines()[1:]], dtype=float)
    weights = tensors.load_file(model)
    with safetensors.safe_open(model, framework="numpy") as file:
        inputs = json.loads(file.metadata()["encoder"])["inputs"]
    table = numpy.loadtxt(folder / "data.csv", delimiter=",", skiprows=1, usecols=range(4))
    mean = numpy.array([column["mean"] for column in inputs])
    deviation = numpy.array([column["deviation"] for column in inputs])
    assert numpy.abs(mean - table.mean(axis=0)).max() < 0.2 and numpy.abs(deviation - table.std(axis=0)).max() < 0.2
    x = torch.tensor((table - mean) / deviation)
    w = {name: torch.tensor(value.astype(float)) for name, value in weights.items()}
    x = torch.tanh(x @ w["layer1.weight"] + w["layer1.bias"])
    x = torch.relu(x @ w["layer2.weight"] + w["layer2.bias"])
    want = torch.softmax(x @ w["layer3.weight"] + w["layer3.bias"], dim=1).numpy()
    assert numpy.abs(rows - want).max() < 1e-6


def test_start_takes_files_of_the_package(tmp_path):
    """In whatever order the package lays tensors out, with metadata of its own."""
    Numbers(tmp_path, 60, 3)
    draw = numpy.random.default_rng(1)
    start = {name: draw.normal(size=shape).astype("float32") for name, shape in (
        ("layer2.bias", (1,)), ("layer1.weight", (3, 5)), ("layer2.weight", (5, 1)), ("layer1.bias", (5,)))}
    tensors.save_file(start, tmp_path / "start.safetensors", metadata={"made": "by hand", "format": "np"})
    downhill(tmp_path, "train", "data.csv", "--target", "y", "--net", "5 tanh", "--epochs", 0, "--start", "start.safetensors",
             "--out", "m.safetensors")
    kept = tensors.load_file(tmp_path / "m.safetensors")
    assert all((kept[name] == start[name]).all() for name in start) and len(kept) == len(start)


@pytest.mark.parametrize("name, change", [
    ("layer1.weight", lambda start: start.pop("layer1.weight")),
    ("layer1.weight", lambda start: start.update({"layer1.weight": start["layer1.weight"].T.copy()})),
    ("layer2.bias", lambda start: start.update({"layer2.bias": start["layer2.bias"].astype("float64")})),
    ("more than the net", lambda start: start.update({"layer9.bias": start["layer2.bias"]})),
    ("no finite number", lambda start: start["layer1.bias"].__setitem__(2, numpy.nan)),
])
def test_start_refuses_other_nets(tmp_path, name, change):
    Numbers(tmp_path, 60, 3)
    start = {"layer1.weight": numpy.zeros((3, 5), "float32"), "layer1.bias": numpy.zeros(5, "float32"),
             "layer2.weight": numpy.zeros((5, 1), "float32"), "layer2.bias": numpy.zeros(1, "float32")}
    change(start)
    tensors.save_file(start, tmp_path / "start.safetensors")
    _, talk = downhill(tmp_path, "train", "data.csv", "--target", "y", "--net", "5 tanh", "--start", "start.safetensors", "--out",
                       "m.safetensors", expect=65)
    assert name in talk and not (tmp_path / "m.safetensors").exists()


def test_a_bare_file_is_no_model(tmp_path):
    Numbers(tmp_path, 20, 2)
    _, talk = downhill(tmp_path, "predict", ROOT / "examples/lesson-start.safetensors", "data.csv", expect=65)
    assert "--start" in talk
