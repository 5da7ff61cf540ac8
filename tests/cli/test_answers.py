"""eval, predict, info and check: what they answer, in words and in JSON."""
import csv
import gzip
import io
import json
import math

import numpy
import pytest

from command_line import DATA, USAGE

pytestmark = pytest.mark.quick

KINDS = ["ash", "birch, white", "cedar"]


def table(text):
    return list(csv.reader(io.StringIO(text)))


def test_predict_classes(trees):
    done = trees("predict", "trees.safetensors", "trees.csv")
    header, *rows = table(done.stdout)
    assert header == ["prediction"] + [f"p({kind})" for kind in KINDS]
    assert len(rows) == 90 and done.stderr == ""
    for row in rows:
        parts = [float(cell) for cell in row[1:]]
        assert math.isclose(sum(parts), 1, abs_tol=1e-6)
        assert row[0] == KINDS[parts.index(max(parts))]
        # the shortest text that reads back as the same float
        assert all(numpy.float32(cell) == numpy.float32(float(cell)) for cell in row[1:])
        assert all(len(cell) <= len(repr(numpy.float32(cell)).replace("e-0", "e-")) + 1 for cell in row[1:])


def test_predict_agrees_with_eval(trees):
    truth = [row[3] for row in table((trees.folder / "trees.csv").read_text())[1:]]
    answers = [row[0] for row in table(trees("predict", "trees.safetensors", "trees.csv").stdout)[1:]]
    assert sum(t != p for t, p in zip(truth, answers)) > 0, "nothing is confused: the confusion matrix proves nothing"
    measured = json.loads(trees("eval", "trees.safetensors", "trees.csv", "--json").stdout)
    assert list(measured) == ["rows", "cost", "accuracy", "confusion", "classes"]
    assert measured["rows"] == 90 and measured["classes"] == KINDS
    pairs = [[sum(t == a and p == b for t, p in zip(truth, answers)) for b in KINDS] for a in KINDS]
    assert measured["confusion"] == pairs
    assert measured["accuracy"] == pytest.approx(sum(t == p for t, p in zip(truth, answers)) / 90)
    assert measured["accuracy"] > 0.9


def test_predict_numbers_in_their_unit(houses):
    truth = numpy.array([float(row[2]) for row in table((houses.folder / "houses.csv").read_text())[1:]])
    header, *rows = table(houses("predict", "houses.safetensors", "houses.csv").stdout)
    assert header == ["prediction"]
    answers = numpy.array([float(row[0]) for row in rows])
    measured = json.loads(houses("eval", "houses.safetensors", "houses.csv", "--json").stdout)
    assert list(measured) == ["rows", "cost", "rmse", "mae", "r2"]
    assert measured["rmse"] == pytest.approx(float(numpy.sqrt(numpy.mean((answers - truth) ** 2))), rel=1e-4)
    assert measured["mae"] == pytest.approx(float(numpy.mean(numpy.abs(answers - truth))), rel=1e-4)
    assert measured["r2"] > 0.5


def test_predict_without_the_target_in_other_order_and_with_more_columns(trees):
    rows = table((trees.folder / "trees.csv").read_text())
    whole = trees("predict", "trees.safetensors", "trees.csv").stdout
    lines = ["colour,height,id,width"] + [",".join([row[2], row[1], str(i), row[0]]) for i, row in enumerate(rows[1:])]
    trees.write("other.csv", "\n".join(lines) + "\n")
    assert trees("predict", "trees.safetensors", "other.csv").stdout == whole


def test_predict_from_standard_input_gz_and_to_a_file(trees):
    whole = trees("predict", "trees.safetensors", "trees.csv").stdout
    content = (trees.folder / "trees.csv").read_text()
    assert trees("predict", "trees.safetensors", "-", text_in=content).stdout == whole
    trees.write("t.csv.gz", gzip.compress(content.encode()))
    assert trees("predict", "trees.safetensors", "t.csv.gz").stdout == whole
    trees.write("answers.csv", "old")
    assert trees("predict", "trees.safetensors", "trees.csv", "--out", "answers.csv").stdout == ""
    assert (trees.folder / "answers.csv").read_text() == whole
    assert trees("predict", "trees.safetensors", "trees.csv", "--out", "-").stdout == whole


def test_predict_never_writes_over_its_inputs(trees):
    for name in ("trees.csv", "trees.safetensors", "./trees.csv"):
        trees.refuse(USAGE, "predict", "trees.safetensors", "trees.csv", "--out", name)


def test_a_row_is_answered_alike_alone_and_among_others(trees):
    lines = (trees.folder / "trees.csv").read_text().splitlines()
    whole = trees("predict", "trees.safetensors", "trees.csv").stdout.splitlines()
    for i in (1, 45, 90):
        trees.write("one.csv", f"{lines[0]}\n{lines[i]}\n")
        assert trees("predict", "trees.safetensors", "one.csv").stdout.splitlines() == [whole[0], whole[i]]


