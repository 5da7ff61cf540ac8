"""A race that is killed or stopped goes on: what is finished isn't run again, what was under way goes on, and all ends the same."""
import json
import random
import re
import shlex
import signal
import subprocess
import time

import pytest

import recovery_data
from command_line import OK
from descents import header, same_log, usual_signals

WORDS = ["race", "classes.csv", "--rules", "sgd,momentum,adam", "--net", "5 tanh", "--epochs", "3", "--batch", "40", "--threads", "1",
         "--json"]
FOLDER = "classes.race"


def timeless(value):
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if not key.startswith("seconds")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def result(descents, out):
    """Everything that two races must have in common: the answer, every model, every log, and no other file."""
    files = {}
    for path in (descents.folder / FOLDER).iterdir():
        content = path.read_bytes()
        files[path.name] = same_log(content.decode().splitlines()) if path.suffix == ".jsonl" else content
    return timeless(json.loads(out)), files


def start(descents, *words, before=()):
    return subprocess.Popen([*before, descents.program, *WORDS, *words], cwd=descents.folder, stdin=subprocess.DEVNULL, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=descents.environment(), preexec_fn=usual_signals)


def clear(descents):
    folder = descents.folder / FOLDER
    for path in folder.iterdir() if folder.exists() else []:
        path.unlink()
    if folder.exists():
        folder.rmdir()


def finished(descents):
    path = descents.folder / FOLDER / "race.jsonl"
    return path.read_text().splitlines()[1:] if path.exists() else []


@pytest.fixture
def expected(descents):
    descents.write("classes.csv", recovery_data.classes())
    made = result(descents, descents(*WORDS).stdout)
    assert sorted(made[1]) == sorted(["race.jsonl", *(f"{rule}.{kind}" for rule in ("sgd", "momentum", "adam")
                                                       for kind in ("jsonl", "safetensors"))])
    clear(descents)
    return made


def go_on(descents, expected, *words):
    """Runs it once more. What was finished must stay as it is; what was under way goes on."""
    before = finished(descents)
    checkpoints = list((descents.folder / FOLDER).glob("*.ckpt-[12]")) if (descents.folder / FOLDER).exists() else []
    under_way = [path for path in checkpoints if not any(f'"racer":"{path.name.split(".")[0]}"' in line for line in before)]
    done = descents(*WORDS, *words)
    answer, files = result(descents, done.stdout)
    assert answer == expected[0] and sorted(files) == sorted(expected[1])
    for name, content in files.items():
        assert content == expected[1][name], name
    assert set(before) <= set(finished(descents))
    assert (f"{len(before)} of 3 were finished before" in done.stderr) == (len(before) > 0)
    assert done.stderr.count("\nresumed ") == (1 if under_way else 0), (under_way, done.stderr)
    return bool(under_way)


@pytest.mark.quick
@pytest.mark.parametrize("call", ["/^rename", "/^unlink"])
def test_a_kill_at_every_renaming_and_removal(descents, expected, call):
    """Each file that a race leaves or goes on from appears by a renaming: killed before the first, the second, ..."""
    when, resumed, code = 0, 0, None
    while code != OK:
        when += 1
        clear(descents)
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                  f"inject={call}:signal=SIGKILL:when={when}"]
        process = start(descents, "--checkpoint-every", "2", before=strace)
        process.communicate(timeout=60)
        code = process.returncode
        assert code in (OK, -signal.SIGKILL)
        resumed += go_on(descents, expected)
    assert when >= 7 and (resumed >= 3 or call == "/^unlink")


def test_kills_at_random_moments(descents, expected):
    draw = random.Random(1)
    began = time.monotonic()
    descents(*WORDS, "--checkpoint-every", "1")
    length = time.monotonic() - began
    kills = 0
    clear(descents)
    while kills < 60:
        process = start(descents, "--checkpoint-every", "1")
        time.sleep(draw.random() * length)
        process.kill()
        process.communicate()
        kills += process.returncode != OK
        if process.returncode == OK or draw.random() < 0.2:
            go_on(descents, expected)
            clear(descents)


@pytest.mark.quick
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_between_two_steps_and_the_told_command_goes_on(descents, number, code):
    descents.write("classes.csv", recovery_data.classes())
    words = ["--epochs", "1000000", "--fresh"]
    process = start(descents, *words)
    log = descents.folder / FOLDER / "sgd.jsonl"
    for _ in range(600):
        if log.exists() and log.read_bytes().count(b"\n") > 3:
            break
        time.sleep(0.02)
    process.send_signal(number)
    out, said = process.communicate(timeout=60)
    assert process.returncode == code and out == ""
    *_, stopped, command = said.splitlines()
    assert re.search(r"stopped by (Ctrl-C|SIGTERM) after step \d+ of .*; saved in classes.race/sgd.safetensors", stopped)
    assert command == shlex.join([descents.program, *WORDS, "--epochs", "1000000"])
    checkpoint = stopped.split("saved in ")[1].split(";")[0]
    assert header(descents.folder / checkpoint)["__metadata__"]["steps"] != "0"
    # it goes on from there, and the log with it
    process = start(descents, "--epochs", "1000000")
    time.sleep(0.3)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1]
    assert "\nresumed " in said and "finished before" not in said


@pytest.mark.quick
def test_a_race_without_checkpoints_loses_one_racer_only(descents, expected):
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=/^rename", "-e", "inject=/^rename:signal=SIGKILL:when=5"]
    process = start(descents, "--checkpoint-every", "0", before=strace)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL and len(finished(descents)) == 1
    assert not go_on(descents, expected)
