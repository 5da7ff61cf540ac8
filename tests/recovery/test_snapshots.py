"""Snapshots of a descent: at which epochs, that they are its states, and that kills, ways back and full disks don't change them."""
import json
import math
import random
import signal

import pytest

import recovery_data
from command_line import CREATE, QUICK, USAGE
from descents import LOG, OUT, header, steps_of

FOLDER = "run.snapshots"
STEPS_OF_EPOCH = 4
WORDS = ["classes.csv", "--net", "6 tanh", "--epochs", 9, "--batch", 16, "--valid", "0.2", "--patience", 0, "--snapshots", 4]


@pytest.fixture
def ready(descents):
    descents.write("classes.csv", recovery_data.classes())
    return descents


def kept(ready, folder=FOLDER):
    """What is in the folder, by name."""
    return {path.name: path.read_bytes() for path in (ready.folder / folder).iterdir()}


def names(epochs):
    return [f"epoch-{epoch:06}.safetensors" for epoch in epochs]


def clear(ready):
    ready.clear()
    for path in [*ready.folder.glob("*.ckpt-*"), *(ready.folder / FOLDER).glob("*")]:
        path.unlink()
    if (ready.folder / FOLDER).exists():
        (ready.folder / FOLDER).rmdir()


@pytest.mark.parametrize("epochs, most", [(9, 4), (9, 9), (9, 100), (10, 3), (1, 5), (7, 1), (12, 5), (0, 3), (1200, 7)])
def test_which_epochs(ready, epochs, most):
    ready.train("classes.csv", "--net", "2 tanh", "--batch", "full", "--epochs", epochs, "--patience", 0, "--snapshots", most)
    every = max(1, math.ceil(epochs / most))
    expected = sorted({0, epochs, *range(0, epochs + 1, every)})
    assert sorted(kept(ready)) == names(expected) and len(expected) <= most + 1
    for name, epoch in zip(names(expected), expected):
        assert steps_of(ready.folder / FOLDER / name) == epoch


def test_none_unless_asked_for(ready):
    for words in ([], ["--snapshots", 0]):
        ready.train("classes.csv", *QUICK, *words)
        assert ready.files() == ["classes.csv", OUT, LOG]


def test_the_last_one_of_a_run_that_patience_ends(ready):
    ready.write("noise.csv", recovery_data.noise())
    words = ["noise.csv", "--net", "20 relu", "--epochs", 200, "--batch", 20, "--rate", "0.05", "--patience", 3, "--snapshots", 70]
    ready.train(*words)
    last = ready.log()[-1]
    assert last["stopped"] == "patience" and last["epoch"] % 3 and last["epoch"] > 3, "the test is wrong"
    assert sorted(kept(ready)) == names([*range(0, last["epoch"], 3), last["epoch"]])
    expected = kept(ready)
    clear(ready)
    ready.kill_at_the_end(*words)
    (ready.folder / FOLDER / names([last["epoch"]])[0]).unlink()
    ready.train(*words)
    assert kept(ready) == expected


def test_a_snapshot_is_the_state_of_that_moment(ready):
    """It answers as a model, --resume goes on from it to the end of the run, and --start begins with its weights."""
    ready.train(*WORDS)
    model, log = ready.result()
    ready.train(*WORDS[:-2], "--epochs", 3, "--out", "short.safetensors", "--log", "short.jsonl")
    taken = f"{FOLDER}/{names([3])[0]}"
    assert ready("predict", taken, "classes.csv").stdout == ready("predict", "short.safetensors", "classes.csv").stdout
    expected = kept(ready)
    ready.clear(OUT)
    assert f"step {3 * STEPS_OF_EPOCH} of" in ready.train(*WORDS, "--resume", taken).stderr
    assert ready.result() == (model, log) and kept(ready) == expected
    ready("train", *WORDS[:-2], "--epochs", 0, "--start", taken, "--out", "fork.safetensors")
    assert ready("predict", taken, "classes.csv").stdout == ready("predict", "fork.safetensors", "classes.csv").stdout


def test_the_same_files_after_a_kill_at_any_step(ready):
    ready.train(*WORDS)
    expected, result = kept(ready), ready.result()
    assert sorted(expected) == names([0, 3, 6, 9])
    files = 9 * STEPS_OF_EPOCH + 4
    for when in range(1, files + 1):
        clear(ready)
        code, said = ready.traced(f"/^rename:signal=SIGKILL:when={when}", *WORDS, "--checkpoint-every", 1)
        assert code == -signal.SIGKILL, said
        step = max(map(steps_of, ready.checkpoints()), default=-1)
        done = [epoch for epoch in (0, 3, 6, 9) if epoch * STEPS_OF_EPOCH <= step]
        assert set(names(done)) <= set(kept(ready)), "the checkpoint knows of a snapshot that isn't there"
        # What a kill leaves half written, and a later state of another run
        for name in ("epoch-000009.safetensors", "epoch-000010.safetensors", "epoch-000006.safetensors.tmp0"):
            if step < 9 * STEPS_OF_EPOCH:
                (ready.folder / FOLDER / name).write_bytes(b"torn")
        ready.train(*WORDS, "--threads", 2, "--isa", "scalar")
        assert kept(ready) == expected and ready.result() == result, when


@pytest.mark.parametrize("call", ["openat", "write", "fsync", "close", "/^rename", "/^unlink", "/^mkdir"])
def test_the_same_files_after_a_kill_at_every_system_call(ready, call):
    words = ["classes.csv", "--net", "2 tanh", "--epochs", 2, "--batch", 40, "--threads", 1, "--snapshots", 2]
    ready.train(*words)
    expected, result, when, code = kept(ready), ready.result(), 0, None
    while code != 0:
        when += 1
        clear(ready)
        code, said = ready.traced(f"{call}:signal=SIGKILL:when={when}", *words, "--checkpoint-every", 1)
        assert code in (0, -signal.SIGKILL), said
        ready.train(*words)
        assert kept(ready) == expected and ready.result() == result, when
    assert when > 2, "no such call: the test is wrong"