def test_reading_flags_of_training_hold_for_prediction(downhill):
    rows = "".join(f"{i % 4};{'n' if i % 7 == 0 else i % 3};{'ab'[i % 2]}\n" for i in range(40))
    downhill.write("raw.csv", rows)
    downhill("train", "raw.csv", "--header", "no", "--missing", "n", "--delimiter", ";", "--epochs", 5)
    assert "c2: number" in downhill("info", "raw.safetensors").stdout
    assert len(downhill("predict", "raw.safetensors", "raw.csv").stdout.splitlines()) == 41
    assert downhill("predict", "raw.safetensors", "raw.csv", "--missing", "zzz", code=DATA).stdout == ""
    # The first line alone has no number: by itself it is taken for a header.
    downhill.write("first.csv", "a,ab\n" + "".join(f"{i % 4},{'ab'[i % 2]}\n" for i in range(40)))
    assert "--header yes" in downhill("info", "first.csv").stdout
    downhill("train", "first.csv", "--header", "no", "--epochs", 5)
    assert len(downhill("predict", "first.safetensors", "first.csv").stdout.splitlines()) == 42
    downhill.refuse(USAGE, "predict", "raw.safetensors", "raw.csv", "--header", "maybe")


def test_eval_in_words(trees, houses):
    text = trees("eval", "trees.safetensors", "trees.csv").stdout
    assert "accuracy" in text and "birch, white" in text
    matrix = text[text.index("Confusion"):].splitlines()
    assert len(matrix) == 5 and len({len(line) for line in matrix[1:]}) == 1
    text = houses("eval", "houses.safetensors", "houses.csv").stdout
    assert "rmse" in text and "always answering the mean" in text


def test_eval_of_many_classes_names_the_confused_pairs(downhill):
    downhill.write("many.csv", "a,b,y\n" + "".join(f"{i % 25},{i % 7},class{i % 25:02}\n" for i in range(200)))
    downhill("train", "many.csv", "--epochs", 1)
    text = downhill("eval", "many.safetensors", "many.csv").stdout
    assert "of 25 classes" in text and " called class" in text and len(text.splitlines()) < 30


@pytest.mark.parametrize("target", ["kind", "width"])
def test_check(trees, target):
    trees("train", "trees.csv", "--target", target, "--net", "6 tanh, 5 sigmoid", "--epochs", 2, "--out", "small.safetensors")
    answer = json.loads(trees("check", "small.safetensors", "trees.csv", "--json").stdout)
    assert list(answer) == ["worst_relative_error", "worst_weight", "weights_checked"]
    assert answer["worst_relative_error"] < 1e-4 and answer["weights_checked"] > 50
    assert answer["worst_weight"].startswith("layer")
    assert "the gradient is right" in trees("check", "small.safetensors", "trees.csv").stdout


def test_info_of_the_machine(downhill):
    text = downhill("info").stdout
    answer = json.loads(downhill("info", "--json").stdout)
    assert answer["isas"][-1] == "scalar" and answer["isa"] in answer["isas"] and answer["cores"] >= 1
    assert answer["isa"] in text and answer["version"] in text


def test_info_of_data(downhill):
    downhill.write("mixed.csv", "age;name;höhe\n1;ann;2.5\n?;bob;3.5\n3;ann;\n")
    answer = json.loads(downhill("info", "mixed.csv", "--json").stdout)
    assert answer["format"] == "csv" and answer["rows"] == 3 and "--delimiter" in answer["guesses"]
    age, name, height = answer["columns"]
    assert (age["name"], age["type"], age["missing"], age["low"], age["high"]) == ("age", "number", 1, 1, 3)
    assert (name["type"], name["distinct"], name["low"]) == ("category", 2, None)
    assert height["name"] == "höhe" and height["mean"] == 3
    text = downhill("info", "mixed.csv").stdout
    assert "ann, bob" in text and "höhe" in text
    assert json.loads(downhill("info", "-", "--json", text_in="a,b\n1,2\n3,4\n").stdout)["rows"] == 2


def test_info_of_a_model(trees):
    answer = json.loads(trees("info", "trees.safetensors", "--json").stdout)
    assert answer["task"] == "classes" and answer["target"] == "kind" and answer["classes"] == KINDS
    assert answer["net"].endswith("-3") and answer["recipe"]["epochs"] == "60"
    text = trees("info", "trees.safetensors").stdout
    assert "kind" in text and answer["net"] in text and "epochs=60" in text and "width: number" in text


def test_terminal_codes_in_data_are_not_repeated(downhill):
    downhill.write("evil.csv", "a,\x1b[2Jb,y\n1,\x1b[31mred,x\n2,green,z\n")
    text = downhill("info", "evil.csv").stdout
    assert "?[2Jb" in text
