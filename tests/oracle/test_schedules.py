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


def test_one_cycle(tmp_path):
    total = EPOCHS * EPOCH_STEPS
    want = scheduled(0.02, lambda o: S.OneCycleLR(o, 0.02, total_steps=total, cycle_momentum=False), 1)
    got = rates(tmp_path, "--rate", 0.02, "--schedule", "one-cycle")
    assert got == pytest.approx(want, rel=1e-9)
    assert max(got) > 0.0199 and got[0] < 0.00081 and got[-1] < 1e-7


def test_flat_cosine(tmp_path):
    total = EPOCHS * EPOCH_STEPS
    got = rates(tmp_path, "--rate", 0.02, "--schedule", "flat-cosine")
    assert got == pytest.approx([0.01 * (1 + math.cos(math.pi * (max(1, 2 * i / total) - 1))) for i in range(total)], rel=1e-12)
    assert got[total // 2 - 1] == 0.02 > got[total // 2 + 1]


def test_coslog4(tmp_path):
    total = EPOCHS * EPOCH_STEPS
    got = rates(tmp_path, "--rate", 0.02, "--schedule", "coslog4")
    want = [0.02 * (0.5 - 0.5 * math.cos(2 * math.pi * math.log2(1 + 15 * i / total))) for i in range(total)]
    assert got == pytest.approx(want, rel=1e-12, abs=1e-17)
    assert sum(a < b > c for a, b, c in zip(got, got[1:], got[2:])) == 4


@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize("drop, wait", [(0.5, 10), (0.3, 2)])
def test_plateau(tmp_path, drop, wait, valid):
    """By the cost on validation rows, or where there are none that of the epoch's batches; both come with the log."""
    net = Net([2, 3, 1], ["tanh", "identity"])
    data = Numbers(tmp_path, ROWS, 2)
    data.flags += ["--drop", drop, "--drop-every", wait]
    flags = ["--valid", "0.3"] if valid else []
    train(tmp_path, net, net.draw(1), data, "--rule", "sgd", "--rate", 0.9, "--schedule", "plateau", "--batch", BATCH,
          "--epochs", 150, "--log", "run.jsonl", *flags)
    rows = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if "rate" in row]
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.9)
    scheduler = S.ReduceLROnPlateau(optimiser, factor=drop, patience=wait, eps=0)
    for row in rows:
        assert row["rate"] == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-12), row
        if row.get("train_cost") is not None:
            assert (row["valid_cost"] is not None) == valid
            scheduler.step(row["valid_cost"] if valid else row["train_cost"])
    assert len({row["rate"] for row in rows}) > (3 if valid else 1)


@pytest.mark.parametrize("schedule", ["constant", "step", "exponential", "cosine", "flat-cosine", "coslog4"])
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
        "flat-cosine": lambda i: 0.01 * (1 + math.cos(math.pi * (max(1, 2 * (i - warm) / (total - warm)) - 1))),
        "coslog4": lambda i: 0.02 * (0.5 - 0.5 * math.cos(2 * math.pi * math.log2(1 + 15 * (i - warm) / (total - warm)))),
    }[schedule]
    assert got[warm:] == pytest.approx([rest(i) for i in range(warm, total)], rel=1e-12, abs=1e-17)


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
