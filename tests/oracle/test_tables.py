"""Real tables: `train DATA --target COL` with no other flag against scikit-learn's default nets and a constant answer.

They run where DOWNHILL_DATA names a folder with the tables (in it or in its folder tables) that rivals.FILES lists.
"""
import os
import pathlib

import numpy
import pytest

import support
from rivals import FILES, ours, table, theirs, verdict

DATA = pathlib.Path(os.environ.get("DOWNHILL_DATA", "")) / "tables"
pytestmark = [
    pytest.mark.skipif("DOWNHILL_DATA" not in os.environ, reason="DOWNHILL_DATA names no folder with the tables"),
    pytest.mark.serial,
]

# Split seeds; small test parts need more splits to tell anything. Adult has test rows of its own.
SPLITS = {"titanic": range(1, 6), "winequality-white": range(1, 4), "california-housing": (1,), "adult": (1,)}


@pytest.mark.parametrize("name", FILES)
def test_as_good_as_scikit_learn(tmp_path, name, fact):
    verdicts, seconds = [], []
    for seed in SPLITS[name]:
        made = table(name, DATA, seed)
        truth = made.answers(made.test)
        got = ours(support.command().absolute(), made, tmp_path)
        if made.task == "classes":
            assert set(got.values) <= set(made.answers(made.train)), "names that no training row has"
            assert got.columns[1:] == [f"p({k})" for k in sorted(set(made.answers(made.train)))]
            assert got.eval["accuracy"] == pytest.approx((got.values == truth).mean(), abs=1.5 / len(truth))
        else:
            assert got.columns == ["prediction"]
            assert abs(got.values.mean() / truth.mean() - 1) < 0.05, "not in the target's unit"
            assert got.eval["rmse"] == pytest.approx(numpy.sqrt(((got.values - truth) ** 2).mean()), rel=1e-5)
        verdicts.append(verdict(made, got.values, theirs(made, seed)))
        seconds.append(got.seconds)
    mean = {key: numpy.mean([getattr(v, key) for v in verdicts]) for key in ("ours", "theirs", "constant", "ahead")}
    fact(f"{name}, {len(verdicts)} splits", f"Downhill {mean['ours']:.5g}, scikit-learn {mean['theirs']:.5g}, a constant "
         f"{mean['constant']:.5g}; ahead by {mean['ahead']:+.2f} standard errors; {max(seconds):.1f} s")
    assert min(v.above for v in verdicts) > 3, verdicts
    assert mean["ahead"] > -1, verdicts
    assert max(seconds) < 120
