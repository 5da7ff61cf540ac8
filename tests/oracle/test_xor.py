"""XOR with no flag but the seed, a hundred times."""
import time

import pytest

from oracle import downhill
from rivals import read_answers
from support import ROOT

XOR = ROOT / "examples/xor.csv"


@pytest.mark.serial
def test_every_seed_solves_xor(tmp_path, fact):
    worst_error, worst_seconds, failed = 0.0, 0.0, []
    for seed in range(1, 101):
        begin = time.monotonic()
        _, talk = downhill(tmp_path, "train", XOR, "--seed", seed, "--out", "xor.safetensors")
        seconds = time.monotonic() - begin
        text, _ = downhill(tmp_path, "predict", "xor.safetensors", XOR)
        answers, columns = read_answers(text, "classes")
        assert columns == ["prediction", "p(0)", "p(1)"]
        ones = [float(line.split(",")[2]) for line in text.splitlines()[1:]]
        error = sum((p - y) ** 2 for p, y in zip(ones, (0, 1, 1, 0))) / 4
        if list(answers) != ["0", "1", "1", "0"] or error >= 0.01 or seconds >= 1 or "stuck" in talk:
            failed.append((seed, list(answers), error, seconds))
        worst_error, worst_seconds = max(error, worst_error), max(seconds, worst_seconds)
    assert not failed, failed
    fact("XOR, seeds 1 to 100", f"largest mean squared error {worst_error:.2g}, slowest training {worst_seconds:.3f} s")
