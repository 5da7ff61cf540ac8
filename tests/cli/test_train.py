"""What train says, writes and answers."""
import gzip
import json
import os
import signal
import subprocess
import time

import numpy
import pytest

from command_line import FAILED, QUICK, USAGE
from command_tables import classes_table, numbers_table

pytestmark = pytest.mark.quick

KEYS = ["model", "rows", "inputs", "outputs", "parameters", "epochs", "steps", "seconds", "stopped", "train", "valid", "test"]
ROW_KEYS = ["step", "epoch", "cost", "rate", "gradient_norm", "weight_norm", "step_norm", "train_cost", "valid_cost",
            "valid_accuracy", "seconds"]


def test_json_of_classes(downhill):
    downhill.write("trees.csv", classes_table())
    done = downhill("train", "trees.csv", "--epochs", 30, "--patience", 0, "--batch", 27, "--json")
    answer = json.loads(done.stdout)
    assert list(answer) == KEYS
    assert answer["model"] == "trees.safetensors"
    assert answer["rows"] == 81 and answer["outputs"] == 3 and answer["epochs"] == 30 and answer["steps"] == 90
    assert answer["stopped"] == "epochs" and answer["seconds"] >= 0
    assert list(answer["train"]) == list(answer["valid"]) == ["cost", "accuracy"]
    assert answer["test"] is None
    assert "accuracy" in done.stderr


def test_json_of_numbers_with_valid_and_test_files(downhill):
    downhill.write("houses.csv", numbers_table())
    downhill.write("v.csv", numbers_table(20, seed=5))
    downhill.write("t.csv", numbers_table(30, seed=6))
    done = downhill("train", "houses.csv", "--valid", "v.csv", "--test=t.csv", "--epochs", 40, "--json", "--out", "m.safetensors")
    answer = json.loads(done.stdout)
    assert answer["rows"] == 120
    for part in ("train", "valid", "test"):
        assert list(answer[part]) == ["cost", "rmse", "mae", "r2"]
    assert "30 rows" in done.stderr and "rmse" in done.stderr


def test_valid_as_a_fraction(downhill):
    downhill.write("trees.csv", classes_table())
    for fraction, rows in (("0.2", 72), ("0", 90), (".5", 45)):
        answer = json.loads(downhill("train", "trees.csv", *QUICK, "--valid", fraction, "--json").stdout)
        assert answer["rows"] == rows
        assert (answer["valid"] is None) == (fraction == "0")


def test_talk_goes_to_stderr_and_names_guesses_as_flags(downhill):
    downhill.write("data.tsv", "a\tb\tkind\n" + "".join(f"{i}\t{i % 5}\t{'xy'[i % 2]}\n" for i in range(30)))
    done = downhill("train", "data.tsv", *QUICK)
    assert done.stdout == ""
    for flag in ("--header yes", "--delimiter", "--target kind", "--task classes"):
        assert flag in done.stderr, done.stderr
    assert "data.safetensors" in done.stderr
    assert " parameters; 30 rows" in done.stderr


def test_strict_names_the_flags_that_stop_it(downhill):
    said = downhill.refuse(USAGE, "train", "xor.csv", "--strict")
    assert "--net" not in said
    flags = said.split("say it: ", 1)[1].strip()
    again = subprocess.run(["sh", "-c", f'"$0" train xor.csv --strict {flags} --epochs 3', downhill.program], cwd=downhill.folder,
                           capture_output=True, text=True, check=False, env=downhill.environment())
    assert again.returncode == 0, again.stderr


def test_default_output_names(downhill):
    table = classes_table()
    downhill.write("in/some.data.csv", table)
    downhill.write("zip.csv.gz", gzip.compress(table.encode()))
    downhill("train", "in/some.data.csv", *QUICK)
    downhill("train", "zip.csv.gz", *QUICK)
    downhill("train", "-", *QUICK, text_in=table)
    for name in ("some.data", "zip", "model"):
        assert (downhill.folder / f"{name}.safetensors").exists(), name
    assert (downhill.folder / "model.safetensors").read_bytes() != b""


def test_a_model_is_replaced_and_nothing_else_appears(downhill):
    downhill("train", "xor.csv", *QUICK)
    first = (downhill.folder / "xor.safetensors").read_bytes()
    downhill("train", "xor.csv", *QUICK, "--seed", 2)
    assert (downhill.folder / "xor.safetensors").read_bytes() != first
    assert sorted(path.name for path in downhill.folder.iterdir()) == ["xor.csv", "xor.safetensors"]


