"""The documents of docs/page.md against what NumPy and the command's other verbs make of the same model and rows."""
import csv
import io
import json
import os
import math
import random
import shlex
import shutil
import struct
import subprocess

import numpy
import pytest

import support
from command_line import DATA, FAILED, INPUT, USAGE
from command_tables import classes_table, numbers_table
from looked import Model, ask, ask_all, bins_must_be, decoded, has_page, must_be, name_in_log, softmax, train


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def trees(downhill):
    """A run over three classes: run.jsonl, run.safetensors."""
    downhill.write("trees.csv", classes_table())
    train(downhill, "trees.csv", "--epochs", 60, "--net", "16 relu, 8 relu")
    downhill.rows = rows_of(classes_table())
    downhill.model = Model(downhill.folder / "run.safetensors")
    return downhill


@pytest.fixture
def houses(downhill):
    """A run over numbers."""
    downhill.write("houses.csv", numbers_table())
    train(downhill, "houses.csv", "--target", "price", "--epochs", 60, "--net", "12 tanh")
    downhill.rows = rows_of(numbers_table())
    downhill.model = Model(downhill.folder / "run.safetensors")
    return downhill


def predictions(downhill, text):
    """Of predict, as columns by their names."""
    downhill.write("asked.csv", text)
    rows = rows_of(downhill("predict", "run.safetensors", "asked.csv").stdout)
    return {name: numpy.array([row[name] for row in rows]) for name in rows[0]}


def written(rows, names):
    out = io.StringIO()
    made = csv.DictWriter(out, names, lineterminator="\n", extrasaction="ignore")
    made.writeheader()
    made.writerows(rows)
    return out.getvalue()


# ---- run -----------------------------------------------------------------------------------------------------------------------


def test_run_says_what_there_is(trees):
    run = ask(trees, "run.jsonl", "run")
    assert run["mode"] == "replay" and run["missing"] is None
    assert run["runs"] == [{"name": "run", "log": "run.jsonl", "snapshots": []}]
    width = [float(row["width"]) for row in trees.rows]
    assert run["columns"][0] == {"name": "width", "kind": "number", "low": min(width), "high": max(width), "values": None}
    assert run["columns"][2] == {"name": "colour", "kind": "category", "low": 0, "high": 1, "values": ["red", "green"]}
    assert len(run["columns"]) == 3
    assert (run["target"], run["task"], run["classes"]) == ("kind", "classes", ["ash", "birch, white", "cedar"])
    assert run["parts"] == ["data"] and run["arithmetic"] == 1
    assert run["recipe"].startswith("target=kind\n")
    assert run["command"].startswith("downhill train trees.csv --target kind ") and "--epochs 60" in run["command"]


def test_the_command_of_a_run_makes_it_again(trees):
    words = shlex.split(ask(trees, "run.jsonl", "run")["command"])
    before = (trees.folder / "run.safetensors").read_bytes()
    (trees.folder / "run.safetensors").unlink()
    trees(*words[1:])
    assert (trees.folder / "run.safetensors").read_bytes() == before


def test_what_is_missing_is_said(trees):
    cases = [({"model": None}, "older"), ({"model": "gone.safetensors"}, "gone.safetensors"), ({"model": "trees.csv"}, "trees.csv"),
             ({"model": "."}, "no such model"), ({"data": "gone.csv"}, "gone.csv"), ({"data": "-"}, "standard input"),
             ({"data": "/dev/zero"}, "no such data"), ({"data": "xor.csv"}, "xor.csv"), ({"targets": "gone.csv"}, "gone.csv")]
    for members, told in cases:
        shutil.copy(trees.folder / "run.jsonl", trees.folder / "case.jsonl")
        name_in_log(trees.folder, "case.jsonl", **members)
        (_, run), (net_status, net), (answers_status, answers), (map_status, _) = \
            ask_all(trees, "case.jsonl", "run", "net", "answers", "map")
        assert told in run["missing"], members
        assert answers_status == map_status == 404 and told in answers["error"]
        if "model" in members:
            assert net_status == 404 and run["columns"] == [] and run["target"] == "kind" and run["parts"] == []
        else:
            assert net_status == 200
            assert net["layers"][0]["bins"]["activations"] is None and net["layers"][0]["asleep"] is None
            must_be(net["layers"][0]["weights"], trees.model.tensors["layer1.weight"])


# ---- net -----------------------------------------------------------------------------------------------------------------------


def test_net_is_the_weights(trees):
    net = ask(trees, "run.jsonl", "net")
    assert net["epoch"] == int(trees.model.facts["best_epoch"]) and net["step"] == int(trees.model.facts["steps"])
    assert [layer["words"] for layer in net["layers"]] == ["16 relu", "8 relu", "3 softmax"]
    for i, layer in enumerate(net["layers"], 1):
        weight, bias = trees.model.tensors[f"layer{i}.weight"], trees.model.tensors[f"layer{i}.bias"]
        assert (layer["name"], layer["inputs"], layer["units"], layer["picture"]) == (f"layer{i}", *weight.shape, None)
        assert [layer["weights"][key] for key in ("inputs", "units", "first")] == [*weight.shape, 0]
        must_be(layer["weights"], weight)
        must_be(layer["bias"], bias)
        assert layer["weight_count"] == weight.size
        bins_must_be(layer["bins"]["weights"], weight)


