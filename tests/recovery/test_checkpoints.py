"""Checkpoints as files: models that open, two of them, whose they are, what happens to those of others and to damaged ones."""
import json
import os
import random
import re
import shutil
import signal
import time

import pytest

import recovery_data
from command_line import CREATE, DATA, INPUT, IO, USAGE
from descents import LOG, OUT, header, steps_of, tensors

WORDS = ["classes.csv", "--net", "6 tanh", "--epochs", 5, "--batch", 16, "--valid", 0]
STEPS_OF_EPOCH = 4


@pytest.fixture
def ready(descents):
    descents.write("classes.csv", recovery_data.classes())
    return descents


def went_on(done):
    return [line for line in done.stderr.splitlines() if line.startswith("resumed ")]


def whole(ready, *words):
    """Model and log of the uninterrupted run."""
    assert not went_on(ready.train(*words, "--fresh", "--out", "whole.safetensors", "--log", "whole.jsonl"))
    first, *rest = ready.log("whole.jsonl")
    return (ready.folder / "whole.safetensors").read_bytes(), [{**first, "model": OUT}, *rest]


@pytest.mark.parametrize("rule", ["sgd", "adamw"])
@pytest.mark.parametrize("valid", ["0", "0.2"])
def test_a_checkpoint_is_the_model_of_that_moment(ready, rule, valid):
    words = [*WORDS, "--rule", rule, "--valid", valid, "--patience", 0]
    for epoch in (1, 3):
        ready.clear()
        ready.train(*words, "--epochs", epoch)
        (ready.folder / OUT).rename(ready.folder / "short.safetensors")
        ready.kill_after(epoch * STEPS_OF_EPOCH, *words)
        name = ready.checkpoints()[0].name
        for verb in ("predict", "eval"):
            short, made = (ready(verb, model, "classes.csv").stdout for model in ("short.safetensors", name))
            assert short == made
        assert json.loads(ready("info", name, "--json").stdout)["steps"] == epoch * STEPS_OF_EPOCH
        ready("info", name)
        ready("check", name, "classes.csv")


def test_start_takes_a_checkpoint(ready):
    ready.kill_after(8, *WORDS)
    name = shutil.copy(ready.checkpoints()[0], ready.folder / "kept.safetensors").name
    ready.clear()
    ready.train(*WORDS, "--epochs", 0, "--start", name)
    assert ready("predict", OUT, "classes.csv").stdout == ready("predict", name, "classes.csv").stdout


def test_the_last_two_are_kept(ready):
    expected = whole(ready, *WORDS)
    for kill in (2, 3, 4, 7):
        code, _ = ready.traced(f"/^rename:signal=SIGKILL:when={kill}", *WORDS, "--checkpoint-every", 3, "--fresh")
        assert code == -signal.SIGKILL
        steps = [steps_of(path) for path in ready.checkpoints()]
        assert steps == [3 * (kill - 1), 3 * (kill - 2)][:kill - 1]
        assert len({path.name.split(".ckpt-")[0] for path in ready.checkpoints()}) == 1
        assert re.fullmatch(r"m\.safetensors\.[0-9a-f]{16}\.ckpt-[12]", ready.checkpoints()[0].name)
        said = went_on(ready.train(*WORDS))
        assert re.search(rf"step {steps[0]} of 20\b", said[0]), "the newest one isn't the one that is gone on from"
        assert ready.result() == expected


def test_success_leaves_the_model_only(ready):
    first = ready.train(*WORDS, "--checkpoint-every", 1)
    assert ready.files() == ["classes.csv", OUT, LOG]
    expected = ready.result()
    again = ready.train(*WORDS, "--checkpoint-every", 1)
    assert not went_on(first) and not went_on(again)
    assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]
    ready.kill_after(5, *WORDS, "--fresh")
    ready.train(*WORDS)
    assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]


