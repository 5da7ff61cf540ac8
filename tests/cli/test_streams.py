"""Standard streams that are full, gone, or shared with a program that set them not to block."""
import fcntl
import json
import os
import subprocess
import threading
import time

from command_line import INPUT, IO, OK, QUICK

FULL = "downhill: standard output: No space left on device\n"
MANY = 30000


def run_into(command, stream, words):
    """Runs it with standard output or error into an open file."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **stream}
    return subprocess.run([command.program, *words], cwd=command.folder, stdin=subprocess.DEVNULL, text=True, check=False,
                          env=command.environment(), timeout=120, **streams)


def test_every_answer_to_a_full_disk(trees):
    model, data = "trees.safetensors", "trees.csv"
    for words in (["predict", model, data], ["eval", model, data], ["eval", model, data, "--json"], ["info"],
                  ["info", "--json"], ["info", data], ["info", data, "--json"], ["info", model], ["info", model, "--json"],
                  ["check", model, data],
                  ["check", model, data, "--json"], ["help"], ["help", "train"], ["help", "--man"], ["train", "--help"],
                  ["--version"]):
        with open("/dev/full", "wb") as full:
            done = run_into(trees, {"stdout": full}, words)
        assert (done.returncode, done.stderr) == (IO, FULL), words
    done = trees("predict", model, data, "--out", "/dev/full", code=IO)
    assert done.stderr == "downhill: /dev/full: cannot be written: No space left on device\n"


def test_training_outlives_a_full_standard_output(downhill):
    for words in (["train", "xor.csv", *QUICK, "--json"], ["find-rate", "xor.csv"], ["find-rate", "xor.csv", "--json"],
                  ["race", "xor.csv", *QUICK], ["race", "xor.csv", *QUICK, "--json"]):
        with open("/dev/full", "wb") as full:
            done = run_into(downhill, {"stdout": full}, words)
        assert done.returncode == IO and done.stderr.endswith(FULL), words
    downhill("info", "xor.safetensors")
    assert "were finished before" in downhill("race", "xor.csv", *QUICK).stderr


def test_nobody_reads_the_answer(trees):
    """The command wasn't asked for more, so nothing is wrong."""
    for words in (["predict", "trees.safetensors", "trees.csv"], ["eval", "trees.safetensors", "trees.csv", "--json"], ["info"],
                  ["check", "trees.safetensors", "trees.csv"], ["help", "train"], ["train", "trees.csv", *QUICK, "--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = run_into(trees, {"stdout": writer}, words)
        os.close(writer)
        assert done.returncode == OK and "downhill: " not in done.stderr, (words, done.stderr)


def test_nobody_reads_the_talk(downhill):
    """It takes nothing from the model, nor from the exit code."""
    reader, gone = os.pipe()
    os.close(reader)
    with open("/dev/full", "wb") as full:
        for stream in (full, gone):
            assert run_into(downhill, {"stderr": stream}, ["train", "xor.csv", *QUICK, "--log", "run.jsonl"]).returncode == OK
            downhill("info", "xor.safetensors")
            assert "stopped" in json.loads((downhill.folder / "run.jsonl").read_text().splitlines()[-1])
            assert run_into(downhill, {"stderr": stream}, ["info", "nothing.csv"]).returncode == INPUT
    os.close(gone)


def not_blocking(descriptor):
    fcntl.fcntl(descriptor, fcntl.F_SETFL, fcntl.fcntl(descriptor, fcntl.F_GETFL) | os.O_NONBLOCK)
    return descriptor


def test_pipe_that_does_not_block(trees):
    """Such a pipe takes a part of a write, or nothing: the command waits for it as for any other."""
    trees.write("many.csv", "width,height,colour\n" + "".join(f"{i},2,red\n" for i in range(MANY)))
    whole = trees("predict", "trees.safetensors", "many.csv").stdout
    reader, writer = os.pipe()
    process = subprocess.Popen([trees.program, "predict", "trees.safetensors", "many.csv"], cwd=trees.folder,
                               stdin=subprocess.DEVNULL, stdout=not_blocking(writer), stderr=subprocess.PIPE,
                               env=trees.environment())
    os.close(writer)
    time.sleep(0.3)
    with open(reader, "rb") as file:
        seen = file.read()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(timeout=60) == OK
    assert seen.decode() == whole and whole.count("\n") == MANY + 1


def test_input_that_does_not_block(downhill):
    """Nor is a pipe with nothing in it yet the end of a file."""
    reader, writer = os.pipe()

    def type_slowly():
        with open(writer, "wb") as file:
            for line in (downhill.folder / "xor.csv").read_bytes().splitlines(keepends=True):
                time.sleep(0.05)
                file.write(line)
                file.flush()

    typist = threading.Thread(target=type_slowly)
    typist.start()
    done = subprocess.run([downhill.program, "info", "-", "--json"], cwd=downhill.folder, stdin=not_blocking(reader),
                          capture_output=True, env=downhill.environment(), timeout=60, check=False)
    typist.join()
    os.close(reader)
    assert done.returncode == OK, done.stderr
    assert json.loads(done.stdout)["rows"] == 4