def test_net_shows_what_units_do_with_the_rows(trees):
    net = ask(trees, "run.jsonl", "net")
    units = trees.model.units(trees.model.encode(trees.rows))
    units[-1] = softmax(units[-1])
    for layer, answers in zip(net["layers"], units):
        bins_must_be(layer["bins"]["activations"], answers)
        assert layer["asleep"] == sum((answers == answers[0]).all(axis=0))


def test_a_unit_that_never_wakes_is_asleep(downhill):
    downhill.write("trees.csv", classes_table())
    train(downhill, "trees.csv", "--epochs", 2, "--net", "6 relu")
    path = downhill.folder / "run.safetensors"
    data = bytearray(path.read_bytes())
    length, = struct.unpack("<Q", data[:8])
    begin = 8 + length + json.loads(data[8:8 + length])["layer1.bias"]["data_offsets"][0]
    data[begin:begin + 8] = struct.pack("<2f", -1e6, -1e6)
    path.write_bytes(data)
    layers = ask(downhill, "run.jsonl", "net")["layers"]
    assert layers[0]["asleep"] >= 2
    assert layers[1]["asleep"] == 0


def test_the_gradient_is_that_of_the_mean_cost(trees):
    """By formulas: softmax and cross-entropy over two layers of relu."""
    net = ask(trees, "run.jsonl", "net")
    model, classes = trees.model, ["ash", "birch, white", "cedar"]
    inputs = model.encode(trees.rows)
    first, second, logits = model.units(inputs)
    d = softmax(logits) - numpy.eye(3)[[classes.index(row["kind"]) for row in trees.rows]]
    wanted = [second.T @ d]
    d = d @ model.tensors["layer3.weight"].T * (second > 0)
    wanted.insert(0, first.T @ d)
    d = d @ model.tensors["layer2.weight"].T * (first > 0)
    wanted.insert(0, inputs.T @ d)
    for layer, gradient in zip(net["layers"], wanted):
        bins_must_be(layer["bins"]["gradient"], gradient / len(trees.rows))


def test_large_layers_come_in_pieces(downhill):
    draw = random.Random(3)
    names = [f"x{i}" for i in range(300)]
    lines = [",".join([*names, "y"])]
    lines += [",".join(f"{draw.gauss(0, 1):.3f}" for _ in range(301)) for _ in range(20)]
    downhill.write("wide.csv", "\n".join(lines) + "\n")
    train(downhill, "wide.csv", "--target", "y", "--epochs", 1, "--net", "400 relu")
    weight = Model(downhill.folder / "run.safetensors").tensors["layer1.weight"]
    fit = 65536 // 300
    found = ask_all(downhill, "run.jsonl", "net", f"layer?layer=0&first={fit}", "layer?first=399", "layer?first=400", "layer?layer=2",
                    "layer?layer=1")
    assert [status for status, _ in found] == [200, 200, 200, 404, 404, 200]
    shown = [found[0][1]["layers"][0]["weights"], found[1][1]["weights"], found[2][1]["weights"]]
    assert [(part["first"], part["units"]) for part in shown] == [(0, fit), (fit, 400 - fit), (399, 1)]
    for part in shown:
        must_be(part, weight[:, part["first"]:part["first"] + part["units"]])
    bins_must_be(found[0][1]["layers"][0]["bins"]["weights"], weight)
    assert found[0][1]["layers"][0]["weight_count"] == 120000


# ---- answers -------------------------------------------------------------------------------------------------------------------


def test_answers_of_classes_are_those_of_eval_and_predict(trees):
    answers = ask(trees, "run.jsonl", "answers")
    measured = json.loads(trees("eval", "run.safetensors", "trees.csv", "--json").stdout)
    assert answers["confusion"] == measured["confusion"] and answers["classes"] == measured["classes"]
    assert answers["rows"] == measured["rows"] == 90 and answers["part"] == "data" and answers["scatter"] is None
    assert answers["metrics"] == {"cost": measured["cost"], "accuracy": measured["accuracy"]}
    said = predictions(trees, classes_table())
    p = numpy.array([said[f"p({name})"] for name in answers["classes"]], float).T
    costs = [-math.log(p[i, answers["classes"].index(row["kind"])]) for i, row in enumerate(trees.rows)]
    worst = sorted(range(90), key=lambda i: -costs[i])[:24]
    assert [row["row"] - 1 for row in answers["worst"]] == worst
    for row in answers["worst"]:
        i = row["row"] - 1
        assert row["truth"] == trees.rows[i]["kind"] and row["answer"] == said["prediction"][i]
        assert math.isclose(row["sure"], p[i].max(), rel_tol=1e-6) and math.isclose(row["cost"], costs[i], rel_tol=1e-4, abs_tol=1e-6)
        assert row["image"] is None
        assert [name for name, _ in row["cells"]] == ["width", "height", "colour"]
        assert float(row["cells"][0][1]) == float(trees.rows[i]["width"]) and row["cells"][2][1] == trees.rows[i]["colour"]


