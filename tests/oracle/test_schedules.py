"""Rates of every step, as the log has them, against PyTorch's schedulers and the formulas of the manual."""
import json
import math

import numpy
import pytest

from oracle import Net, Numbers, torch, train

ROWS, BATCH, EPOCHS = 45, 10, 24
EPOCH_STEPS = 5
S = torch.optim.lr_scheduler


def rates(tmp_path, *flags, epochs=EPOCHS):
    net = Net([2, 3, 1], ["tanh", "identity"])
    _, answer = train(tmp_path, net, net.draw(1), Numbers(tmp_path, ROWS, 2), "--rule", "sgd", "--batch", BATCH, "--epochs",
                      epochs, "--log", "run.jsonl", *flags)
    lines = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [line for line in lines if "rate" in line]
    assert [row["step"] for row in rows] == list(range(1, answer["steps"] + 1))
    assert [row["epoch"] for row in rows] == [1 + i // EPOCH_STEPS for i in range(len(rows))]
    return [row["rate"] for row in rows]


def scheduled(rate, make, per):
    """PyTorch's rates of every step; the scheduler moves on after `per` steps."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = make(optimiser)
    made = []
    for step in range(EPOCHS * EPOCH_STEPS):
        made.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if (step + 1) % per == 0:
            scheduler.step()
    return made


def test_constant(tmp_path):
    assert rates(tmp_path, "--rate", 0.03) == [0.03] * (EPOCHS * EPOCH_STEPS)


@pytest.mark.parametrize("drop, every", [(None, None), (0.25, 7)])
def test_step(tmp_path, drop, every):
    flags = [] if drop is None else ["--drop", drop, "--drop-every", every]
    want = scheduled(0.02, lambda o: S.StepLR(o, every or 10, drop or 0.5), EPOCH_STEPS)
    assert len(set(want)) > 2
    assert rates(tmp_path, "--rate", 0.02, "--schedule", "step", *flags) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("drop", [None, 0.8])
def test_exponential(tmp_path, drop):
    flags = [] if drop is None else ["--drop", drop]
    want = scheduled(0.02, lambda o: S.ExponentialLR(o, drop or 0.95), EPOCH_STEPS)
    assert rates(tmp_path, "--rate", 0.02, "--schedule", "exponential", *flags) == pytest.approx(want, rel=1e-12)


def test_cosine(tmp_path):
    total = EPOCHS * EPOCH_STEPS
    got = rates(tmp_path, "--rate", 0.02, "--schedule", "cosine")
    assert got == pytest.approx(scheduled(0.02, lambda o: S.CosineAnnealingLR(o, total), 1), rel=1e-9, abs=1e-15)
    assert got == pytest.approx([0.01 * (1 + math.cos(math.pi * i / total)) for i in range(total)], rel=1e-12)


@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "cosine"])
def test_warmup(tmp_path, schedule):
    """The rate grows evenly over the passes of the warm-up, then goes on as the schedule says; cosine has the rest of the run."""
    passes, total = 3.4, EPOCHS * EPOCH_STEPS
    warm = int(passes * EPOCH_STEPS)
    got = rates(tmp_path, "--rate", 0.02, "--schedule", schedule, "--warmup", passes)
    assert got[:warm] == pytest.approx([0.02 * (i + 1) / warm for i in range(warm)], rel=1e-12)
    rest = {
        "constant": lambda i: 0.02,
        "step": lambda i: 0.02 * 0.5 ** (i // EPOCH_STEPS // 10),
        "exponential": lambda i: 0.02 * 0.95 ** (i // EPOCH_STEPS),
        "cosine": lambda i: 0.01 * (1 + math.cos(math.pi * (i - warm) / (total - warm))),
    }[schedule]
    assert got[warm:] == pytest.approx([rest(i) for i in range(warm, total)], rel=1e-12)


def test_the_rate_is_what_the_step_took(tmp_path):
    """Length of the update over that of the gradient: the logged rate isn't just talk."""
    rates(tmp_path, "--rate", 0.02, "--schedule", "cosine", "--warmup", 2)
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    for row in rows:
        if "rate" in row and row["rate"] > 1e-4:
            assert numpy.isclose(row["step_norm"] / row["gradient_norm"], row["rate"], rtol=1e-3), row


def test_long_runs_log_a_thousand_steps(tmp_path):
    """More steps than the log reports: those it has still follow the formula."""
    net = Net([2, 3, 1], ["tanh", "identity"])
    train(tmp_path, net, net.draw(1), Numbers(tmp_path, ROWS, 2), "--rule", "sgd", "--batch", BATCH, "--epochs", 3000, "--log",
          "run.jsonl", "--rate", 0.02, "--schedule", "cosine")
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if "rate" in row]
    assert 900 < len(rows) < 2200
    for row in rows:
        assert row["rate"] == pytest.approx(0.01 * (1 + math.cos(math.pi * (row["step"] - 1) / 15000)), rel=1e-9, abs=1e-15)
