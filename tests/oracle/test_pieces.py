"""Numbers in pieces against NumPy's quantiles and the formula of the paper (Gorishniy, Rubachev, Babenko 2022, equation 1)."""
import csv
import io
import json

import numpy
import pytest

from oracle import downhill, safetensors, tensors, write_csv


def encoding(x, edges):
    """PLE(x) = [e_1, ..., e_T]."""
    last = len(edges) - 1
    return numpy.stack([
        numpy.where((x < edges[t - 1]) & (t > 1), 0.0,
                    numpy.where((x >= edges[t]) & (t < last), 1.0, (x - edges[t - 1]) / (edges[t] - edges[t - 1])))
        for t in range(1, last + 1)], axis=1)


def columns(draw, rows):
    """Long tails, a few whole numbers, and evenly spread ones; each with missing cells or without."""
    tail, whole = numpy.exp(draw.normal(0, 2, rows)), draw.poisson(1.3, rows).astype(float)
    tail[draw.random(rows) < 0.1] = numpy.nan
    return {"tail": tail, "whole": whole, "even": draw.uniform(-5, 5, rows)}


def encoder_of(path):
    with safetensors.safe_open(path, "numpy") as file:
        return json.loads(file.metadata()["encoder"])


@pytest.mark.parametrize("pieces", [1, 2, 16, 100])
@pytest.mark.parametrize("scale", ["standard", "none"])
def test_edges_and_answers(tmp_path, pieces, scale):
    draw = numpy.random.default_rng(6)
    made, y = columns(draw, 257), draw.normal(size=257)
    shown = {name: ["" if numpy.isnan(v) else repr(float(v)) for v in values] for name, values in made.items()}
    write_csv(tmp_path / "data.csv", [*made, "y"], [*shown.values(), y])
    downhill(tmp_path, "train", "data.csv", "--target", "y", "--numbers", f"piecewise {pieces}", "--net", "5 tanh", "--epochs", 2, "--valid", 0,
             "--scale", scale, "--out", "m.safetensors")
    encoder = encoder_of(tmp_path / "m.safetensors")
    for entry in encoder["inputs"]:
        present = made[entry["name"]][~numpy.isnan(made[entry["name"]])]
        want = numpy.unique(numpy.quantile(present, numpy.linspace(0, 1, pieces + 1)))
        numpy.testing.assert_allclose(entry["edges"], want, rtol=1e-12)

    new = {name: numpy.append(values[:60], [numpy.nan, -1e3, 1e3, 0.0]) for name, values in columns(draw, 60).items()}
    write_csv(tmp_path / "new.csv", [*new], [["" if numpy.isnan(v) else repr(float(v)) for v in values] for values in new.values()])
    out, _ = downhill(tmp_path, "predict", "m.safetensors", "new.csv")
    got = numpy.array([float(row[0]) for row in list(csv.reader(io.StringIO(out)))[1:]])
    parts = []
    for entry in encoder["inputs"]:
        x = new[entry["name"]]
        parts.append(encoding(numpy.where(numpy.isnan(x), numpy.nanmean(made[entry["name"]]), x), entry["edges"]))
        if entry["missing"]:
            parts.append(numpy.isnan(x)[:, None].astype(float))
    assert [entry["missing"] for entry in encoder["inputs"]] == [True, False, False]
    p = {name: value.astype(float) for name, value in tensors.load_file(tmp_path / "m.safetensors").items()}
    hidden = numpy.tanh(numpy.concatenate(parts, axis=1) @ p["layer1.weight"] + p["layer1.bias"])
    answers = (hidden @ p["layer2.weight"] + p["layer2.bias"])[:, 0] * encoder["target"]["deviation"] + encoder["target"]["mean"]
    numpy.testing.assert_allclose(got, answers, rtol=0, atol=1e-4)


def test_a_wavy_table_is_learned_better(tmp_path):
    draw = numpy.random.default_rng(2)
    for name in ("train", "test"):
        a, b = numpy.exp(draw.normal(0, 1.5, 2000)), draw.uniform(-3, 3, 2000)
        write_csv(tmp_path / f"{name}.csv", ["a", "b", "y"],
                  [a, b, numpy.sin(3 * b) + numpy.sin(4 * numpy.log(a)) + 0.1 * draw.normal(size=2000)])
    r2 = [downhill(tmp_path, "train", "train.csv", "--target", "y", "--test", "test.csv", "--numbers", numbers, "--epochs", 60, "--json", "--out",
                   "m.safetensors")[0]["test"]["r2"] for numbers in ("plain", "piecewise 16")]
    assert r2[1] > r2[0] + 0.15 and r2[1] > 0.85, r2
