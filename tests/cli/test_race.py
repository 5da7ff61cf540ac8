"""A race: every racer is what train makes with its rule, the table says who was how good and how fast, and nothing runs twice."""
import json
import os
import re
import statistics
import subprocess
import sys

import pytest

from command_line import CREATE, DATA, screen
from command_tables import classes_table, digits, numbers_table, spirals
from support import ROOT
from test_help import digit_folder

RULES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam", "schedule-free", "rprop", "quickprop"]
RACER = ["rule", "rate", "train", "valid", "stopped", "steps", "epochs", "best_epoch", "ways_back", "seconds", "steps_to",
         "seconds_to", "log", "model"]
ALL_ROWS = {"rprop", "quickprop", "lbfgs", "lm"}
SHORT = ["--epochs", 12]


def timeless(value):
    """Without what the clock put into it."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if not key.startswith("seconds")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def every_rule(downhill):
    return set(re.findall(r"^  ([a-z-]+) ", downhill("help", "rule").stdout.split("\n\n", 1)[1], re.MULTILINE))


def race(downhill, *words):
    return json.loads(downhill("race", *words, "--json").stdout)


def rows_of(downhill, racer):
    """The steps of its log."""
    lines = map(json.loads, (downhill.folder / racer["log"]).read_text().splitlines())
    return [line for line in lines if "cost" in line]


@pytest.mark.quick
@pytest.mark.parametrize("table", ["classes", "numbers"])
def test_a_racer_is_what_train_makes(downhill, table):
    downhill.write("t.csv", classes_table() if table == "classes" else numbers_table())
    words = ["t.csv", *SHORT, "--batch", 7, "--net", "9 tanh", "--schedule", "cosine"]
    answer = race(downhill, *words, "--rules", ",".join([*RULES, "sgd 0.03"]))
    assert list(answer) == ["to", "on", "racers"] and answer["on"] == "valid" and len(answer["racers"]) == len(RULES) + 1
    for racer in answer["racers"]:
        assert list(racer) == RACER
        rate = ["--rate", racer["rate"]] if racer["rate"] == 0.03 else []
        made = json.loads(downhill("train", *words, "--patience", 0, "--rule", racer["rule"], *rate, "--out", "m.safetensors",
                                   "--log", "m.jsonl", "--json").stdout)
        for key in ("train", "valid", "steps", "epochs", "stopped"):
            assert made[key] == racer[key], (key, racer)
        assert (downhill.folder / racer["model"]).read_bytes() == (downhill.folder / "m.safetensors").read_bytes()
        logs = [timeless([json.loads(line) for line in (downhill.folder / name).read_text().splitlines()])
                for name in ("m.jsonl", racer["log"])]
        assert (logs[0][0].pop("model"), logs[1][0].pop("model")) == ("m.safetensors", racer["model"])
        assert logs[0] == logs[1]
    # the same rows in the same batches from the same start: before the first update all cost the same
    assert len({rows_of(downhill, racer)[0]["cost"] for racer in answer["racers"]}) == 1
    assert len({rows_of(downhill, racer)[1]["cost"] for racer in answer["racers"]}) > 5


def expect_target(downhill, answer):
    """The default target, by the description in the help."""
    key = "valid_cost" if answer["on"] == "valid" else "train_cost"
    least = [min(row[key] for row in rows_of(downhill, racer) if row[key] is not None) for racer in answer["racers"]]
    middle = statistics.median_low(least)
    assert middle <= answer["to"] <= middle * 1.011
    return key


@pytest.mark.quick
@pytest.mark.parametrize("words", [["xor.csv"], ["trees.csv", "--batch", 8], ["houses.csv", "--valid", 0]])
def test_target_and_who_reached_it(downhill, words):
    downhill.write("trees.csv", classes_table())
    downhill.write("houses.csv", numbers_table())
    free = race(downhill, *words, "--epochs", 40)
    key = expect_target(downhill, free)
    assert sum(racer["steps_to"] is not None for racer in free["racers"]) >= 4
    told = race(downhill, *words, "--epochs", 40, "--to", free["to"] * 1.5)
    assert told["to"] == free["to"] * 1.5
    for answer in (free, told):
        for racer in answer["racers"]:
            first = next((row for row in rows_of(downhill, racer) if row[key] is not None and row[key] <= answer["to"]), None)
            assert racer["steps_to"] == (first and first["step"]) and racer["seconds_to"] == (first and first["seconds"])
    assert any(a["steps_to"] != b["steps_to"] for a, b in zip(free["racers"], told["racers"]))
    costs = [(racer["valid"] or racer["train"])["cost"] for racer in free["racers"]]
    assert costs == sorted(costs) and [racer["rule"] for racer in free["racers"]] == [racer["rule"] for racer in told["racers"]]


def cells_of(table, racer):
    return next(line for line in table.splitlines() if line.split()[:2] == [racer["rule"], f"{racer['rate']:.4g}"]).split()


@pytest.mark.quick
def test_table(downhill):
    downhill.write("trees.csv", classes_table())
    words = ["trees.csv", *SHORT]
    answer = race(downhill, *words)
    table = downhill("race", *words).stdout
    lines = table.splitlines()
    assert all(len(line) <= 80 and line == line.rstrip() for line in lines)
    assert lines[1].split() == ["rule", "rate", "train", "valid", "right", "steps", "seconds", "seconds"]
    end = 2 + len(answer["racers"])
    assert f"to valid {answer['to']:.3g} " in lines[0] and "half of the rules" in " ".join(lines[end:])
    assert [line.split()[0] for line in lines[2:end]] == [racer["rule"] for racer in answer["racers"]]
    assert len({len(line) for line in lines[:end]}) == 1
    for racer in answer["racers"]:
        _, _, train, valid, right, steps, *_ = cells_of(table, racer)
        assert float(train) == pytest.approx(racer["train"]["cost"], rel=1e-2)
        assert float(valid) == pytest.approx(racer["valid"]["cost"], rel=1e-2)
        assert right == ("100%" if racer["valid"]["accuracy"] == 1 else f"{racer['valid']['accuracy']:.1%}")
        assert steps == ("-" if racer["steps_to"] is None else f"{racer['steps_to']:,}")


@pytest.mark.quick
def test_nothing_runs_twice(downhill):
    downhill.write("trees.csv", classes_table())
    words = ["trees.csv", *SHORT]
    some = race(downhill, *words, "--rules", "sgd,adam")
    folder = downhill.folder / "trees.race"
    names = ["adam.jsonl", "adam.safetensors", "race.jsonl", "sgd.jsonl", "sgd.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    old = {name: (folder / name).read_bytes() for name in names}
    done = downhill("race", *words, "--rules", "sgd,adam", "--json")
    assert json.loads(done.stdout) == some and "2 of 2 were finished before" in done.stderr
    more = race(downhill, *words)
    assert {racer["rule"] for racer in more["racers"]} == every_rule(downhill) - ALL_ROWS
    for racer in some["racers"]:
        same = next(other for other in more["racers"] if other["rule"] == racer["rule"])
        assert {**same, "steps_to": 0, "seconds_to": 0} == {**racer, "steps_to": 0, "seconds_to": 0}
        assert (folder / f"{racer['rule']}.jsonl").read_bytes() == old[f"{racer['rule']}.jsonl"]
    done = downhill("race", *words, "--fresh", "--json", "--threads", 1)
    assert "finished before" not in done.stderr and timeless(json.loads(done.stdout)) == timeless({**more})
    assert (folder / "sgd.jsonl").read_bytes() != old["sgd.jsonl"]


@pytest.mark.quick
@pytest.mark.parametrize("hurt", ["recipe", "data", "start", "log", "model", "line", "torn", "numbers"])
def test_what_is_of_another_descent_or_hurt_runs_again(downhill, hurt):
    downhill.write("t.csv", classes_table())
    words = ["t.csv", *SHORT, "--rules", "sgd,adam"]
    first = race(downhill, *words)
    folder = downhill.folder / "t.race"
    results = folder / "race.jsonl"
    left = 0
    if hurt == "recipe":
        words[2] = 13
    elif hurt == "data":
        downhill.write("t.csv", classes_table(seed=2))
    elif hurt == "start":
        downhill("train", "t.csv", "--epochs", 1, "--out", "s.safetensors")
        words += ["--start", "s.safetensors"]
    else:
        left = 1
        if hurt in ("log", "model"):
            (folder / {"log": "adam.jsonl", "model": "adam.safetensors"}[hurt]).unlink()
        else:
            lines = results.read_text().splitlines(keepends=True)
            lines[-1] = {"line": "", "torn": lines[-1][:len(lines[-1]) // 2], "numbers": re.sub(r'"steps":\d+', '"steps":-1e999',
                                                                                              lines[-1])}[hurt]
            results.write_text("".join(lines))
    done = downhill("race", *words, "--json")
    assert ("1 of 2 were finished before" in done.stderr) if left else "finished before" not in done.stderr
    again = json.loads(done.stdout)
    if left:
        assert timeless(again) == timeless(first)
    elif hurt != "start":
        other = race(downhill, *words, "--out", "other")
        assert json.dumps(timeless(again)) == json.dumps(timeless(other)).replace("other/", "t.race/")
    assert results.read_text().count("\n") == 3


@pytest.mark.quick
def test_divergence_is_a_result(downhill):
    downhill.write("houses.csv", numbers_table())
    words = ["houses.csv", "--scale", "none", "--net", "16 relu, 16 relu", *SHORT, "--rules", "sgd 1000, adam, sgd 1e-9",
             "--on-divergence", "stop"]
    answer = race(downhill, *words)
    last = answer["racers"][-1]
    assert last["rule"] == "sgd" and last["stopped"] == "diverged" and last["train"] is last["model"] is last["steps_to"] is None
    assert sorted(path.name for path in (downhill.folder / "houses.race").iterdir()) == [
        "adam.jsonl", "adam.safetensors", "race.jsonl", "sgd-1000.jsonl", "sgd-1e-9.jsonl", "sgd-1e-9.safetensors"]
    done = downhill("race", *words)
    assert "3 of 3 were finished before" in done.stderr
    assert re.search(r"^sgd +1000  diverged after step \d+$", done.stdout, re.MULTILINE)
    # alone it reaches nothing, and that is said
    alone = downhill("race", *words[:-4], "--on-divergence", "stop", "--rules", "sgd 1000", "--out", "alone").stdout
    assert "No cost" in alone and "--to COST" in alone


@pytest.mark.quick
def test_ways_back_are_marked(downhill):
    downhill.write("houses.csv", numbers_table())
    words = ["houses.csv", "--net", "16 relu", "--epochs", 40, "--batch", 8, "--rules", "sgd 3, adam"]
    answer = race(downhill, *words)
    racer = next(racer for racer in answer["racers"] if racer["rule"] == "sgd")
    assert racer["ways_back"] > 0 and racer["stopped"] == "epochs"
    table = downhill("race", *words).stdout
    assert re.search(r"^sgd +3\*", table, re.MULTILINE) and "* went back" in table


@pytest.mark.quick
def test_rates_that_are_found(downhill):
    downhill.write("trees.csv", classes_table())
    answer = race(downhill, "trees.csv", *SHORT, "--find-rates", "--rules", "sgd, adam 0.5, rmsprop")
    rates = {racer["rule"]: racer["rate"] for racer in answer["racers"]}
    for rule in ("sgd", "rmsprop"):
        assert rates[rule] == json.loads(downhill("find-rate", "trees.csv", "--rule", rule, "--json").stdout)["rate"]
    assert rates["adam"] == 0.5
    given = race(downhill, "trees.csv", *SHORT, "--rules", f"sgd {rates['sgd']}, adam 0.5, rmsprop {rates['rmsprop']}", "--out", "x")
    assert [timeless(racer["train"]) for racer in given["racers"]] == [timeless(racer["train"]) for racer in answer["racers"]]
    done = downhill("race", "xor.csv", "--init", "zero", *SHORT, "--find-rates", "--rules", "sgd", "--json")
    assert "none can be suggested" in done.stderr and json.loads(done.stdout)["racers"][0]["rate"] == 0.1


@pytest.mark.quick
def test_rules_that_see_all_rows_run_where_all_do(downhill):
    downhill.write("trees.csv", classes_table())
    done = downhill("race", "trees.csv", *SHORT, "--json")
    assert not ALL_ROWS & {racer["rule"] for racer in json.loads(done.stdout)["racers"]}
    assert "left out, for they want to see all rows (--batch full): rprop, quickprop" in done.stderr
    whole = race(downhill, "trees.csv", *SHORT, "--batch", "full", "--find-rates")
    rates = {racer["rule"]: racer["rate"] for racer in whole["racers"]}
    assert {"rprop", "quickprop"} < set(rates) and {rates["rprop"], rates["quickprop"]} == {0.01, 0.1} and rates["sgd"] != 0.1
    named = race(downhill, "trees.csv", *SHORT, "--rules", "rprop,sgd")
    assert {racer["steps"] for racer in named["racers"]} == {12}
    given = race(downhill, "trees.csv", *SHORT, "--rules", "rprop,sgd", "--batch", 27)
    assert {racer["steps"] for racer in given["racers"]} == {36}


@pytest.mark.quick
def test_patience_only_where_it_is_asked_for(downhill):
    downhill.write("trees.csv", classes_table())
    words = ["trees.csv", "--epochs", 200, "--rules", "adam 0.1,sgd 1e-9"]
    assert {racer["epochs"] for racer in race(downhill, *words)["racers"]} == {200}
    stopped = race(downhill, *words, "--patience", 5)["racers"]
    assert {racer["stopped"] for racer in stopped} == {"patience"} and max(racer["epochs"] for racer in stopped) < 200


@pytest.mark.quick
def test_files_of_others_are_left_alone(downhill):
    downhill.write("race/adam.safetensors", "my notes\n")
    downhill.write("log/sgd.jsonl", "my notes\n")
    downhill.write("results/race.jsonl", "my notes\n")
    downhill.write("file", "my notes\n")
    for folder in ("race", "log", "results", "file", "nowhere/at/all"):
        downhill.refuse(CREATE, "race", "xor.csv", *SHORT, "--out", folder)
    downhill.refuse(DATA, "race", "xor.csv", "--target", "z")
    assert {(downhill.folder / name).read_text() for name in ("race/adam.safetensors", "log/sgd.jsonl", "results/race.jsonl", "file")
            } == {"my notes\n"}


@pytest.mark.quick
def test_test_rows_are_not_looked_at(downhill):
    digit_folder(downhill.folder / "digits")
    for path in (downhill.folder / "digits").glob("t10k*"):
        path.write_bytes(b"no images")
    assert len(race(downhill, "digits", *SHORT, "--rules", "sgd,adam")["racers"]) == 2
    downhill("find-rate", "digits", "--rule", "adam")


@pytest.mark.quick
@pytest.mark.parametrize("name, words", [("xor", []), ("spirals", ["--net", "16 tanh, 16 tanh", "--valid", 0, "--epochs", 300]),
                                         ("digits", ["--target", "digit", "--task", "classes", "--epochs", 15])])
def test_xor_spirals_and_digits_end_with_their_tables(downhill, name, words):
    if name != "xor":
        downhill.write(f"{name}.csv", {"spirals": spirals, "digits": digits}[name]())
    table = downhill("race", f"{name}.csv", *words).stdout
    rules = every_rule(downhill) - (ALL_ROWS if name != "xor" else {"lbfgs", "lm"})
    assert all(re.search(rf"^{rule} +[0-9.]+ ", table, re.MULTILINE) for rule in rules)
    answer = race(downhill, f"{name}.csv", *words)
    best = answer["racers"][0]
    assert {"xor": lambda: best["train"]["cost"] < 1e-5, "spirals": lambda: best["train"]["accuracy"] > 0.6,
            "digits": lambda: best["valid"]["accuracy"] > 0.96}[name]()


@pytest.mark.quick
def test_on_a_terminal(downhill):
    downhill.write("trees.csv", classes_table())
    seen, code = downhill.on_terminal("race", "trees.csv", "--rules", "sgd,adam", "--epochs", 6000, columns=80)
    assert code == 0
    lines = screen(seen, 80)
    assert all(len(line) <= 80 for line in lines) and not any("%" in line and "ETA" in line for line in lines)
    frames = re.findall(r"\r([^\r\n]*)\033\[K", seen)
    assert any("1/2 sgd" in frame for frame in frames) and any("2/2 adam" in frame for frame in frames)


def test_the_page_about_races_is_true(downhill):
    """docs/race.md holds what its commands answer, but for the seconds; tools/race-tables writes it."""
    done = subprocess.run([sys.executable, ROOT / "tools" / "race-tables", "--check"], capture_output=True, text=True, check=False,
                          env={**os.environ, "DOWNHILL": downhill.program}, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
