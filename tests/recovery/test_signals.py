"""Signals: Ctrl-C and SIGTERM save and end, SIGUSR1 saves, a lost terminal ends nothing; whenever they come, nothing is lost."""
import os
import pty
import random
import re
import signal
import subprocess
import time

import pytest

import recovery_data
from descents import LOG, OUT, steps_of

WORDS = ["classes.csv", "--net", "6 tanh", "--epochs", 5, "--batch", 16, "--valid", 0]
ENDLESS = ["classes.csv", "--net", "6 tanh", "--epochs", 10**9, "--patience", 0]
# A few tenths of a second: long enough to be hit by signals, short enough to be done again.
SOME_TIME = ["classes.csv", "--net", "6 tanh", "--epochs", 30000, "--batch", 16, "--patience", 0]

CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


@pytest.fixture
def ready(descents):
    descents.write("classes.csv", recovery_data.classes())
    return descents


def result(ready, *words):
    """Model and log of the run that nothing interrupts."""
    ready.train(*words)
    made = ready.result()
    ready.clear()
    return made


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def under_way(ready):
    """The log has its first line: the descent begins."""
    log = ready.folder / LOG
    return log.exists() and log.stat().st_size > 0


def told_command(said):
    """The command that a message tells to go on with."""
    lines = [line for line in said.splitlines() if " train " in line]
    assert len(lines) == 1, said
    return re.search(r"\S*downhill'? train .*", lines[0])[0]


def pasted(ready, command):
    return subprocess.run(["sh", "-c", command], cwd=ready.folder, capture_output=True, text=True, check=False, timeout=120,
                          env=ready.environment(PATH=os.path.dirname(ready.program) + ":" + os.environ["PATH"]))


def ended(ready, number):
    """Begins a train that would take for ever, and ends it by this signal. Gives what it said."""
    process = ready.start(*ENDLESS)
    wait_for(lambda: under_way(ready))
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == CODES[number], said
    return said


@pytest.mark.parametrize("command_build", ["gcc", "asan"], indirect=True)
@pytest.mark.parametrize("number", CODES)
def test_saves_ends_and_tells_how_to_go_on(ready, number):
    said = ended(ready, number)
    assert len(ready.checkpoints()) == 1
    checkpoint = ready.checkpoints()[0]
    assert not (ready.folder / OUT).exists() and not list(ready.folder.glob("*.tmp*"))
    ready("predict", checkpoint.name, "classes.csv")
    ready("info", checkpoint.name)
    told, command = said.splitlines()[-2:]
    assert told_command(said) == command
    assert f"step {steps_of(checkpoint)} " in told.replace(",", "") and checkpoint.name in told


@pytest.mark.serial
def test_within_two_seconds(ready):
    process = ready.start(*ENDLESS)
    wait_for(lambda: under_way(ready))
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("number", CODES)
@pytest.mark.parametrize("step", [1, 7, 8, 19])
def test_the_told_command_finishes_the_run(ready, number, step):
    expected = result(ready, *WORDS)
    code, said = ready.traced(f"/^rename:signal={number.name}:when=1", *WORDS, "--checkpoint-every", step)
    assert code == CODES[number], said
    assert steps_of(ready.checkpoints()[0]) in (step, step + 1)
    done = pasted(ready, told_command(said))
    assert done.returncode == 0 and "resumed" in done.stderr, done.stderr
    assert ready.result() == expected
    assert ready.files() == ["classes.csv", OUT, LOG]


def test_what_began_anew_or_from_a_file_goes_on_from_what_was_saved(ready):
    """The told command has no --fresh, and not the --resume that it was begun with."""
    expected = result(ready, *WORDS)
    ready.kill_after(3, *WORDS)
    kept = ready.checkpoints()[0].rename(ready.folder / "kept")
    ready.clear()
    for words in (["--fresh"], ["--resume", "kept"], ["--resume=kept"]):
        code, said = ready.traced("/^rename:signal=SIGINT:when=1", *WORDS, *words, "--checkpoint-every", 9)
        assert code == 130, said
        newest = steps_of(ready.checkpoints()[0])
        done = pasted(ready, told_command(said))
        assert f"step {newest} of 20" in done.stderr, (said, done.stderr)
        assert (ready.folder / OUT).read_bytes() == expected[0]
        assert ready.files() == ["classes.csv", "kept", OUT, LOG]
        ready.clear()
    assert steps_of(kept) == 3


