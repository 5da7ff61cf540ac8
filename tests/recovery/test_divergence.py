"""A descent that grows beyond all bounds goes back with half the rate, the same way each time, or ends and says where."""
import json
import re
import signal

import numpy
import pytest

import recovery_data
from command_line import DATA, FAILED, OK
from descents import LOG, OUT, steps_of, tensors

SGD = ["numbers.csv", "--net", "8 relu", "--rule", "sgd", "--scale", "none", "--epochs", 12, "--batch", 16, "--patience", 0]


@pytest.fixture
def ready(descents):
    descents.write("numbers.csv", recovery_data.numbers(scale=100))
    descents.write("huge.csv", recovery_data.numbers(scale=1e30))
    return descents


def rollbacks(ready):
    return [row for row in ready.log() if "rollback" in row]


def assert_finite(path):
    for name, array in tensors(path).items():
        if array.dtype.kind == "f":
            assert numpy.isfinite(array).all(), (path.name, name)


DIVERGED = re.compile(r"diverged at step (\d+) \(epoch (\d+)\), rows? ([\d, .]+): (.*) is no finite number, at rate ([\d.e+]+);")


def lines_of(said):
    return [line for line in said.splitlines() if "diverged at step" in line]


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov", "adamw"])
def test_what_is_said(ready, rule):
    """Step, epoch, rows, what and rate, five times going back and once ending."""
    ready.write("plain.csv", recovery_data.numbers())
    done = ready.train("plain.csv", *SGD[1:], "--rule", rule, "--rate", 1e6, "--net", "8 relu, 8 relu, 8 relu", code=FAILED)
    said = [DIVERGED.search(line) for line in lines_of(done.stderr)]
    assert all(said) and 1 <= len(said) <= 6, done.stderr
    for i, found in enumerate(said):
        assert float(found[5]) == pytest.approx(1e6 / 2**i, rel=1e-3)
        assert "layer" in found[4] or "cost" in found[4]
    assert rule == "adamw" or any("layer" in found[4] for found in said), done.stderr
    assert not (ready.folder / OUT).exists()
    assert json.loads((ready.folder / LOG).read_text().splitlines()[-1])["stopped"] == "diverged"