def changes(ready):
    """Name and words of trainings that differ from WORDS in one thing; the files are changed as they are asked for."""
    table = recovery_data.classes()
    for words in (["--rate", "0.5"], ["--net", "7 tanh"], ["--seed", 2], ["--epochs", 6], ["--batch", 15], ["--rule", "sgd"],
                  ["--order", "file"], ["--scale", "none"], ["--valid", "0.3"], ["--patience", 1], ["--schedule", "cosine"],
                  ["--decay", "0.02"], ["--beta1", "0.8"], ["--init", "he"], ["--target", "colour"], ["--on-divergence", "stop"]):
        yield [*WORDS, *words]
    *rest, last = table.splitlines()
    for changed in ("\n".join([*rest, last.rsplit(",", 1)[0]]) + ("," + "birch" if last.endswith("ash") else ",ash") + "\n", table + "1,1,red,ash\n", table.replace("1", "2", 1),
                    "\n".join([*rest[:-1], last, rest[-1]]) + "\n", table.replace("kind", "wood", 1)):
        ready.write("classes.csv", changed)
        yield WORDS
    ready.write("classes.csv", table)


def test_another_recipe_or_other_data_starts_anew(ready):
    """And leaves the checkpoint to the run that it belongs to, which goes on from it afterwards."""
    expected = whole(ready, *WORDS)
    ready.kill_after(6, *WORDS)
    kept = {path: path.read_bytes() for path in ready.checkpoints()}
    for words in changes(ready):
        theirs = whole(ready, *words)
        assert not went_on(ready.train(*words, "--checkpoint-every", 2)), words
        assert ready.result() == theirs
        assert {path: path.read_bytes() for path in ready.checkpoints()} == kept, words
    # The others wrote over its log, so only the model can be the same.
    assert went_on(ready.train(*WORDS)) and (ready.folder / OUT).read_bytes() == expected[0]
    assert not ready.checkpoints()


@pytest.mark.parametrize("flag, content, other", [
    ("--valid", recovery_data.numbers(15, seed=8), recovery_data.numbers(15, seed=9)),
    ("--targets", "y\n" + "".join(f"{i % 7}\n" for i in range(61)), "y\n" + "".join(f"{i % 8}\n" for i in range(61))),
    ("--recipe", "rate=0.01\n", "rate=0.02\n"),
], ids=["valid", "targets", "recipe"])
def test_other_files_behind_the_same_names_start_anew(ready, flag, content, other):
    ready.write("numbers.csv", recovery_data.numbers())
    ready.write("more", content)
    words = ["numbers.csv", "--net", "4 relu", "--epochs", 4, "--batch", 16, "--task", "numbers", flag, "more"]
    ready.kill_after(5, *words)
    ready.write("more", other)
    expected = whole(ready, *words)
    assert not went_on(ready.train(*words)) and ready.result() == expected
    assert ready.checkpoints(), "the other run's checkpoint is gone"


def test_other_start_weights_start_anew(ready):
    for name, seed in (("start", 1), ("other", 2)):
        ready.train(*WORDS, "--seed", seed, "--epochs", 1, "--out", f"{name}.safetensors")
    words = [*WORDS, "--start", "start.safetensors"]
    ready.kill_after(5, *words)
    shutil.copy(ready.folder / "other.safetensors", ready.folder / "start.safetensors")
    expected = whole(ready, *words)
    assert not went_on(ready.train(*words)) and ready.result() == expected
    assert ready.checkpoints(), "the other run's checkpoint is gone"


def test_fresh(ready):
    expected = whole(ready, *WORDS)
    ready.kill_after(9, *WORDS)
    assert not went_on(ready.train(*WORDS, "--fresh"))
    assert ready.result() == expected and not ready.checkpoints()


def test_what_is_said_on_going_on(ready):
    ready.kill_after(9, *WORDS)
    name = ready.checkpoints()[0].name
    said = went_on(ready.train(*WORDS))
    assert len(said) == 1 and name in said[0] and re.search(r"\b9\b", said[0]), said


