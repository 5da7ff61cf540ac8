"""bench: what it prints, and what the project promises of memory and of starting up."""
import json
import os
import pathlib
import re
import statistics
import subprocess
import time

import pytest

import support
from command_line import USAGE

pytestmark = pytest.mark.serial

KEYS = ["case", "us_per_step", "gflops", "peak_gflops", "fraction", "threads", "isa"]


def figures(downhill, *words):
    return json.loads(downhill("bench", *words, "--json", timeout=300).stdout)


def test_json(downhill):
    isa = json.loads(downhill("info", "--json").stdout)["isas"]
    isa = isa[len(isa) // 2]  # neither the best nor, on most machines, the scalar one
    rows = figures(downhill, "xor", "nielsen", "--isa", isa)
    cores = len(os.sched_getaffinity(0))
    assert [list(row) for row in rows] == [KEYS] * len(rows)
    assert [row["case"] for row in rows] == (["xor", "xor", "nielsen", "nielsen"] if cores > 1 else ["xor", "nielsen"])
    assert {row["threads"] for row in rows} == {1, cores}
    for row in rows:
        assert row["isa"] == isa
        assert row["fraction"] == pytest.approx(row["gflops"] / row["peak_gflops"])
        assert 0 < row["fraction"] < 2 and row["us_per_step"] > 0


def test_operations_are_those_of_the_net(downhill):
    """2 inputs, 4 units, 1 output: 12 weights up and 12 for their gradient, 4 for the hidden units'; twice each."""
    row, = figures(downhill, "xor", "--threads", "1")
    assert row["gflops"] * row["us_per_step"] * 1e3 == pytest.approx(2 * (12 + 12 + 4))


def test_threads(downhill):
    assert [row["threads"] for row in figures(downhill, "xor", "--threads", "1")] == [1]


def test_words(downhill):
    lines = downhill("bench", "xor", "--threads", "1").stdout.splitlines()
    assert lines[0].split() == ["case", "threads", "us", "a", "step", "GFLOP/s", "peak", "fraction"]
    assert lines[1].split()[:2] == ["xor", "1"] and len(lines) == 2


def test_unknown_case(downhill):
    said = downhill.refuse(USAGE, "bench", "xro")
    assert "there is no case 'xro'; there are xor, nielsen, digits, wide, lenet, table" in said


def test_leaves_nothing_behind(downhill, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    downhill("bench", "digits", "--threads", "1", TMPDIR=str(scratch), timeout=300)
    assert list(scratch.iterdir()) == []


def test_digits_take_little_memory(fact):
    """Under twice the 47 MB that its images are. (The system counts what a process was forked from; VmHWM doesn't.)"""
    process = subprocess.Popen([support.command(), "bench", "digits", "--threads", "1"], stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            break
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        if found and pathlib.Path(f"/proc/{process.pid}/comm").read_text(encoding="ascii") == "downhill\n":
            peak = int(found[1]) * 1024
        time.sleep(0.02)
    assert process.wait() == 0
    fact("peak memory of bench digits", f"{peak / 1e6:.0f} MB")
    assert 60000 * 784 < peak < 2 * 60000 * 784


def test_starts_at_once(fact):
    times = []
    for _ in range(21):
        begin = time.perf_counter()
        subprocess.run([support.command(), "--help"], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begin)
    fact("downhill --help", f"{statistics.median(times) * 1e3:.1f} ms")
    assert statistics.median(times) < 0.010