def test_rows_are_what_is_behind_a_cell(trees):
    confusion = ask(trees, "run.jsonl", "answers")["confusion"]
    queries = [f"rows?truth={i}&answer={k}" for i in range(3) for k in range(3)]
    found = [document for _, document in ask_all(trees, "run.jsonl", *queries)]
    assert [document["count"] for document in found] == sum(confusion, [])
    names = ["ash", "birch, white", "cedar"]
    for at, document in enumerate(found):
        assert len(document["rows"]) == min(24, document["count"])
        assert all(row["truth"] == names[at // 3] and row["answer"] == names[at % 3] for row in document["rows"])
        costs = [row["cost"] for row in document["rows"]]
        assert costs == sorted(costs, reverse=True)
    assert [status for status, _ in ask_all(trees, "run.jsonl", "rows?truth=3", "rows?answer=3", "rows?part=valid", "answers?part=test",
                                            "nothing")] == [404, 404, 400, 404, 404]


def test_answers_of_numbers(houses):
    answers = ask(houses, "run.jsonl", "answers")
    measured = json.loads(houses("eval", "run.safetensors", "houses.csv", "--json").stdout)
    assert answers["confusion"] is None and answers["classes"] == []
    for key in ("cost", "rmse", "mae", "r2"):
        assert math.isclose(answers["metrics"][key], measured[key], rel_tol=1e-12), key
    said = predictions(houses, numbers_table())["prediction"].astype(float)
    truth = numpy.array([float(row["price"]) for row in houses.rows])
    assert numpy.allclose(answers["scatter"], numpy.array([truth, said]).T, rtol=1e-6)
    worst = sorted(range(120), key=lambda i: -abs(said[i] - truth[i]))[:24]
    assert [row["row"] - 1 for row in answers["worst"]] == worst
    assert math.isclose(float(answers["worst"][0]["truth"]), truth[worst[0]], rel_tol=1e-6)
    assert answers["worst"][0]["sure"] is None
    assert ask(houses, "run.jsonl", "rows?truth=0&answer=0", 404)


def test_rows_without_a_number_are_left_out(downhill):
    rows = rows_of(numbers_table())
    for row in rows[::3]:
        row["price"] = ""
    text = written(rows, ["area", "age", "price"])
    downhill.write("holes.csv", text)
    train(downhill, "holes.csv", "--target", "price", "--epochs", 5)
    answers = ask(downhill, "run.jsonl", "answers")
    said = predictions(downhill, text)["prediction"].astype(float)
    wanted = [[float(row["price"]), said[i]] for i, row in enumerate(rows) if row["price"]]
    assert answers["rows"] == 80 and numpy.allclose(answers["scatter"], wanted, rtol=1e-6)
    assert all(rows[row["row"] - 1]["price"] for row in answers["worst"])
    measured = json.loads(downhill("eval", "run.safetensors", "holes.csv", "--json").stdout)
    assert math.isclose(answers["metrics"]["rmse"], measured["rmse"], rel_tol=1e-12)


def test_scatter_is_spread_over_many_rows(downhill):
    downhill.write("many.csv", numbers_table(rows=5000))
    train(downhill, "many.csv", "--target", "price", "--epochs", 1, "--net", "2")
    answers = ask(downhill, "run.jsonl", "answers")
    assert answers["rows"] == 5000 and len(answers["scatter"]) == 2000
    truth = [float(row["price"]) for row in rows_of(numbers_table(rows=5000))]
    assert [pair[0] for pair in answers["scatter"]] == [truth[i * 5000 // 2000] for i in range(2000)]


def test_many_classes_have_pairs(downhill):
    draw = random.Random(4)
    lines = ["x,kind"] + [f"{i % 70 + draw.gauss(0, 3):.3f},k{i % 70:02}" for i in range(700)]
    downhill.write("many.csv", "\n".join(lines) + "\n")
    train(downhill, "many.csv", "--target", "kind", "--epochs", 20, "--net", "8 tanh")
    answers = ask(downhill, "run.jsonl", "answers")
    said = predictions(downhill, "\n".join(lines) + "\n")["prediction"]
    counts = {}
    for row, answer in zip(rows_of("\n".join(lines)), said):
        if row["kind"] != answer:
            pair = answers["classes"].index(row["kind"]), answers["classes"].index(answer)
            counts[pair] = counts.get(pair, 0) + 1
    wanted = sorted((-count, *pair) for pair, count in counts.items())[:20]
    assert answers["confusion"] is None
    assert answers["pairs"] == [[truth, answer, -count] for count, truth, answer in wanted]


# ---- map -----------------------------------------------------------------------------------------------------------------------


def grid_of(found, rows, names):
    """The grid's rows as dicts, from the bottom up."""
    def places(axis, cells):
        if axis["values"]:
            return axis["values"]
        return [repr(axis["low"] + (axis["high"] - axis["low"]) * (i / (cells - 1))) if i + 1 < cells else repr(axis["high"])
                for i in range(cells)]
    fixed = {one["name"]: one["value"] for one in found["fixed"]}
    assert set(fixed) == set(names) - {found["x"]["name"], found["y"]["name"]}
    for name, value in fixed.items():
        cells = [row[name] for row in rows if row[name] != ""]
        try:
            assert float(value) == sorted(map(float, cells))[(len(cells) - 1) // 2], name
        except ValueError:
            assert cells.count(value) == max(cells.count(one) for one in cells)
    return [fixed | {found["x"]["name"]: x, found["y"]["name"]: y}
            for y in places(found["y"], found["height"]) for x in places(found["x"], found["width"])]


@pytest.mark.parametrize("query", ["map", "map?x=height&y=colour", "map?x=colour&y=width"])
def test_map_is_what_the_model_answers(trees, query):
    found = ask(trees, "run.jsonl", query)
    names = ["width", "height", "colour"]
    grid = grid_of(found, trees.rows, names)
    assert [found["width"], found["height"]] == [2 if found[key]["values"] else 48 for key in "xy"]
    said = predictions(trees, written(grid, names))
    assert [output["name"] for output in found["outputs"]] == ["ash", "birch, white", "cedar"]
    for output in found["outputs"]:
        must_be(output, said[f"p({output['name']})"].astype(float))
    units = trees.model.units(trees.model.encode(grid))
    assert [(layer["name"], layer["units"]) for layer in found["layers"]] == [("layer1", 16), ("layer2", 8)]
    for layer, answers in zip(found["layers"], units):
        for unit, plane in enumerate(layer["maps"]):
            must_be(plane, answers[:, unit])
    axes = [found["x"]["name"], found["y"]["name"]]
    classes = ["ash", "birch, white", "cedar"]
    wanted = [[["red", "green"].index(row[name]) if name == "colour" else float(row[name]) for name in axes] +
              [classes.index(row["kind"])] for row in trees.rows]
    assert found["points"] == wanted and found["left_out"] == {"units": 0, "points": 0}


def test_map_of_numbers_is_in_their_unit(houses):
    found = ask(houses, "run.jsonl", "map?x=age&y=area")
    grid = grid_of(found, houses.rows, ["area", "age"])
    assert (found["x"]["name"], found["y"]["name"]) == ("age", "area")
    must_be(found["outputs"][0], predictions(houses, written(grid, ["area", "age"]))["prediction"].astype(float))
    assert found["outputs"][0]["name"] == "price"
    assert found["points"][5] == [float(houses.rows[5][name]) for name in ("age", "area", "price")]


def test_maps_that_cannot_be_are_refused(trees):
    found = ask_all(trees, "run.jsonl", "map?x=width&y=width", "map?x=nothing", "map?y=kind", "map?at=3")
    assert [status for status, _ in found] == [400, 404, 404, 404]
    assert "kind" in found[2][1]["error"] and "snapshot" in found[3][1]["error"]


def test_a_map_of_one_column_is_refused(downhill):
    downhill.write("line.csv", "x,y\n" + "".join(f"{i},{2 * i}\n" for i in range(20)))
    train(downhill, "line.csv", "--epochs", 1)
    assert "two columns" in ask(downhill, "run.jsonl", "map", 404)["error"]


def test_map_is_bounded(downhill):
    draw = random.Random(5)
    lines = ["a,b,y"] + [f"{draw.random()},{draw.random()},{i % 3}" for i in range(1200)]
    downhill.write("big.csv", "\n".join(lines) + "\n")
    train(downhill, "big.csv", "--target", "y", "--task", "classes", "--epochs", 1,
          "--net", "100 relu, " + ", ".join(["4 relu"] * 9))
    found = ask(downhill, "run.jsonl", "map")
    assert len(found["layers"]) == 8 and len(found["layers"][0]["maps"]) == 64 and found["layers"][0]["left_out"] == 36
    assert found["left_out"] == {"units": 36 + 2 * 4, "points": 700} and len(found["points"]) == 500
    assert {point[2] for point in found["points"]} == {0, 1, 2}


# ---- what data may be like --------------------------------------------------------------------------------------------------------

NASTY = ['a "b", <i>', "</script>", "ü\u2028'", "x;y|z"]


def nasty_table():
    draw = random.Random(6)
    rows = [dict(zip([*NASTY, "</SCRIPT><!--"], [f"{draw.gauss(0, 1):.3f}", f"{draw.gauss(0, 1):.3f}", draw.choice(['"q"', "<b>", "c,d"]),
                                                 draw.choice(["1", "2"]), draw.choice(["<yes>", "&no;", '"']) ])) for _ in range(80)]
    return rows, written(rows, [*NASTY, "</SCRIPT><!--"])


def test_names_may_hold_markup_and_quotes(downhill):
    rows, text = nasty_table()
    downhill.write("nasty.csv", text)
    train(downhill, "nasty.csv", "--target", "</SCRIPT><!--", "--epochs", 3, "--header", "yes", "--delimiter", ",")
    (_, run), (_, found), (status, report) = ask_all(downhill, "run.jsonl", "run", "map", "report?first=2900000")
    assert [column["name"] for column in run["columns"]] == NASTY
    assert run["columns"][2]["values"] == list(dict.fromkeys(row[NASTY[2]] for row in rows))
    assert run["classes"] == sorted({row["</SCRIPT><!--"] for row in rows}) and run["target"] == "</SCRIPT><!--"
    grid = grid_of(found, rows, NASTY)
    said = predictions(downhill, written(grid, NASTY))
    for output in found["outputs"]:
        must_be(output, said[f"p({output['name']})"].astype(float))
    assert status == 200 and report["run"]["target"] == "</SCRIPT><!--"


def test_a_report_holds_no_bracket_that_could_end_it(downhill):
    downhill.write("nasty.csv", nasty_table()[1])
    train(downhill, "nasty.csv", "--target", "</SCRIPT><!--", "--epochs", 3, "--header", "yes", "--delimiter", ",")
    words = [support.program(support.in_use(), "tests/documents"), "run.jsonl", "--", "report?first=2900000"]
    said = subprocess.run(words, cwd=downhill.folder, capture_output=True, check=True, env=downhill.environment()).stdout
    assert b"<" not in said and b"\\u003c/SCRIPT>" in said


def test_missing_cells_and_unknown_texts(downhill):
    draw = random.Random(7)
    names = ["a", "b", "colour", "y"]
    rows = [{"a": "" if i % 7 == 0 else f"{draw.gauss(5, 2):.3f}", "b": f"{draw.gauss(0, 1):.3f}",
             "colour": "" if i % 5 == 0 else draw.choice(["red", "blue", "green"]), "y": "" if i % 11 == 0 else draw.choice(["u", "v"])}
            for i in range(100)]
    downhill.write("holes.csv", written(rows, names))
    train(downhill, "holes.csv", "--target", "y", "--epochs", 5, "--net", "6 relu")
    model = Model(downhill.folder / "run.safetensors")
    answers = ask(downhill, "run.jsonl", "answers")
    measured = json.loads(downhill("eval", "run.safetensors", "holes.csv", "--json").stdout)
    assert answers["rows"] == measured["rows"] == 90 and answers["confusion"] == measured["confusion"]
    for row in answers["worst"]:
        assert rows[row["row"] - 1]["y"] == row["truth"]
        assert dict(row["cells"])["colour"] == rows[row["row"] - 1]["colour"]
        assert (dict(row["cells"])["a"] == "") == (rows[row["row"] - 1]["a"] == "")
    net = ask(downhill, "run.jsonl", "net")
    first, logits = model.units(model.encode(rows))
    bins_must_be(net["layers"][0]["bins"]["activations"], first)
    aimed = [i for i, row in enumerate(rows) if row["y"]]
    d = softmax(logits[aimed]) - numpy.eye(2)[["uv".index(rows[i]["y"]) for i in aimed]]
    bins_must_be(net["layers"][1]["bins"]["gradient"], first[aimed].T @ d / len(aimed))
    found = ask(downhill, "run.jsonl", "map?x=b&y=colour")
    grid = grid_of(found, rows, ["a", "b", "colour"])
    said = predictions(downhill, written(grid, ["a", "b", "colour"]))
    must_be(found["outputs"][1], said["p(v)"].astype(float))
    assert len(found["points"]) == sum(row["colour"] != "" and row["y"] != "" for row in rows)


def test_columns_without_names_and_columns_left_out(downhill):
    """What the model left out stands between what it takes."""
    draw = random.Random(8)
    lines = [f"{draw.gauss(0, 1):.4f},id{i},{i % 2},{draw.gauss(0, 1):.4f}" for i in range(100)]
    downhill.write("bare.csv", "\n".join(lines) + "\n")
    train(downhill, "bare.csv", "--target", "3", "--task", "classes", "--epochs", 3)
    (_, run), (status, found) = ask_all(downhill, "run.jsonl", "run", "map")
    assert [column["name"] for column in run["columns"]] == ["c1", "c4"] and run["classes"] == ["0", "1"]
    assert status == 200, found
    grid = [f"{row['c1']},id,0,{row['c4']}" for row in grid_of(found, [dict(zip(["c1", "c2", "c3", "c4"], line.split(",")))
                                                                     for line in lines], ["c1", "c4"])]
    said = predictions(downhill, "\n".join(grid) + "\n")
    must_be(found["outputs"][1], said["p(1)"].astype(float))
    assert [point[2] for point in found["points"]] == [i % 2 for i in range(100)]


def digit_folder(folder, side=4):
    folder.mkdir()
    pixels = {}
    for part, count in (("train", 30), ("t10k", 12)):
        draw = random.Random(count)
        pictures = [bytes(draw.randrange(256) if k % 2 == i % 2 else 9 for k in range(side * side)) for i in range(count)]
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, count, side, side) + b"".join(pictures))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 0x801, count) + bytes(i % 2 for i in range(count)))
        pixels[part] = pictures
    return pixels


def test_pictures(downhill):
    pixels = digit_folder(downhill.folder / "digits")
    train(downhill, "digits", "--epochs", 3, "--net", "conv 3 2x2 relu, maxpool 2, dropout 0.2, 5 relu")
    (_, run), (_, net), (map_status, refused), (_, data), (_, test) = \
        ask_all(downhill, "run.jsonl", "run", "net", "map", "answers", "answers?part=test")
    assert run["parts"] == ["data", "test"]
    assert run["columns"] == [{"name": "image", "kind": "image", "low": 0, "high": 255, "values": None}]
    assert map_status == 404 and "pictures" in refused["error"]
    assert [layer["words"] for layer in net["layers"]] == ["conv 3 2x2 relu", "maxpool 2", "dropout 0.2", "5 relu", "2 softmax"]
    assert [layer["picture"] for layer in net["layers"]] == [[2, 2, 1], None, None, None, None]
    weight = Model(downhill.folder / "run.safetensors").tensors["layer1.weight"]
    assert net["layers"][0]["weights"]["inputs"] == 4 and net["layers"][1]["weights"] is None and net["layers"][1]["weight_count"] == 0
    must_be(net["layers"][0]["weights"], weight.reshape(4, 3))
    for answers, part, rows in ((data, "train", 30), (test, "t10k", 12)):
        assert answers["rows"] == rows and sum(map(sum, answers["confusion"])) == rows
        for row in answers["worst"]:
            image = row["image"]
            assert (image["height"], image["width"], image["channels"], row["cells"]) == (4, 4, 1, [])
            assert decoded({"low": 0, "high": 255, "data": image["data"]})[0].astype(int).tolist() == list(pixels[part][row["row"] - 1])
    measured = json.loads(downhill("eval", "run.safetensors", "digits", "--json").stdout)
    assert test["confusion"] == measured["confusion"]


def test_a_dense_layer_over_pictures_has_their_shape(downhill):
    digit_folder(downhill.folder / "digits")
    train(downhill, "digits", "--epochs", 1, "--net", "6 relu, 5 relu")
    assert [layer["picture"] for layer in ask(downhill, "run.jsonl", "net")["layers"]] == [[4, 4, 1], None, None]


def test_large_pictures_are_thinned(downhill):
    digit_folder(downhill.folder / "digits", side=250)
    train(downhill, "digits", "--epochs", 1, "--net", "2 relu", "--batch", 8)
    answers = ask(downhill, "run.jsonl", "answers")
    image = answers["worst"][0]["image"]
    assert (image["height"], image["width"]) == (84, 84)
    pixels = (downhill.folder / "digits/train-images-idx3-ubyte").read_bytes()[16:]
    picture = numpy.frombuffer(pixels, numpy.uint8).reshape(30, 250, 250)[answers["worst"][0]["row"] - 1]
    assert (decoded({"low": 0, "high": 255, "data": image["data"]})[0].astype(int).reshape(84, 84) == picture[::3, ::3]).all()


def test_tests_and_targets_in_files_of_their_own(downhill):
    lines = classes_table(rows=60, seed=3).splitlines()
    cells = [line.rsplit(",", 1) if "birch" not in line else line.split(',"') for line in lines[1:]]
    downhill.write("inputs.csv", "width,height,colour\n" + "\n".join(one[0] for one in cells) + "\n")
    downhill.write("kinds.csv", "kind\n" + "\n".join(one[1].strip('"').split(",")[0] for one in cells) + "\n")
    test = classes_table(rows=24, seed=4).replace('"birch, white"', "birch")
    downhill.write("test.csv", test)
    train(downhill, "inputs.csv", "--targets", "kinds.csv", "--test", "test.csv", "--epochs", 5, targets="kinds.csv", test="test.csv")
    (_, run), (_, answers), (_, tested) = ask_all(downhill, "run.jsonl", "run", "answers", "answers?part=test")
    assert run["parts"] == ["data", "test"] and answers["rows"] == 60 and tested["rows"] == 24
    measured = json.loads(downhill("eval", "run.safetensors", "test.csv", "--json").stdout)
    assert tested["confusion"] == measured["confusion"] and tested["part"] == "test"
    assert "--targets kinds.csv" in run["command"] and "--test test.csv" in run["command"]


# ---- snapshots and descents under way ------------------------------------------------------------------------------------------------


def test_snapshots_are_weights_of_their_moment(downhill):
    """A long rate makes the best weights so far, which a snapshot predicts with, others than those of the moment now and then."""
    downhill.write("trees.csv", classes_table())
    train(downhill, "trees.csv", "--epochs", 12, "--net", "16 relu, 8 relu", "--rate", 0.1, "--patience", 0, "--snapshots", 6)
    folder = downhill.folder / "run.snapshots"
    (folder / "epoch-000005.safetensors").write_bytes(b"no model")
    (folder / "epoch-7.safetensors").write_bytes(b"")
    (folder / "epoch-000009.safetensors.tmp1").write_bytes(b"")
    shutil.copy(downhill.folder / "run.safetensors", folder / "epoch-000011.safetensors")  # a model, but no checkpoint
    kept = range(0, 14, 2)
    found = ask_all(downhill, "run.jsonl", "run", "net?at=5", "net?at=3", "net?at=11", "map?at=4",
                    *(f"{what}?at={epoch}" for epoch in kept for what in ("net", "answers")))
    assert found[0][1]["runs"][0]["snapshots"] == [0, 2, 4, 5, 6, 8, 10, 11, 12]
    assert [status for status, _ in found[1:5]] == [404, 404, 404, 200]
    assert found[4][1]["epoch"] == 4
    best = 0
    for i, epoch in enumerate(kept):
        (_, net), (_, answers) = found[5 + 2 * i:7 + 2 * i]
        file = folder / f"epoch-{epoch:06}.safetensors"
        tensors = Model(file).tensors
        assert net["epoch"] == answers["epoch"] == epoch and net["step"] == int(Model(file).facts["steps"])
        must_be(net["layers"][0]["weights"], tensors["run.layer1.weight"])
        if (tensors["layer1.weight"] == tensors["run.layer1.weight"]).all():
            best += 1
            measured = json.loads(downhill("eval", file, "trees.csv", "--json").stdout)
            assert answers["confusion"] == measured["confusion"]
            assert math.isclose(answers["metrics"]["cost"], measured["cost"])
    assert 0 < best < len(kept)


def test_the_last_snapshot_stands_for_a_model_that_is_not_there(downhill):
    downhill.write("trees.csv", classes_table())
    train(downhill, "trees.csv", "--epochs", 12, "--net", "16 relu, 8 relu", "--valid", 0, "--snapshots", 3)
    tensors = Model(downhill.folder / "run.safetensors").tensors
    (downhill.folder / "run.safetensors").unlink()
    (_, run), (_, net), (_, answers) = ask_all(downhill, "run.jsonl", "run", "net", "answers")
    assert run["missing"] is None and run["runs"][0]["snapshots"] == [0, 4, 8, 12]
    assert net["epoch"] == answers["epoch"] == 12
    must_be(net["layers"][0]["weights"], tensors["layer1.weight"])


def test_the_model_of_another_run_is_not_taken_for_this_ones(downhill):
    downhill.write("trees.csv", classes_table())
    train(downhill, "trees.csv", "--epochs", 2, "--net", "4 relu", log="first.jsonl", model="same.safetensors")
    train(downhill, "trees.csv", "--epochs", 2, "--net", "5 tanh", log="second.jsonl", model="same.safetensors")
    (status, net), (_, run) = ask_all(downhill, "first.jsonl", "net", "run")
    assert status == 404 and "another run: its net is 5 tanh" in net["error"] and run["missing"] == net["error"]
    assert ask(downhill, "second.jsonl", "net")["layers"][0]["words"] == "5 tanh"
    train(downhill, "trees.csv", "--epochs", 2, "--net", "4 relu", "--snapshots", 1, log="first.jsonl", model="same.safetensors")
    train(downhill, "trees.csv", "--epochs", 2, "--net", "5 tanh", log="second.jsonl", model="same.safetensors")
    assert ask(downhill, "first.jsonl", "net")["layers"][0]["words"] == "4 relu"


def test_long_texts_leave_room_in_a_report(downhill):
    names = [f"c{k}" for k in range(50)]
    rows = [[f"{k} {i % 60} {'w' * 1200}" for k in range(50)] + ["uv"[i % 2]] for i in range(120)]
    downhill.write("texts.csv", written([dict(zip([*names, "t"], row, strict=True)) for row in rows], [*names, "t"]))
    train(downhill, "texts.csv", "--target", "t", "--epochs", 1, "--net", "2 relu")
    report = ask(downhill, "run.jsonl", "report?first=2600000")
    columns = report["run"]["columns"]
    assert [column["name"] for column in columns] == names and len(columns[0]["values"]) == 60
    assert all(len(column["values"]) + column.get("values_left_out", 0) == 60 for column in columns)
    assert report["net"] and not any("what the run is" in words for words in report["left_out"])


def test_names_that_are_no_utf8(downhill):
    downhill.write("trees.csv", classes_table())
    (downhill.folder / "trees.csv").rename(downhill.folder / os.fsdecode(b"tr\xe9es.csv"))
    words = ["train", b"tr\xe9es.csv", "--epochs", "2", "--log", "run.jsonl", "--out", "run.safetensors"]
    subprocess.run([downhill.program, *words], cwd=downhill.folder, capture_output=True, check=True, env=downhill.environment())
    (_, run), (status, _) = ask_all(downhill, "run.jsonl", "run", "net")
    assert status == 200 and run["missing"] == "tr\ufffdes.csv: there is no such data"


def test_a_descent_under_way_is_looked_at_anew(trees):
    """Its weights are halved at each look from twice the model's on, and at the fifth they can't be had."""
    found = ask_all(trees, "run.jsonl", "run", "net", "net", "answers", "answers", "rows?truth=1&answer=1", "net", live="run.safetensors")
    assert [status for status, _ in found] == [200, 200, 200, 200, 200, 404, 404]
    assert found[0][1]["mode"] == "live" and found[0][1]["runs"][0]["log"] is None
    for at, part in ((1, 1), (2, 0.5)):
        must_be(found[at][1]["layers"][0]["weights"], part * trees.model.tensors["layer1.weight"])
        assert (found[at][1]["epoch"], found[at][1]["step"]) == (7, 70)
    gradient = found[1][1]["layers"][0]["bins"]["gradient"]
    assert (gradient["low"], gradient["high"], sum(gradient["counts"])) == (1, 80, 80)
    assert found[3][1]["metrics"]["cost"] != found[4][1]["metrics"]["cost"]


# ---- logs of strangers -------------------------------------------------------------------------------------------------------------


HOSTILE = {
    "empty": b"", "no end": b'{"downhill":"0.1.0","recipe":"x"}', "cut": b'{"downhill":"0.1.0","rec\n', "no object": b"[1]\n",
    "number": b'{"downhill":1,"recipe":"x"}\n', "no recipe": b'{"downhill":"0.1.0"}\n', "array": b'{"downhill":"0.1.0","recipe":["x"]}\n',
    "twice": b'{"downhill":"0.1.0","recipe":"a","recipe":"b"}\n', "deep": b'{"downhill":"0.1.0","recipe":"x","a":' + b"[" * 40 + b"]" * 40 + b"}\n",
    "tail": b'{"downhill":"0.1.0","recipe":"x"} x\n', "binary": bytes(range(256)) * 40 + b"\n", "huge": b"[" * 3_000_000 + b"\n",
    "utf8": b'{"downhill":"0.1.0","recipe":"\xc0\xaf"}\n', "zero": b'{"downhill":"0.1.0","recipe":"x\\u0000"}\n'}


@pytest.mark.parametrize("name", [name for name in HOSTILE if name != "zero"])
def test_what_is_no_log_is_refused(downhill, name):
    downhill.write("bad.jsonl", HOSTILE[name])
    said = ask_all(downhill, "bad.jsonl", "run", code=DATA)
    assert said.startswith("downhill: bad.jsonl: ") and said.count("\n") == 1


def test_logs_that_cannot_be_opened(downhill):
    assert "gone.jsonl" in ask_all(downhill, "gone.jsonl", "run", code=INPUT)
    assert "folder" in ask_all(downhill, ".", "run", code=INPUT)


def test_members_of_other_kinds_count_as_not_there(trees):
    name_in_log(trees.folder, "run.jsonl", model=7, data=["trees.csv"], test={"a": 1}, targets=True)
    run = ask(trees, "run.jsonl", "run")
    assert "older" in run["missing"] and run["command"].startswith("downhill train DATA ")


def test_a_recipe_that_is_none(trees):
    name_in_log(trees.folder, "run.jsonl", recipe="target=kind\nnonsense\x01=\n")
    (_, run), (status, _) = ask_all(trees, "run.jsonl", "run", "net")
    assert status == 200 and run["recipe"].startswith("target=kind\nnons") and run["target"] == "kind"


# ---- reports -----------------------------------------------------------------------------------------------------------------------


def test_a_report_holds_it_all(trees):
    shutil.copy(trees.folder / "run.jsonl", trees.folder / "second.jsonl")
    alone = [document for _, document in ask_all(trees, "run.jsonl", "run", "net", "map", "answers")]
    report = ask(trees, ["run.jsonl", "second.jsonl"], "report?first=2900000")
    lines = (trees.folder / "run.jsonl").read_text().splitlines()
    assert report["traces"] == [lines, lines] and report["left_out"] == []
    assert report["run"]["mode"] == "report" and [run["name"] for run in report["run"]["runs"]] == ["run", "second"]
    assert report["net"] == alone[1] and report["maps"][0] == alone[2] and report["answers"] == [alone[3]]
    assert [(found["x"]["name"], found["y"]["name"]) for found in report["maps"]] == \
        [("width", "height"), ("width", "colour"), ("height", "colour")]


def test_a_report_keeps_to_its_bytes(trees):
    log = trees.folder / "run.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([lines[0], *lines[1:-1] * 20, lines[-1]]) + "\n")
    report = ask(trees, "run.jsonl", "report?first=200000")
    assert len(json.dumps(report, separators=(",", ":"), ensure_ascii=False)) < 210000
    trace = report["traces"][0]
    assert trace[0] == lines[0] and trace[-1] == lines[-1] and set(trace) <= set(lines)
    epochs = [json.loads(line)["train_cost"] is not None for line in trace[1:-1]]
    assert 20 < sum(epochs) < len(epochs)
    assert any("lines of the log run" in words for words in report["left_out"])
    small = ask(trees, "run.jsonl", "report?first=4000")
    assert small["net"] is None and small["maps"] == [] and "the net: too large for a report" in small["left_out"]


def test_a_report_leaves_out_lines_that_are_none(trees):
    log = trees.folder / "run.jsonl"
    lines = log.read_text().splitlines()
    bad = ["{", "[1]", '{"step":1,"step' + "\\ud800" + '":2}', "x" * 70000, '{"a":"' + "b" * 70000 + '"}', ""]
    log.write_text("\n".join([*lines, *bad]) + '\n{"step": 7')
    report = ask(trees, "run.jsonl", "report?first=2900000")
    assert report["traces"][0] == lines
    assert report["left_out"] == ["6 lines of the log run that are no JSON objects"]


def test_a_report_says_what_cannot_be_had(trees):
    (trees.folder / "trees.csv").unlink()
    report = ask(trees, "run.jsonl", "report?first=2900000")
    assert report["answers"] == [] and report["maps"] == [] and report["net"]
    assert any(words.startswith("answers: ") and "trees.csv" in words for words in report["left_out"])
    (trees.folder / "run.safetensors").unlink()
    report = ask(trees, "run.jsonl", "report?first=2900000")
    assert report["net"] is None and any(words.startswith("the net: ") for words in report["left_out"])
    (trees.folder / "run.snapshots").mkdir()
    (trees.folder / "run.snapshots" / "epoch-000001.safetensors").write_bytes(b"")
    report = ask(trees, "run.jsonl", "report?first=2900000")
    assert any("1 snapshot" in words for words in report["left_out"])


def test_the_verb(trees):
    done = trees.refuse(USAGE, "report", "run.jsonl", "-o")
    assert "-o FILE" in done
    trees("predict", "run.safetensors", "trees.csv", "-o", "short.csv")
    trees("predict", "run.safetensors", "trees.csv", "--out", "long.csv")
    assert (trees.folder / "short.csv").read_bytes() == (trees.folder / "long.csv").read_bytes() != b""
    trees.refuse(USAGE, "eval", "run.safetensors", "trees.csv", "-o", "x")
    if not has_page(trees):
        trees.refuse(FAILED, "report", "run.jsonl")
        return
    trees.refuse(USAGE, "report", "run.jsonl", "-o", "run.jsonl")
    trees.refuse(DATA, "report", "trees.csv")
    said = trees("report", "run.jsonl", "-o", "seen.html").stderr
    page = (trees.folder / "seen.html").read_bytes()
    assert f"seen.html, {len(page):,} bytes" in said and len(page) < 3_000_000
    held = page.split(b'id="report">', 1)[1].split(b"</script>", 1)[0]
    assert json.loads(held)["run"]["target"] == "kind"
    trees("report", "run.jsonl")
    assert (trees.folder / "run.html").read_bytes() == page
