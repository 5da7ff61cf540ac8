"""Threads never make a step slower: the sweep of bench/threads.c, in a small."""
import os
import re

import pytest

from support import ONE_LINE_LIBS, ROOT, build, run


@pytest.mark.long
@pytest.mark.serial
def test_sweep(tmp_path, fact):
    """What is computed by one thread either way differs by a few percent, too, on a machine that others share."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("one core: nothing to compare")
    archive = build("gcc") / "libdownhill.a"
    zlib = ["-lz"] if "inflate" in run(["nm", archive]).stdout else []
    run(["cc", "-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}", ROOT / "bench/threads.c", archive, *zlib,
         *ONE_LINE_LIBS, "-o", tmp_path / "threads"])
    said = run([tmp_path / "threads", "8", "256"]).stdout
    last = said.splitlines()[-1]
    fact("threads", last)
    nets, worst, median, over = re.fullmatch(
        r"(\d+) nets, 8 threads over 1: worst ([\d.]+), median ([\d.]+), (\d+) over 1\.05", last).groups()
    assert float(median) < 1.01 and int(over) <= int(nets) / 40 and float(worst) < 1.25, said