def test_words_that_a_shell_would_take_apart(ready):
    """Blanks, quotes, dollars, stars and a leading dash in names."""
    table = recovery_data.classes()
    data, out, log, target = "my data's $HOME & co.csv", "out 'put' \"x\"*.safetensors", "-log `a` ;b.jsonl", "kind's \\ name"
    ready.write(data, table.replace("kind", target, 1))
    ready.write("re cipe", "epochs=6\nrate=0.01\n")
    words = [data, "--target", target, "--net", "5 tanh, 4 relu", f"--out={out}", f"--log={log}", "--recipe", "re cipe", "--missing", "NA, ,?"]
    line = ["train", *words]
    ready(*line)
    expected = (ready.folder / out).read_bytes(), ready.log(log)
    (ready.folder / out).unlink()
    done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=/^rename", "-e", "inject=/^rename:signal=SIGINT:when=1",
                           ready.program, *line, "--checkpoint-every", "5"], cwd=ready.folder, capture_output=True, text=True, check=False,
                          env=ready.environment())
    assert done.returncode == 130, done.stderr
    again = pasted(ready, told_command(done.stderr))
    assert again.returncode == 0 and "resumed" in again.stderr, (done.stderr, again.stderr)
    assert ((ready.folder / out).read_bytes(), ready.log(log)) == expected
    assert not [name for name in ready.files() if "ckpt" in name or "tmp" in name]


def test_the_told_command_works_where_the_program_is_in_no_path(ready):
    expected = result(ready, *WORDS)
    _, said = ready.traced("/^rename:signal=SIGTERM:when=1", *WORDS, "--checkpoint-every", 5)
    done = subprocess.run(["sh", "-c", told_command(said)], cwd=ready.folder, capture_output=True, text=True, check=False,
                          env=ready.environment(PATH="/usr/bin:/bin"))
    assert done.returncode == 0, (said, done.stderr)
    assert ready.result() == expected


def test_data_from_standard_input_is_told_too(ready):
    """The command reads standard input again, so whoever pastes it gives the data again."""
    table = recovery_data.classes()
    words = ["-", *WORDS[1:]]
    ready.train(*words, text_in=table)
    expected = ready.result()
    ready.clear()
    code, said = ready.traced("/^rename:signal=SIGINT:when=1", *words, "--checkpoint-every", 5, text_in=table)
    assert code == 130
    done = subprocess.run(["sh", "-c", told_command(said)], cwd=ready.folder, capture_output=True, text=True, check=False, input=table,
                          env=ready.environment(PATH=os.path.dirname(ready.program) + ":" + os.environ["PATH"]))
    assert done.returncode == 0, done.stderr
    assert ready.result() == expected


def slow(ready):
    """Words of a training whose every step takes a second or more."""
    images, labels = recovery_data.images(800, side=28)
    ready.write("s-images-idx3-ubyte", images)
    ready.write("s-labels-idx1-ubyte", labels)
    return ["s-images-idx3-ubyte", "--net", "300 relu, 300 relu", "--batch", "full", "--isa", "scalar", "--threads", 1, "--rule", "sgd",
            "--valid", 0, "--epochs", 1000]


def test_a_second_signal_ends_at_once(ready):
    """The first waits for a step that takes long; the second doesn't, and the checkpoint of before is what it was."""
    process = ready.start(*slow(ready), "--checkpoint-every", 1)
    wait_for(lambda: len(ready.checkpoints()) == 1, 200)
    kept = ready.checkpoints()[0], ready.checkpoints()[0].read_bytes()
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert process.poll() is None, "the step was over too soon for this test"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (130, -signal.SIGINT)
    assert ready.checkpoints() == [kept[0]] and kept[0].read_bytes() == kept[1]
    assert ready.log()[-1].get("step", 1) == 1, "the second step was finished"


@pytest.mark.parametrize("write", [4, 9, 15])
def test_user_signal_saves_and_goes_on(ready, write):
    """It comes as the log is written; the run goes on to its end, where we kill it to see the one checkpoint."""
    expected = result(ready, *WORDS)
    code, said = ready.traced(f"write:signal=SIGUSR1:when={write}", *WORDS, and_inject="/^rename:signal=SIGKILL:when=2")
    assert code == -signal.SIGKILL, said
    assert len(ready.checkpoints()) == 1 and 0 < steps_of(ready.checkpoints()[0]) < 20
    assert ready.log()[-1]["step"] == 20
    assert "resumed" in ready.train(*WORDS).stderr and ready.result() == expected


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR1, signal.SIGCONT, signal.SIGWINCH], ids=lambda number: number.name)
def test_a_hail_of_signals_that_end_nothing(ready, number):
    expected = result(ready, *SOME_TIME)
    process = ready.start(*SOME_TIME)
    wait_for(lambda: under_way(ready))
    for _ in range(100):
        process.send_signal(number)
        time.sleep(0.001)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0, said
    assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]