def test_what_stands_in_the_folder(ready):
    """Snapshots of another run go at a new start, whether that keeps some or not; nothing else is touched."""
    strangers = {"notes.txt": b"mine", "epoch-1.safetensors": b"short", "epoch-000001.safetensors.bak": b"kept",
                 "epoch-000003.safetensors.tmp": b"kept", "xepoch-000001.safetensors": b"mine", "epoch-00001x.safetensors": b"x"}
    theirs = {"epoch-000001.safetensors": b"old", "epoch-1234567.safetensors": b"old", "epoch-000002.safetensors.tmp3": b"torn"}
    for words, left in ((WORDS, names([0, 3, 6, 9])), (WORDS[:-2], [])):
        for name, content in {**strangers, **theirs}.items():
            ready.write(f"{FOLDER}/{name}", content)
        ready.train(*words)
        found = kept(ready)
        assert {name: found.get(name) for name in strangers} == strangers
        assert sorted(set(found) - set(strangers)) == left
    # without a log no folder is anybody's
    ready.write(f"{FOLDER}/epoch-000001.safetensors", b"old")
    ready("train", "classes.csv", *QUICK, "--out", OUT)
    assert (ready.folder / FOLDER / "epoch-000001.safetensors").read_bytes() == b"old"


def test_another_name_of_the_log(ready):
    for log, folder in (("a.log", "a.log.snapshots"), ("b.jsonl", "b.snapshots"), ("far/c.jsonl", "far/c.snapshots")):
        (ready.folder / "far").mkdir(exist_ok=True)
        ready.train(*WORDS, "--log", log)
        assert sorted(kept(ready, folder)) == names([0, 3, 6, 9])


GOES_BACK = {"late": ["--rate", 20, "--warmup", 6], "from the middle": ["--rate", 6, "--warmup", 100, "--epochs", 100, "--valid", 0]}


@pytest.mark.parametrize("case", GOES_BACK)
def test_ways_back(ready, case):
    """What was taken of epochs that were gone back over is replaced, in a run that is killed there as in one that isn't."""
    ready.write("numbers.csv", recovery_data.numbers(scale=100))
    words = ["numbers.csv", "--net", "8 relu", "--rule", "sgd", "--scale", "none", "--epochs", 12, "--batch", 16, "--patience", 0,
             *GOES_BACK[case], "--snapshots", 1000]
    ready.train(*words)
    expected, result = kept(ready), ready.result()
    rows = result[1][1:-1]
    back = [i for i, row in enumerate(rows) if "rollback" in row]
    epochs = rows[-1]["epoch"]
    steps = rows[-1]["step"] // epochs
    assert back and sorted(expected) == names(range(epochs + 1))
    over = [row for row in (rows[i] for i in back) if row["step"] > steps and row["to"] // steps < (row["step"] - 1) // steps]
    assert over, "no epoch is gone back over: the test is wrong"
    for epoch, name in enumerate(sorted(expected)):
        # the last line of the log that ends the epoch: how often it had gone back by then
        end = max((i for i, row in enumerate(rows) if row.get("step") == epoch * steps and "rollback" not in row), default=0)
        run = json.loads(header(ready.folder / FOLDER / name)["__metadata__"]["run"])
        assert run["ways_back"] == len([i for i in back if i < end]) and run["step"] == epoch * steps, name
    for when in random.Random(1).sample(range(1, len(rows)), 30):
        clear(ready)
        ended, _ = ready.traced(f"/^rename:signal=SIGKILL:when={when}", *words, "--checkpoint-every", 1)
        assert ended == -signal.SIGKILL
        ready.train(*words)
        assert kept(ready) == expected and ready.result() == result, when


def test_a_disk_that_refuses(ready):
    """Files that may grow as large as the model but no larger: said once, and the model is what it would be."""
    large = [*WORDS[:-2], "--net", "90 relu, 90 relu"]
    ready.train(*large)
    result, size = ready.result(), (ready.folder / OUT).stat().st_size
    assert size > (ready.folder / LOG).stat().st_size
    process = ready.start(*large, *WORDS[-2:], "--checkpoint-every", 0, before=["prlimit", f"--fsize={size + 512}"])
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    warnings = [line for line in said.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1 and "no snapshot" in warnings[0] and names([0])[0] in said and "File too large" in said, said
    assert ready.result() == result and not kept(ready)


def test_what_cannot_be_kept_is_refused_before_the_first_step(ready):
    words = ["train", "classes.csv", *QUICK, "--out", OUT]
    assert "--log" in ready.refuse(USAGE, *words, "--snapshots", 3)
    for count in ("-1", "x", "", "3.5", "9999999", "99999999999999999999"):
        assert f"--snapshots {count}" in ready.refuse(USAGE, *words, "--log", LOG, "--snapshots", count)
    assert "no plain file" in ready.refuse(USAGE, *words, "--log", "/dev/null", "--snapshots", 3)
    assert "--out" in ready.refuse(USAGE, *words[:-1], FOLDER, "--log", LOG, "--snapshots", 3)
    ready.write(FOLDER, "a file")
    assert "is no folder" in ready.refuse(CREATE, *words, "--log", LOG, "--snapshots", 3)
    (ready.folder / FOLDER).unlink()
    ready.train(*WORDS)
    expected = kept(ready)
    assert "would replace" in ready.refuse(USAGE, *words, "--log", LOG, "--start", f"./{FOLDER}/{names([3])[0]}")
    assert kept(ready) == expected