def test_same_bytes_for_threads_isa_and_reading(downhill):
    downhill.write("trees.csv", classes_table())
    made = set()
    for i, words in enumerate((["--threads", 1], ["--threads", 2], ["--isa", "scalar"], ["--isa", "best"], ["--log", "run.jsonl"])):
        downhill("train", "trees.csv", "--epochs", 20, "--out", f"{i}.safetensors", *words)
        made.add((downhill.folder / f"{i}.safetensors").read_bytes())
    downhill("train", "-", "--epochs", 20, "--out", "stdin.safetensors", text_in=classes_table())
    made.add((downhill.folder / "stdin.safetensors").read_bytes())
    assert len(made) == 1


def test_log(downhill):
    downhill.write("trees.csv", classes_table())
    downhill("train", "trees.csv", "--epochs", 400, "--patience", 0, "--batch", 9, "--log", "run.jsonl")
    lines = (downhill.folder / "run.jsonl").read_text().splitlines()
    first, *rows, last = [json.loads(line) for line in lines]
    assert list(first) == ["downhill", "recipe", "data", "model", "rows", "inputs", "outputs", "parameters"]
    assert "epochs=400" in first["recipe"] and first["data"] == "trees.csv" and first["rows"] == 81
    assert all(list(row) == ROW_KEYS for row in rows)
    # 3,600 steps: every fourth, and the ninth of each epoch
    assert [row["step"] for row in rows] == [step for step in range(1, 3601) if step % 4 == 0 or step % 9 == 0]
    assert all((row["train_cost"] is None) == (row["step"] % 9 != 0) for row in rows)
    assert all(row["gradient_norm"] > 0 and row["step_norm"] > 0 for row in rows)
    assert rows[-1]["train_cost"] < rows[10]["cost"]
    assert last["stopped"] == "epochs"
    assert first["model"] == "trees.safetensors"


def first_line(downhill, name):
    return json.loads((downhill.folder / name).read_text().splitlines()[0])


@pytest.mark.quick
def test_the_log_leads_to_every_file(downhill):
    """As the command names them: those that are given, and no others; a fraction for --valid is no file."""
    downhill.write("trees.csv", classes_table())
    downhill.write("in/inputs.csv", "x\n" + "".join(f"{i % 7}\n" for i in range(60)))
    downhill.write("targets.csv", "y\n" + "".join(f"{i % 7 * 2}\n" for i in range(60)))
    downhill("train", "trees.csv", *QUICK, "--valid", "0.2", "--out", "./a.safetensors", "--log", "a.jsonl")
    names = ["model", "targets", "valid", "test", "start"]
    found = first_line(downhill, "a.jsonl")
    assert {name: found[name] for name in names if name in found} == {"model": "./a.safetensors"}
    words = ["trees.csv", "--valid", "./trees.csv", "--start", "a.safetensors"]
    downhill("train", *words, *QUICK, "--test", "trees.csv", "--out", "b.safetensors", "--log", "b.jsonl")
    found = first_line(downhill, "b.jsonl")
    assert [found.get(name) for name in names] == ["b.safetensors", None, "./trees.csv", "trees.csv", "a.safetensors"]
    downhill("race", *words, *QUICK, "--rules", "sgd,adam", "--out", "r")
    for rule in ("sgd", "adam"):
        found = first_line(downhill, f"r/{rule}.jsonl")
        assert [found.get(name) for name in names] == [f"r/{rule}.safetensors", None, "./trees.csv", None, "a.safetensors"]
    downhill("find-rate", *words, "--log", "f.jsonl")
    found = first_line(downhill, "f.jsonl")
    assert [found.get(name) for name in names] == [None, None, "./trees.csv", None, "a.safetensors"]
    downhill("train", "in/inputs.csv", "--targets", "targets.csv", *QUICK, "--log", "c.jsonl")
    found = first_line(downhill, "c.jsonl")
    assert [found.get(name) for name in ["data", *names]] == ["in/inputs.csv", "inputs.safetensors", "targets.csv", None, None, None]


