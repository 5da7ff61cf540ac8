"""Embedded categories against PyTorch's nn.Embedding in double precision, and what a table of many values is good for."""
import csv
import io

import numpy
import pytest

from oracle import F, assert_close, downhill, tensors, torch, write_csv

ROWS = 600
# Columns with a table: values, width, whether cells are missing.
TABLES = {"zip": (90, 4, True), "street": (70, 3, False)}


def rows_of(draw):
    """Cells of both columns as numbers of values, -1 where missing; each value stands in some row, 7 more often than others."""
    cells = {}
    for name, (values, _, missing) in TABLES.items():
        picked = draw.integers(0, values, ROWS)
        picked[:values] = numpy.arange(values)
        picked[values:values + 90] = 7
        if missing:
            picked[-40:] = -1
        cells[name] = draw.permutation(picked)
    return cells


def texts(name, cells):
    """Bytewise order of the texts is the order of the numbers."""
    return ["" if cell < 0 else f"{name}{cell:03}" for cell in cells]


def net(p, rows, x):
    """zip's row, the two numbers, street's row; then a dense layer of 6 tanh."""
    inputs = torch.cat([F.embedding(rows["zip"], p["layer1.table1"]), x, F.embedding(rows["street"], p["layer1.table2"])], dim=1)
    return torch.tanh(inputs @ p["layer2.weight"] + p["layer2.bias"]) @ p["layer3.weight"] + p["layer3.bias"]


def start_of(draw):
    shapes = {"layer1.table1": (92, 4), "layer1.table2": (71, 3), "layer2.weight": (9, 6), "layer2.bias": (6,),
              "layer3.weight": (6, 1), "layer3.bias": (1,)}
    return {name: draw.normal(0, 0.4, shape).astype("f4") for name, shape in shapes.items()}


RULES = {
    "sgd": (["--rate", 0.1], lambda p: torch.optim.SGD(p, lr=0.1)),
    "momentum": (["--rate", 0.05, "--decay", 0.01], lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.01)),
    "adamw": (["--rate", 0.01], lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.01)),
}


@pytest.mark.parametrize("batch", [25, 300, 600])
@pytest.mark.parametrize("rule", RULES)
def test_tables(tmp_path, rule, batch):
    draw = numpy.random.default_rng(3)
    cells, x = rows_of(draw), draw.normal(size=(ROWS, 2)).astype("f4")
    y = (numpy.sin(cells["zip"]) + x[:, 0] * numpy.cos(cells["street"])).astype("f4")
    write_csv(tmp_path / "data.csv", ["zip", "a", "b", "street", "y"],
              [texts("zip", cells["zip"]), *x.T, texts("street", cells["street"]), y])
    start = start_of(draw)
    tensors.save_file(start, tmp_path / "start.safetensors")
    flags, make = RULES[rule]
    downhill(tmp_path, "train", "data.csv", "--embed", "zip=4,street=3", "--net", "6 tanh", "--rule", rule, *flags, "--batch", batch,
             "--epochs", 4, "--order", "file", "--valid", 0, "--scale", "none", "--start", "start.safetensors", "--out", "m.safetensors")
    got = tensors.load_file(tmp_path / "m.safetensors")

    p = {name: torch.tensor(value, dtype=torch.float64).requires_grad_() for name, value in start.items()}
    # A missing cell is the row behind the values; a value that wasn't there in training would be the one behind that.
    rows = {name: torch.tensor(numpy.where(picked < 0, TABLES[name][0], picked)) for name, picked in cells.items()}
    inputs, targets = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    optimiser = make(list(p.values()))
    for _ in range(4):
        for begin in range(0, ROWS, batch):
            part = slice(begin, begin + batch)
            optimiser.zero_grad()
            answers = net(p, {name: picked[part] for name, picked in rows.items()}, inputs[part])[:, 0]
            (F.mse_loss(answers, targets[part]) / 2).backward()
            optimiser.step()
    assert_close(got, {name: value.detach().numpy() for name, value in p.items()}, 2e-5, least=0.1)
    assert abs(got["layer1.table1"][7] - start["layer1.table1"][7]).max() > 0.005
    if rule == "sgd":
        assert (got["layer1.table1"][-1] == start["layer1.table1"][-1]).all(), "no row has a value that training hasn't"


def test_predictions(tmp_path):
    """Values of training, missing cells and values it never met, by PyTorch with the model's own weights."""
    draw = numpy.random.default_rng(4)
    cells, x = rows_of(draw), draw.normal(size=(ROWS, 2)).astype("f4")
    y = draw.normal(size=ROWS).astype("f4")
    columns = [texts("zip", cells["zip"]), *x.T, texts("street", cells["street"])]
    write_csv(tmp_path / "data.csv", ["zip", "a", "b", "street", "y"], [*columns, y])
    downhill(tmp_path, "train", "data.csv", "--embed", "zip=4,street=3", "--net", "6 tanh", "--epochs", 3, "--valid", 0, "--scale", "none",
             "--out", "m.safetensors")
    p = {name: torch.tensor(value, dtype=torch.float64) for name, value in tensors.load_file(tmp_path / "m.safetensors").items()}
    assert (p["layer1.table1"][91] == 0).all() and (p["layer1.table1"][90] != 0).any(), "unseen and missing"
    assert (p["layer1.table2"][70] == 0).all()
    few = {"zip": ["zip003", "", "zip999", "nowhere", "zip089"], "street": ["street001", "street069", "street070", "", "street000"]}
    write_csv(tmp_path / "new.csv", ["street", "b", "a", "zip"], [few["street"], x[:5, 1], x[:5, 0], few["zip"]])
    out, _ = downhill(tmp_path, "predict", "m.safetensors", "new.csv")
    got = [float(row[0]) for row in list(csv.reader(io.StringIO(out)))[1:]]
    rows = {"zip": torch.tensor([3, 90, 91, 91, 89]), "street": torch.tensor([1, 69, 70, 70, 0])}
    want = net(p, rows, torch.tensor(x[:5], dtype=torch.float64))[:, 0].numpy()
    numpy.testing.assert_allclose(got, want, rtol=0, atol=3e-6)


def test_many_values_are_worth_their_table(tmp_path):
    """5,000 values with an effect each: rows that training hasn't seen are explained with the column, and hardly without it."""
    draw = numpy.random.default_rng(1)
    effects = draw.normal(size=5000)
    for name, rows in (("train", 30000), ("test", 3000)):
        value, x = draw.integers(0, 5000, rows), draw.normal(size=rows)
        y = effects[value] + 0.5 * x + 0.3 * draw.normal(size=rows)
        write_csv(tmp_path / f"{name}.csv", ["shop", "x", "y"], [[f"s{v}" for v in value], x.round(4), y.round(4)])
    r2 = {}
    for embed in ("none", "auto"):
        answer, talk = downhill(tmp_path, "train", "train.csv", "--test", "test.csv", "--embed", embed, "--epochs", 5, "--json", "--out",
                                "m.safetensors")
        r2[embed] = answer["test"]["r2"]
    assert "--embed shop=9" in talk and "embedded: shop, whose" in talk
    assert r2["none"] < 0.25 and r2["auto"] > 0.8, r2
