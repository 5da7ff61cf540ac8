"""SIGKILL at random moments and at every system call: there is always a checkpoint that opens, never old, and the end is the same."""
import random
import re
import signal
import time

import pytest

import recovery_data
from command_line import DATA
from descents import LOG, OUT, steps_of

# About a quarter of a second, most of it checkpoints; fewer than a thousand steps, so that the log has each.
WORDS = ["classes.csv", "--net", "12 relu, 8 relu", "--epochs", 190, "--batch", 16, "--patience", 0, "--schedule", "cosine",
         "--checkpoint-every", 1]


def last_logged(descents):
    """The last step of the log; a line that the kill cut off doesn't count."""
    path = descents.folder / LOG
    if not path.exists():
        return 0
    *whole, _ = path.read_bytes().split(b"\n")
    return len(whole) - 1


def check_what_is_left(descents, reached):
    """After a kill: nothing but what is known, a checkpoint as new as the log, and both open. Gives the newest one's step."""
    files = set(descents.files())
    checkpoints = descents.checkpoints()
    strays = files - {"classes.csv", OUT, LOG} - {path.name for path in checkpoints}
    assert len(strays) <= 1 and all(".tmp" in name for name in strays), files
    if not checkpoints:
        assert reached == 0, "there was a checkpoint, and now there is none"
        return 0
    for path in checkpoints:
        descents("info", path.name)
    steps = [steps_of(path) for path in checkpoints]
    assert steps[0] >= reached, "an older checkpoint than before"
    assert len(steps) == 1 or steps[0] - steps[1] == 1, steps
    assert 0 <= last_logged(descents) - steps[0] <= 1, "the newest checkpoint is older than an interval"
    return steps[0]


def finish(process):
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    return said


def kill_many(descents, kills, seed):
    """Kills and goes on; a new run begins where one ends. Gives runs finished and the longest chain of kills in one."""
    descents.write("classes.csv", recovery_data.classes())
    began = time.monotonic()
    descents.train(*WORDS)
    length = time.monotonic() - began
    expected = descents.result()
    descents.clear()
    draw = random.Random(seed)
    done = finished = chain = longest = reached = 0
    while done < kills:
        process = descents.start(*WORDS)
        time.sleep(draw.random() ** 2 * length / 2)
        process.kill()
        said = process.communicate()[1]
        assert ("resumed" in said) <= (reached > 0)
        if process.returncode == 0:
            assert descents.result() == expected and descents.files() == ["classes.csv", OUT, LOG]
            descents.clear()
            finished, chain, reached = finished + 1, 0, 0
            continue
        assert process.returncode == -signal.SIGKILL, said
        done, chain = done + 1, chain + 1
        longest = max(longest, chain)
        if (descents.folder / OUT).exists():
            # Killed between the model and the removal of checkpoints: all is there.
            assert (descents.folder / OUT).read_bytes() == expected[0]
            descents.train(*WORDS)
            assert descents.result() == expected and descents.files() == ["classes.csv", OUT, LOG]
            descents.clear()
            finished, chain, reached = finished + 1, 0, 0
            continue
        reached = check_what_is_left(descents, reached)
    finish(descents.start(*WORDS))
    assert descents.result() == expected and descents.files() == ["classes.csv", OUT, LOG]
    return finished + 1, longest


def test_kills_at_random_moments(descents, fact):
    finished, longest = kill_many(descents, 200, seed=1)
    fact("kills at random moments", f"200, {finished} runs finished all the same, the longest after {longest} kills")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 6))
def test_many_kills_at_random_moments(descents, fact, seed):
    finished, longest = kill_many(descents, 500, seed)
    fact(f"kills at random moments, seed {seed}", f"500, {finished} runs finished all the same, the longest after {longest} kills")


@pytest.mark.long
@pytest.mark.parametrize("command_build", ["asan"], indirect=True)
def test_many_kills_under_the_sanitizers(descents):
    kill_many(descents, 200, seed=9)


CALLS = ["openat", "write", "fsync", "ftruncate", "close", "/^rename", "/^unlink"]
SHORT = ["classes.csv", "--net", "2 tanh", "--epochs", 2, "--batch", 40, "--threads", 1]


def kill_at_every(descents, call, prepare, *words):
    """Kills before the first such call, before the second, ... until a run has no more; yields after each kill."""
    when = 0
    while True:
        descents.clear()
        prepare()
        when += 1
        code, said = descents.traced(f"{call}:signal=SIGKILL:when={when}", *words)
        assert code in (0, -signal.SIGKILL), said
        yield when
        if code == 0:
            return