def test_logs_of_two_runs_differ_in_seconds_only(downhill):
    logs = []
    for name, threads in (("a.jsonl", 1), ("b.jsonl", 2)):
        downhill("train", "xor.csv", "--epochs", 5000, "--log", name, "--threads", threads)
        rows = [json.loads(line) for line in (downhill.folder / name).read_text().splitlines()]
        logs.append([{key: value for key, value in row.items() if key != "seconds"} for row in rows])
    assert logs[0] == logs[1]
    # an older log may be written over
    downhill("train", "xor.csv", *QUICK, "--log", "a.jsonl")
    assert (downhill.folder / "a.jsonl").read_text().count("\n") < 30


def test_divergence(downhill):
    downhill.write("houses.csv", numbers_table())
    said = downhill.refuse(FAILED, "train", "houses.csv", "--rule", "sgd", "--rate", "1000000", "--net", "16 relu, 16 relu",
                           "--scale", "none", "--epochs", "1000", "--patience", "0")
    assert "no model was saved" in said


def test_stuck_and_not_stuck(downhill):
    recipe = "net=4 sigmoid, output sigmoid\ncost=squared\nrule=sgd\nbatch=1\norder=file\nscale=none\ninit=uniform\ntask=numbers\n"
    downhill.write("demo.recipe", recipe)
    said = downhill("train", "xor.csv", "--recipe", "demo.recipe", "--rate", "0.01", "--epochs", 10000).stderr
    assert "stuck" in said and "always answering the mean" in said and "gradient norm" in said
    said = downhill("train", "xor.csv", "--recipe", "demo.recipe", "--rate", "2", "--epochs", 20000).stderr
    assert "stuck" not in said


def test_start(downhill):
    downhill("train", "xor.csv", "--epochs", 50, "--out", "a.safetensors")
    downhill("train", "xor.csv", "--epochs", 0, "--start", "a.safetensors", "--out", "b.safetensors")
    first, second = (downhill("predict", f"{name}.safetensors", "xor.csv").stdout for name in "ab")
    assert first == second


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(downhill, number, code):
    process = subprocess.Popen([downhill.program, "train", "xor.csv", "--epochs", "1000000000", "--patience", "0"],
                               cwd=downhill.folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               env=downhill.environment(), preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    time.sleep(0.5)
    os.kill(process.pid, number)
    said = process.communicate(timeout=20)[1]
    assert process.returncode == code, said
    *_, stopped, command = said.splitlines()
    assert "saved in xor.safetensors." in stopped and stopped.endswith("this goes on from there:")
    assert command == f"{downhill.program} train xor.csv --epochs 1000000000 --patience 0"
    saved = stopped.split("saved in ")[1].split(";")[0]
    assert sorted(path.name for path in downhill.folder.iterdir()) == ["xor.csv", saved]


def test_whole_lines_on_a_long_run(downhill):
    """Without a terminal a run of some seconds says a few whole lines, however many steps it takes."""
    process = subprocess.Popen([downhill.program, "train", "xor.csv", "--epochs", "1000000000", "--patience", "0"],
                               cwd=downhill.folder, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=downhill.environment())
    time.sleep(3)
    process.terminate()
    said = process.communicate(timeout=20)[1].decode()
    shown = [line for line in said.splitlines() if "ETA" in line]
    assert len(shown) == 1, said
    assert all(escape not in said for escape in ("\033", "\r", "\b"))


def test_npz_with_a_test_part(downhill):
    draw = numpy.random.default_rng(1)
    x = draw.normal(size=(80, 3)).astype("float32")
    y = (x.sum(axis=1) > 0).astype("int64")
    numpy.savez(downhill.folder / "both.npz", x_train=x[:60], y_train=y[:60], x_test=x[60:], y_test=y[60:])
    answer = json.loads(downhill("train", "both.npz", "--epochs", 30, "--json").stdout)
    assert list(answer["test"]) == ["cost", "accuracy"]
    measured = json.loads(downhill("eval", "both.safetensors", "both.npz", "--json").stdout)
    assert measured["rows"] == 20 and measured["accuracy"] == answer["test"]["accuracy"]
    assert len(downhill("predict", "both.safetensors", "both.npz").stdout.splitlines()) == 21


@pytest.mark.quick
def test_what_was_chosen_is_told_whatever_it_is_called(downhill):
    """Words that go without saying are knobs' values, not names of columns."""
    downhill.write("t.csv", "a,none\n" + "".join(f"{i},{'xy'[i % 2]}\n" for i in range(8)))
    said = downhill("train", "t.csv", "--epochs", 1).stderr
    assert "--target none " in said and "--grow" not in said and "--schedule" not in said