@pytest.mark.parametrize("number", CODES)
def test_a_signal_ignored_from_the_start_stays_ignored(ready, number):
    expected = result(ready, *SOME_TIME)
    process = ready.start(*SOME_TIME, ignored=[number])
    wait_for(lambda: under_way(ready))
    for _ in range(3):
        process.send_signal(number)
        time.sleep(0.01)
    process.communicate(timeout=60)
    assert process.returncode == 0 and ready.result() == expected


@pytest.mark.parametrize("closed", ["stderr", "stdout"])
def test_a_reader_that_goes_away(ready, closed):
    expected = result(ready, *SOME_TIME)
    process = ready.start(*SOME_TIME, *(["--json"] if closed == "stdout" else []))
    getattr(process, closed).close()
    other = process.stdout if closed == "stderr" else process.stderr
    other.read()
    other.close()
    assert process.wait(timeout=60) == 0
    assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]


def test_a_terminal_that_goes_away(ready):
    """The window is closed: SIGHUP comes, and writing to the terminal fails from then on."""
    expected = result(ready, *SOME_TIME)
    child, leader = pty.fork()
    if child == 0:
        os.chdir(ready.folder)
        os.execve(ready.program, [ready.program, *ready.words(SOME_TIME)], ready.environment())
    os.read(leader, 1)
    wait_for(lambda: under_way(ready))
    os.close(leader)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]


def test_a_job_that_sleeps_for_a_while(ready):
    expected = result(ready, *SOME_TIME)
    process = ready.start(*SOME_TIME, "--checkpoint-every", 1000)
    for _ in range(5):
        time.sleep(0.02)
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.01)
        process.send_signal(signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == 0 and ready.result() == expected


def test_signals_at_random_moments(ready, fact):
    """Fifty of them, of all kinds; whatever ends is begun again, until nothing broken could have hidden."""
    words = [*SOME_TIME, "--checkpoint-every", 97]
    expected = result(ready, *words)
    draw = random.Random(1)
    kinds = [signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP, signal.SIGPIPE]
    process, finished, resumed = ready.start(*words), 0, 0
    for _ in range(50):
        time.sleep(draw.uniform(0, 0.06))
        number = draw.choice(kinds)
        process.send_signal(number)
        if number not in CODES and process.poll() is None:
            continue
        said = process.communicate(timeout=60)[1]
        resumed += "resumed" in said
        if process.returncode == 0:
            assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]
            finished += 1
            ready.clear()
        else:
            # Before it listens a signal ends it as it ends every command.
            assert process.returncode in (130, 143, -signal.SIGINT, -signal.SIGTERM, -signal.SIGHUP, -signal.SIGPIPE, -signal.SIGUSR1), said
            for path in ready.checkpoints():
                ready("predict", path.name, "classes.csv")
            assert not list(ready.folder.glob("*.tmp*")) or process.returncode < 0
        process = ready.start(*words)
    process.communicate(timeout=60)
    assert process.returncode == 0 and ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]
    fact("signals at random moments", f"50, {resumed} resumed, {finished + 1} finished")


@pytest.mark.parametrize("call", ["openat", "write", "fsync", "close", "/^rename", "/^unlink"])
@pytest.mark.parametrize("number", CODES)
def test_a_signal_at_every_system_call(ready, number, call):
    """Wherever it comes: the run ends, or has ended, well, and the same command makes the rest right."""
    words = ["classes.csv", "--net", "2 tanh", "--epochs", 2, "--batch", 40, "--valid", 0, "--threads", 1]
    expected = result(ready, *words)
    codes, when = [], 0
    while len(codes) < 2 or codes[-1] != 0 or codes[-2] != 0:
        when += 1
        code, said = ready.traced(f"{call}:signal={number.name}:when={when}", *words, "--checkpoint-every", 1)
        codes.append(code)
        assert code in (0, CODES[number], -number), (when, said)
        if code == CODES[number]:
            assert ready.checkpoints() and "tmp" not in "".join(ready.files()), (when, said)
        for path in ready.checkpoints():
            ready("info", path.name)
        if code != 0:
            ready.train(*words)
        assert ready.result() == expected, when
        assert ready.files() == ["classes.csv", OUT, LOG], when
        ready.clear()
    assert CODES[number] in codes or call == "/^unlink"


def test_before_training_a_signal_just_ends(ready):
    process = ready.start("-", *WORDS[1:], stdin=subprocess.PIPE)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) in (130, -signal.SIGINT)
    process.stdin.close()
    assert ready.files() == ["classes.csv"]