def test_resume_from_a_file(ready):
    """Knobs that aren't given come from the file; the file itself is left alone."""
    expected = whole(ready, *WORDS)
    ready.kill_after(9, *WORDS, "--valid", 0)
    kept = shutil.copy(ready.checkpoints()[0], ready.folder / "kept")
    ready.clear()
    content = kept.read_bytes()
    for words in (["classes.csv"], WORDS, ["classes.csv", "--net", "6 tanh"]):
        assert went_on(ready.train(*words, "--resume", "kept"))
        assert ready.result()[0] == expected[0]
        assert kept.read_bytes() == content and not ready.checkpoints()
        ready.clear()


def test_resume_from_its_own_checkpoint(ready):
    expected = whole(ready, *WORDS)
    ready.kill_after(9, *WORDS)
    assert went_on(ready.train("classes.csv", "--resume", ready.checkpoints()[0].name))
    assert ready.result() == expected and not ready.checkpoints()


@pytest.mark.parametrize("flag, value, was", [
    ("rate", "0.5", "0.001"), ("net", "7 tanh", "6 tanh"), ("seed", "2", "1"), ("epochs", "6", "5"), ("batch", "15", "16"),
    ("rule", "sgd", "adamw"), ("schedule", "cosine", "constant"), ("order", "file", "shuffled"), ("valid", "0.2", "0"),
    ("target", "colour", "kind"), ("scale", "none", "standard"), ("cost", "squared", "cross-entropy"), ("init", "zero", "glorot")])
def test_resume_refuses_another_recipe(ready, flag, value, was):
    ready.kill_after(9, *WORDS)
    kept = shutil.copy(ready.checkpoints()[0], ready.folder / "kept")
    said = ready.refuse(DATA, *ready.words(["classes.csv", f"--{flag}", value, "--resume", kept.name]))
    assert kept.name in said and flag in said and value in said and was in said, said


def test_resume_names_every_field_that_differs(ready):
    ready.kill_after(9, *WORDS)
    shutil.copy(ready.checkpoints()[0], ready.folder / "kept")
    ready.write("classes.csv", recovery_data.classes(seed=6))
    said = ready.refuse(DATA, *ready.words(["classes.csv", "--rate", "0.5", "--seed", 7, "--resume", "kept"]))
    for word in ("rate", "0.5", "0.001", "seed", "7", "data"):
        assert word in said, said


def test_resume_refuses_what_is_no_checkpoint(ready):
    ready.train(*WORDS, "--out", "model.safetensors")
    ready.clear(LOG)
    ready.write("text", "hello")
    for name, code in (("model.safetensors", DATA), ("text", DATA), ("classes.csv", DATA), (".", DATA), ("nothing", INPUT)):
        assert name in ready.refuse(code, *ready.words([*WORDS, "--resume", name]))