@pytest.mark.parametrize("older", [False, True], ids=["", "over an older model"])
@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_every_system_call(descents, fact, call, older):
    """Before each call of a short run that touches a file, from the first to the last."""
    descents.write("classes.csv", recovery_data.classes())
    descents.train(*SHORT, "--seed", 2)
    old = (descents.folder / OUT).read_bytes() if older else None
    descents.train(*SHORT)
    expected, reached = descents.result(), 0
    for when in kill_at_every(descents, call, lambda: older and descents.write(OUT, old), *SHORT, "--checkpoint-every", 1):
        steps = [steps_of(path) for path in descents.checkpoints()]
        model = (descents.folder / OUT).read_bytes() if (descents.folder / OUT).exists() else None
        assert model in (old, expected[0]), when
        assert model == expected[0] or max(steps, default=0) >= reached, when
        reached = max(steps, default=reached)
        assert all(re.fullmatch(rf"classes.csv|{LOG}|{OUT}(\.\w{{16}}\.ckpt-[12])?(\.tmp0)?", name) for name in descents.files())
        done = descents.train(*SHORT)
        assert ("resumed" in done.stderr) == bool(steps), (when, done.stderr)
        assert descents.result() == expected, when
        assert descents.files() == ["classes.csv", OUT, LOG], when
    assert reached >= 3 or call == "ftruncate"
    if not older:
        fact(f"kills before each {call.strip('/^')}", f"all {when - 1} of a run of {expected[1][-1]['step']} steps")


@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_every_system_call_of_going_on(descents, call):
    """Cutting back the log, removing what is stale and ending: killed there, it goes on once more."""
    descents.write("classes.csv", recovery_data.classes())
    descents.train(*SHORT)
    expected = descents.result()
    for when in kill_at_every(descents, call, lambda: descents.kill_after(3, *SHORT), *SHORT):
        assert (descents.folder / OUT).exists() or descents.checkpoints()
        descents.train(*SHORT)
        assert descents.result() == expected, when
        assert descents.files() == ["classes.csv", OUT, LOG], when


def test_a_log_that_a_kill_cut_off(descents):
    """The end of a log in the middle of a line, or behind the checkpoint by many lines: it is cut back and whole again."""
    descents.write("classes.csv", recovery_data.classes())
    descents.train(*WORDS)
    expected = descents.result()
    for tail in (b'{"step":', b'{"step":9,"epoch":1}\n' * 5, b"\0" * 4096, b"", b"not a line of a log\n"):
        descents.clear()
        descents.kill_after(40, *WORDS)
        with open(descents.folder / LOG, "ab") as log:
            log.write(tail)
        descents.train(*WORDS)
        assert descents.result() == expected, tail


@pytest.mark.parametrize("hurt", ["gone", "empty", "shorter", "another"])
def test_a_log_that_lost_what_the_checkpoint_knows(descents, hurt):
    """What the log had lost can't come back: the model is right, the log is readable, and what is missing is said or made anew."""
    descents.write("classes.csv", recovery_data.classes())
    descents.train(*WORDS)
    expected = descents.result()
    descents.clear()
    descents.kill_after(40, *WORDS)
    log = descents.folder / LOG
    whole = log.read_bytes()
    if hurt == "gone":
        log.unlink()
    else:
        log.write_bytes({"empty": b"", "shorter": whole[:len(whole) // 2], "another": whole.replace(b'"rate":', b'"late":')}[hurt])
    descents.train(*WORDS)
    model, made = descents.result()
    assert model == expected[0]
    assert made[-1] == expected[1][-1] and made[0] == expected[1][0]
    for row in made[1:]:
        assert row in expected[1] or "late" in row


def test_a_log_of_something_else_is_left_alone(descents):
    descents.write("classes.csv", recovery_data.classes())
    descents.kill_after(40, *WORDS)
    descents.write(LOG, "my notes")
    descents(*descents.words(WORDS), code=73)
    assert (descents.folder / LOG).read_text() == "my notes" and descents.checkpoints()


def test_nothing_else_in_the_folder_is_touched(descents):
    descents.write("classes.csv", recovery_data.classes())
    mine = {"a.ckpt-1": b"x", f"{OUT}.ckpt-1": b"y", f"{OUT}.0123456789abcdef.ckpt-1": b"z", f"{OUT}.0123456789abcdef.ckpt-3": b"z",
            "other.safetensors.0123456789abcdef.ckpt-1": b"w"}
    for name, content in mine.items():
        descents.write(name, content)
    for word in ([], ["--fresh"]):
        descents.traced("/^rename:signal=SIGKILL:when=9", *WORDS)
        descents.train(*WORDS, *word)
        assert {name: (descents.folder / name).read_bytes() for name in mine} == mine
    descents.refuse(DATA, *descents.words([*WORDS, "--resume", "a.ckpt-1"]))