@pytest.mark.parametrize("rule", ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"])
def test_targets_that_no_rate_can_help(ready, rule):
    """Their squares are no finite number before a step is taken: no way back is tried, the rows are named."""
    done = ready.train("huge.csv", *SGD[1:], "--rule", rule, code=FAILED)
    said = lines_of(done.stderr)
    assert len(said) == 1 and "step 1 (epoch 1)" in said[0] and "the cost" in said[0], done.stderr
    assert not rollbacks(ready) and not (ready.folder / OUT).exists()


def test_the_row_that_does_it_is_named(ready):
    lines = recovery_data.numbers().splitlines()
    lines[17] = "0.1,0.2,2e25"
    ready.write("one.csv", "\n".join(lines) + "\n")
    for batch in (1, 16, "full"):
        said = lines_of(ready.train("one.csv", *SGD[1:], "--batch", batch, "--rate", 1e-9, "--valid", 0, code=FAILED).stderr)[-1]
        assert ", row 17: the cost is no finite" in said, said


RECOVERS = {
    "at once": ["--rate", 10],
    "five times": ["--rate", 30],
    # Each epoch is the best so far when the first validation costs are seen, and weights may have run away by then.
    "late": ["--rate", 20, "--warmup", 6],
    "schedule": ["--rate", 10, "--schedule", "cosine", "--warmup", 1],
    "from the middle": ["--rate", 6, "--warmup", 100, "--epochs", 100, "--valid", 0],
    "nesterov": ["--rate", 10, "--rule", "nesterov"],
    "no validation": ["--rate", 10, "--valid", 0],
    "batch 1": ["--rate", 3, "--batch", 1],
    "patience": ["--rate", 10, "--patience", 4, "--epochs", 40],
}


@pytest.mark.parametrize("case", RECOVERS)
def test_goes_back_and_on(ready, case):
    """It ends well; each way back is said and logged; the rate is half the one before; and all of it is repeatable."""
    words = [*SGD, *RECOVERS[case]]
    done = ready.train(*words)
    model, log = ready.result()
    back = rollbacks(ready)
    assert 1 <= len(back) <= 5 and [row["rollback"] for row in back] == list(range(1, len(back) + 1))
    said = [DIVERGED.search(line) for line in lines_of(done.stderr)]
    assert [int(found[1]) for found in said] == [row["step"] for row in back]
    assert all(f"back to step {row['to']} with half the rate" in line for row, line in zip(back, lines_of(done.stderr)))
    assert_finite(ready.folder / OUT)
    steps = 0
    for row in log[1:-1]:
        if "rollback" in row:
            assert row["step"] == steps + 1 and row["to"] <= steps
            steps = row["to"]
        else:
            assert row["step"] == steps + 1
            steps = row["step"]
            assert numpy.isfinite([row["cost"], row["gradient_norm"], row["step_norm"]]).all()
    for i, other in enumerate((["--threads", 2], ["--isa", "scalar"], [])):
        again = ready.train(*words, *other)
        assert ready.result() == (model, log), other
        assert lines_of(again.stderr) == lines_of(done.stderr), i


def test_half_the_rate(ready):
    ready.train(*SGD, "--rate", 30)
    rates, rate = [], 30
    for row in ready.log()[1:-1]:
        if "rollback" in row:
            rate /= 2
        else:
            rates.append(row["rate"] == rate)
    assert all(rates) and len(rates) > 40


@pytest.mark.parametrize("case", [*RECOVERS, "never"])
def test_interrupted_before_and_after_going_back(ready, case):
    """After the checkpoints around each way back, and some others: the same way to the same end, and none holds what isn't finite."""
    words = [*SGD, *RECOVERS.get(case, ["--rate", 1e6])]
    code = FAILED if case == "never" else OK
    done = ready.train(*words, code=code)
    expected = (ready.folder / OUT).read_bytes() if code == OK else None, ready.log(), lines_of(done.stderr)[-1]
    # A checkpoint a step, so a line of the log is a checkpoint but for those of ways back.
    rows = expected[1][1:-1]
    back = [i - seen for seen, i in enumerate(i for i, row in enumerate(rows) if "rollback" in row)]
    steps = len(rows) - len(back)
    for after in sorted({1, 2, steps // 3, steps - 1} | {i + k for i in back for k in (-1, 0, 1) if 0 < i + k < steps}):
        ready.clear()
        ended, _ = ready.traced(f"/^rename:signal=SIGKILL:when={after + 1}", *words, "--checkpoint-every", 1)
        assert ended == -signal.SIGKILL
        for path in ready.checkpoints():
            assert_finite(path)
        again = ready.train(*words, "--threads", 2, code=code)
        assert "resumed" in again.stderr and lines_of(again.stderr)[-1:] in ([], [expected[2]])
        assert ready.log() == expected[1], after
        assert (ready.folder / OUT).exists() == (code == OK)
        if code == OK:
            assert (ready.folder / OUT).read_bytes() == expected[0], after
        for path in ready.folder.glob("*.ckpt-*"):
            path.unlink()


def test_stop(ready):
    done = ready.train(*SGD, "--rate", 10, "--on-divergence", "stop", code=FAILED)
    assert len(lines_of(done.stderr)) == 1 and DIVERGED.search(done.stderr), done.stderr
    assert not rollbacks(ready) and not (ready.folder / OUT).exists()
    # A run that doesn't diverge is the same under both.
    ready.train(*SGD, "--rate", 0.01, "--on-divergence", "stop")
    stop = tensors(ready.folder / OUT)
    ready.train(*SGD, "--rate", 0.01)
    assert all((array == stop[name]).all() for name, array in tensors(ready.folder / OUT).items())


def test_after_a_divergence_the_same_command_says_the_same(ready):
    """What a failed run leaves doesn't make it better or worse the next time."""
    words = [*SGD, "--rate", 1e6, "--checkpoint-every", 1]
    first = ready.train(*words, code=FAILED)
    log = ready.log()
    for path in ready.checkpoints():
        assert_finite(path)
    second = ready.train(*words, code=FAILED)
    assert lines_of(first.stderr)[-1] == lines_of(second.stderr)[-1]
    assert ready.log() == log


def test_an_old_model_stays_where_a_run_fails(ready):
    ready.train(*SGD, "--rate", 0.01)
    before = (ready.folder / OUT).read_bytes()
    ready.train(*SGD, "--rate", 1e6, code=FAILED)
    assert (ready.folder / OUT).read_bytes() == before


def test_a_number_too_large_for_a_float(ready):
    """1e39 is a number, but no float: unscaled it is bad data, never trained on."""
    lines = recovery_data.numbers().splitlines()
    lines[17] = "1e39,0.2,0.5"
    ready.write("large.csv", "\n".join(lines) + "\n")
    assert "column a" in ready.refuse(DATA, *ready.words(["large.csv", *SGD[1:], "--valid", 0]))


def test_json_of_a_run_that_went_back(ready):
    answer = json.loads(ready.train(*SGD, "--rate", 10, "--json").stdout)
    assert answer["stopped"] == "epochs" and answer["steps"] == 48 and answer["epochs"] == 12
    assert numpy.isfinite(answer["train"]["cost"])
    assert steps_of(ready.folder / OUT) == 48