def damages(content, count, seed):
    """Names and contents of files that began as `content`."""
    draw = random.Random(seed)
    yield "empty", b""
    yield "one byte less", content[:-1]
    yield "one byte more", content + b"\0"
    yield "half", content[:len(content) // 2]
    yield "zeros", bytes(len(content))
    yield "tail of zeros", content[:len(content) // 2] + bytes(len(content) - len(content) // 2)
    yield "garbage", draw.randbytes(len(content))
    yield "text", b"hello\n"
    for _ in range(count):
        cut = draw.randrange(len(content))
        yield f"cut at {cut}", content[:cut]
        bit = draw.randrange(8 * len(content))
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield f"bit {bit % 8} of byte {bit // 8}", bytes(changed)


@pytest.mark.parametrize("kill, older_step", [(3, 6), (4, 12)])
def test_a_damaged_checkpoint_is_as_none(ready, kill, older_step):
    """The other one is taken, and where both are damaged the run starts anew and says so: the bytes at the end are right."""
    expected = whole(ready, *WORDS)
    code, _ = ready.traced(f"/^rename:signal=SIGKILL:when={kill}", *WORDS, "--checkpoint-every", 6)
    assert code == -signal.SIGKILL
    kept = [(path, path.read_bytes()) for path in ready.checkpoints()]
    log = (ready.folder / LOG).read_bytes()
    for (name, newest), (_, older) in zip(damages(kept[0][1], 20, seed=1), damages(kept[1][1], 20, seed=2)):
        for second in (kept[1][1], older):
            ready.write(kept[0][0].name, newest)
            ready.write(kept[1][0].name, second)
            ready.write(LOG, log)
            done = ready.train(*WORDS)
            said = went_on(done)
            assert bool(said) == (second is not older), (name, done.stderr)
            if said:
                assert f"step {older_step} of 20" in said[0], (name, done.stderr)
            else:
                assert "anew" in done.stderr, (name, done.stderr)
            assert ready.result() == expected, name
            ready.clear(OUT, LOG)
            assert not ready.checkpoints(), name


def test_a_damaged_file_is_refused(ready):
    ready.kill_after(9, *WORDS)
    for name, content in damages(ready.checkpoints()[0].read_bytes(), 30, seed=3):
        ready.write("kept", content)
        assert "kept" in ready.refuse(DATA, *ready.words([*WORDS, "--resume", "kept"])), name
        ready.clear()


@pytest.mark.long
def test_every_bit_of_a_checkpoint_counts(ready):
    words = ["classes.csv", "--net", "1 tanh", "--batch", "full", "--epochs", 3, "--valid", 0, "--rule", "sgd"]
    ready.kill_after(1, *words)
    content = ready.checkpoints()[0].read_bytes()
    ready.clear()
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        ready.write("kept", bytes(changed))
        ready.refuse(DATA, *ready.words([*words, "--resume", "kept"]))


def test_a_checkpoint_that_cannot_be_read_is_not_written_over(ready):
    """It may be as good as ever: nothing is begun anew because a disk has hiccups or a file belongs to another user."""
    expected = whole(ready, *WORDS)
    ready.kill_after(9, *WORDS)
    path = ready.checkpoints()[0]
    content, log = path.read_bytes(), (ready.folder / LOG).read_bytes()
    for call, reason in (("openat", "EACCES"), ("openat", "EIO"), ("read", "EIO")):
        code, said = ready.traced(f"{call}:error={reason}", *WORDS, "--checkpoint-every", 1, path=path.name)
        assert code in (INPUT, IO) and path.name in said.splitlines()[-1] and "--fresh" in said, (code, said)
        assert path.read_bytes() == content and (ready.folder / LOG).read_bytes() == log
    assert went_on(ready.train(*WORDS)) and ready.result() == expected


def test_a_checkpoint_in_the_way_of_a_folder(ready):
    """What stands at a checkpoint's name and is none (a folder, a link to nowhere) doesn't end a training."""
    expected = whole(ready, *WORDS)
    ready.kill_after(9, *WORDS)
    path = ready.checkpoints()[0]
    other = path.with_name(path.name[:-1] + ("1" if path.name.endswith("2") else "2"))
    other.mkdir()
    ready.train(*WORDS, "--checkpoint-every", 1)
    assert ready.result() == expected
    assert other.is_dir()


@pytest.mark.parametrize("value", ["-1", "x", "", "s", "1.5", "3m", "1 s", "s1", "99999999999999999999", "nan", "inf", "1e3", "0x10"])
def test_bad_intervals(ready, value):
    assert "--checkpoint-every" in ready.refuse(USAGE, *ready.words([*WORDS, f"--checkpoint-every={value}"]))


def test_none_are_written_where_none_are_wanted(ready):
    for words in ([], ["--checkpoint-every", 0], ["--checkpoint-every", "0s"], ["--checkpoint-every", 100], ["--checkpoint-every", "9s"]):
        code, _ = ready.traced("/^rename:signal=SIGKILL:when=2", *WORDS, *words)
        assert code == 0, f"{words}: something was renamed besides the model"


def test_who_wants_none_goes_on_from_one_all_the_same(ready):
    expected = whole(ready, *WORDS)
    ready.kill_after(9, *WORDS)
    assert went_on(ready.train(*WORDS, "--checkpoint-every", 0)) and ready.result() == expected
    assert not ready.checkpoints()


def test_seconds(ready):
    process = ready.start("classes.csv", "--net", "6 tanh", "--epochs", 10**9, "--patience", 0, "--checkpoint-every", "1s")
    end = time.monotonic() + 60
    while len(ready.checkpoints()) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    first, second = [path.stat().st_mtime for path in ready.checkpoints()]
    assert abs(first - second) > 0.9


@pytest.mark.long
def test_every_half_minute_by_default(ready):
    begin = time.time()
    process = ready.start("classes.csv", "--net", "6 tanh", "--epochs", 10**9, "--patience", 0)
    end = time.monotonic() + 90
    while not ready.checkpoints() and time.monotonic() < end:
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert 29 < ready.checkpoints()[0].stat().st_mtime - begin < 60


def test_devices_get_no_checkpoints(ready):
    """A model never goes to a device, and nothing is made beside one."""
    for out in ("/dev/null", "/dev/stdout", "/dev/full"):
        before = sorted(os.listdir("/dev"))
        ready.refuse(CREATE, *ready.words([*WORDS, "--out", out, "--checkpoint-every", 1]))
        assert sorted(os.listdir("/dev")) == before


def test_a_model_behind_a_link(ready):
    expected = whole(ready, *WORDS)
    (ready.folder / "far").mkdir()
    shutil.copy(ready.folder / "whole.safetensors", ready.folder / "far/real.safetensors")
    (ready.folder / OUT).symlink_to("far/real.safetensors")
    ready.traced("/^rename:signal=SIGKILL:when=2", *WORDS, "--checkpoint-every", 9)
    assert went_on(ready.train(*WORDS))
    assert (ready.folder / OUT).is_symlink() and ready.result() == expected
    assert not list(ready.folder.rglob("*.ckpt-*")) and not list(ready.folder.rglob("*.tmp*"))


def test_a_model_in_another_folder(ready):
    expected = whole(ready, *WORDS)
    (ready.folder / "a b").mkdir()
    words = [*WORDS, "--out", "a b/m.safetensors"]
    ready.traced("/^rename:signal=SIGKILL:when=2", *words, "--checkpoint-every", 9)
    assert list((ready.folder / "a b").glob("*.ckpt-1"))
    assert went_on(ready.train(*words))
    assert (ready.folder / "a b/m.safetensors").read_bytes() == expected[0]
    assert os.listdir(ready.folder / "a b") == ["m.safetensors"]


def test_stale_temporary_files(ready):
    """Ours are removed, at the start and at the end; those of others and files that only look alike stay."""
    ready.kill_after(9, *WORDS)
    stale = [path.name for path in ready.folder.glob("*.tmp*")]
    assert len(stale) == 1
    ready.write(f"{OUT}.tmp0", "a model half written")
    ready.write("other.safetensors.tmp0", "another's")
    ready.write(f"{OUT}.tmp", "a person's own")
    ready.write(f"{OUT}.tmp1.bak", "a person's own")
    ready.train(*WORDS)
    assert ready.files() == sorted(["classes.csv", OUT, LOG, "other.safetensors.tmp0", f"{OUT}.tmp", f"{OUT}.tmp1.bak"])


def test_the_permissions_of_a_model_stay(ready):
    ready.train(*WORDS, "--seed", 2)
    (ready.folder / OUT).chmod(0o640)
    ready.kill_after(9, *WORDS)
    ready.train(*WORDS)
    assert (ready.folder / OUT).stat().st_mode & 0o777 == 0o640


def test_what_a_model_says_is_not_what_a_checkpoint_says(ready):
    """run.* is the checkpoint's alone; its own tensors are those of the model, in the same order."""
    ready.kill_after(9, *WORDS)
    made = header(ready.checkpoints()[0])
    ready.train(*WORDS)
    model = header(ready.folder / OUT)
    assert [name for name in made if not name.startswith("run.")] == list(model)
    assert "run" in made["__metadata__"] and "run" not in model["__metadata__"]
    assert not any(name.startswith("run.") for name in model)
    assert {key: value for key, value in made["__metadata__"].items() if key in ("recipe", "encoder", "format", "arith", "rows")} == {
        key: value for key, value in model["__metadata__"].items() if key in ("recipe", "encoder", "format", "arith", "rows")}
    assert all(array.size for array in tensors(ready.folder / OUT).values())


def test_two_at_once(ready):
    """The same command twice at the same time: the model is right all the same, and nothing is left behind."""
    words = ["classes.csv", "--net", "6 tanh", "--epochs", 60, "--batch", 16, "--checkpoint-every", 1]
    expected = whole(ready, *words)[0]
    for _ in range(3):
        both = [ready.start(*words, "--log", name) for name in ("a.jsonl", "b.jsonl")]
        said = [process.communicate(timeout=120) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert (ready.folder / OUT).read_bytes() == expected
        ready.clear("whole.safetensors", "whole.jsonl")
        assert ready.files() == ["a.jsonl", "b.jsonl", "classes.csv", OUT]


def test_data_that_was_copied_and_written_again_is_the_same(ready):
    """What counts is what is in it, not its time or its name."""
    expected = whole(ready, *WORDS)[0]
    ready.kill_after(9, *WORDS)
    ready.write("classes.csv", recovery_data.classes())
    os.utime(ready.folder / "classes.csv", (1, 1))
    assert went_on(ready.train(*WORDS)) and (ready.folder / OUT).read_bytes() == expected


def test_an_interval_is_no_knob(ready):
    ready.write("my.recipe", "checkpoint-every=5\n")
    assert "checkpoint-every" in ready.refuse(USAGE, *ready.words([*WORDS, "--recipe", "my.recipe"]))


def test_an_older_model_stays_until_the_new_one_is_there(ready):
    ready.train(*WORDS, "--seed", 2)
    old = (ready.folder / OUT).read_bytes()
    ready.kill_after(9, *WORDS)
    assert (ready.folder / OUT).read_bytes() == old
    assert went_on(ready.train(*WORDS)) and (ready.folder / OUT).read_bytes() != old


def test_a_name_too_long_to_be_saved(ready):
    """Its temporary file would have one that no file system takes: found before training."""
    assert "too long" in ready.refuse(CREATE, *ready.words([*WORDS, "--out", "x" * 241 + ".safetensors"]))


def test_a_name_too_long_for_a_checkpoint(ready):
    """A model of that name can be saved, a checkpoint can't: said once, and trained all the same."""
    out = "x" * 228 + ".safetensors"
    done = ready.train(*WORDS, "--checkpoint-every", 1, "--out", out)
    assert done.stderr.count("File name too long") == 1, done.stderr
    assert ready.files() == sorted(["classes.csv", LOG, out])


def test_checkpoints_that_somebody_takes_away(ready):
    words = ["classes.csv", "--net", "6 tanh", "--epochs", 3000, "--batch", 16, "--patience", 0, "--checkpoint-every", 50]
    expected = whole(ready, *words)
    process = ready.start(*words)
    while process.poll() is None:
        for path in ready.folder.glob("*.ckpt-*"):
            path.unlink(missing_ok=True)
        time.sleep(0.01)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert ready.result() == expected and not list(ready.folder.glob("*.ckpt-*"))
