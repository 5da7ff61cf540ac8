"""The sets that come with scikit-learn: Downhill's defaults against scikit-learn's default nets and a constant answer.

"At least as good within one standard error" is asked of the mean over some splits, so that no lucky split decides.
"""
import json

import numpy
import pytest

import support
from oracle import downhill
from rivals import BUNDLED, bundled, datasets, in_errors, ours, read_answers, split, theirs, verdict

SPLITS = range(1, 6)


@pytest.mark.parametrize("name", BUNDLED)
def test_as_good_as_scikit_learn(tmp_path, name, fact):
    verdicts = []
    for seed in SPLITS:
        made = bundled(name, seed)
        got = ours(support.command().absolute(), made, tmp_path)
        if made.task == "classes":
            assert got.eval["accuracy"] == pytest.approx((got.values == made.answers(made.test)).mean())
            assert got.columns == ["prediction"] + [f"p({k})" for k in got.eval["classes"]]
        else:
            assert got.eval["rmse"] == pytest.approx(numpy.sqrt(((got.values - made.answers(made.test)) ** 2).mean()), rel=1e-5)
        verdicts.append(verdict(made, got.values, theirs(made, seed)))
    mean = {key: numpy.mean([getattr(v, key) for v in verdicts]) for key in ("ours", "theirs", "constant", "ahead", "above")}
    fact(f"{name}, {len(SPLITS)} splits", f"Downhill {mean['ours']:.4g}, scikit-learn {mean['theirs']:.4g}, a constant "
         f"{mean['constant']:.4g}; ahead by {mean['ahead']:+.2f} standard errors")
    assert mean["above"] > 3, verdicts
    assert mean["ahead"] > -1, verdicts


def test_digits_as_images(tmp_path):
    """The same digits as bytes in NPY files: as good as the CSV file's numbers."""
    data = datasets.load_digits()
    train, test = split(range(len(data.target)), 1)
    for name, rows in (("train", train), ("test", test)):
        numpy.save(tmp_path / f"{name}.npy", (data.images[rows] * 15).astype("uint8"))
        numpy.save(tmp_path / f"{name}-labels.npy", data.target[rows])
    answer, talk = downhill(tmp_path, "train", "train.npy", "--targets", "train-labels.npy", "--out", "m.safetensors", "--json")
    assert answer["inputs"] == 64 and answer["outputs"] == 10, talk
    measured, _ = downhill(tmp_path, "eval", "m.safetensors", "test.npy", "--targets", "test-labels.npy", "--json")
    predicted, _ = downhill(tmp_path, "predict", "m.safetensors", "test.npy")
    values, columns = read_answers(predicted, "classes")
    right = values.astype(int) == data.target[test]
    assert columns == ["prediction"] + [f"p({k})" for k in range(10)]
    assert measured["accuracy"] == pytest.approx(right.mean()) and numpy.trace(measured["confusion"]) == right.sum()
    made = bundled("digits", 1)
    other = theirs(made, 1) == made.answers(made.test)
    assert in_errors(right.astype(float), other.astype(float)) > -1.5, (right.mean(), other.mean())


def test_npz_of_both_parts(tmp_path):
    """One NPZ file with training and test rows: train measures the test rows that eval measures."""
    data = datasets.load_wine()
    train, test = split(range(len(data.target)), 1)
    numpy.savez_compressed(tmp_path / "wine.npz", x_train=data.data[train], y_train=data.target[train], x_test=data.data[test],
                           y_test=data.target[test])
    answer, _ = downhill(tmp_path, "train", "wine.npz", "--json")
    measured, _ = downhill(tmp_path, "eval", "wine.safetensors", "wine.npz", "--json")
    assert measured["rows"] == len(test) and answer["test"]["accuracy"] == measured["accuracy"] > 0.9
    assert json.dumps(measured["classes"]) == '["0", "1", "2"]'
