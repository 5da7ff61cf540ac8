"""A disk that is full while training goes on: that is said once, nothing good is lost, and saving is tried again."""
import contextlib
import os
import pathlib
import re
import resource
import signal
import subprocess
import threading
import time

import pytest

import recovery_data
from command_line import IO
from descents import LOG, OUT, Descents, steps_of

# A second or two, with a checkpoint every few milliseconds; the log lies elsewhere, where no test says otherwise.
WORDS = ["classes.csv", "--net", "40 relu, 40 relu", "--epochs", 8000, "--batch", 16, "--patience", 0, "--log", "/dev/null"]
EVERY = ["--checkpoint-every", 500]
TOO_SMALL = 4000


class Watched:
    """A training under way; what it says is read as it says it."""

    def __init__(self, process):
        self.process = process
        self.said = []
        self.reader = threading.Thread(target=lambda: self.said.extend(iter(process.stderr.readline, "")))
        self.reader.start()

    def wait_for(self, condition, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end and self.process.poll() is None, self.text()
            time.sleep(0.002)

    @contextlib.contextmanager
    def paused(self):
        """It sleeps while we look."""
        self.process.send_signal(signal.SIGSTOP)
        yield
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        code = self.process.wait(timeout=120)
        self.reader.join()
        self.process.stderr.close()
        self.process.stdout.close()
        return code

    def text(self):
        return "".join(self.said)

    def complaints(self):
        """The lines about a checkpoint or a model that can't be written."""
        return [line for line in self.said if "cannot" in line]


@pytest.fixture
def ready(descents):
    descents.write("classes.csv", recovery_data.classes())
    return descents


def reference(descents):
    descents.train(*WORDS)
    model = (descents.folder / OUT).read_bytes()
    descents.clear()
    return model


def limit(process, size):
    """Files of a running process may grow so far: writing on fails as it does on a full disk."""
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def test_files_that_may_not_grow(ready):
    """The limit comes after the first checkpoint and goes before the end."""
    expected = reference(ready)
    run = Watched(ready.start(*WORDS, *EVERY))
    run.wait_for(lambda: len(ready.checkpoints()) == 2)
    limit(run.process, TOO_SMALL)
    run.wait_for(run.complaints)
    kept = {path: path.read_bytes() for path in ready.checkpoints()}
    assert len(kept) == 2
    time.sleep(0.05)
    with run.paused():
        assert {path: path.read_bytes() for path in ready.checkpoints()} == kept, "a checkpoint could be written: the test is wrong"
        for path in kept:
            ready("info", path.name)
        limit(run.process, resource.RLIM_INFINITY)
        newest = steps_of(ready.checkpoints()[0])
    run.wait_for(lambda: steps_of(ready.checkpoints()[0]) > newest)
    assert run.end() == 0, run.text()
    size = len(next(iter(kept.values())))
    said = run.complaints()
    assert len(said) == 1 and "File too large" in said[0] and ".ckpt-" in said[0], run.text()
    assert str(size) in said[0].replace(",", ""), (size, said)
    after = run.text().split(said[0])[1]
    assert ".ckpt-" in after, f"that a checkpoint could be written again isn't said: {run.text()}"
    assert (ready.folder / OUT).read_bytes() == expected
    assert ready.files() == ["classes.csv", OUT]


def test_nothing_can_be_written_to_the_end(ready):
    """Exit code 74, the last good checkpoint is there, and with room the same command ends as if nothing had been."""
    expected = reference(ready)
    run = Watched(ready.start(*WORDS, *EVERY))
    run.wait_for(lambda: len(ready.checkpoints()) == 2)
    limit(run.process, TOO_SMALL)
    run.wait_for(run.complaints)
    kept = {path: path.read_bytes() for path in ready.checkpoints()}
    assert run.end() == IO, run.text()
    assert {path: path.read_bytes() for path in ready.checkpoints()} == kept
    assert ready.files() == sorted(["classes.csv", *(path.name for path in kept)])
    assert OUT in run.said[-1] or ".ckpt-" in run.said[-1], run.text()
    assert "resumed" in ready.train(*WORDS).stderr
    assert (ready.folder / OUT).read_bytes() == expected and ready.files() == ["classes.csv", OUT]


def test_nothing_could_ever_be_written(ready):
    process = ready.start(*WORDS, *EVERY, before=["prlimit", f"--fsize={TOO_SMALL}"])
    run = Watched(process)
    assert run.end() == IO, run.text()
    assert ready.files() == ["classes.csv"]
    assert len([line for line in run.complaints() if ".ckpt-" in line]) == 1, run.text()


def test_room_at_the_last_moment(ready):
    """The model's own save is tried again for a while."""
    expected = reference(ready)
    short = [*WORDS, "--epochs", 200]
    ready.train(*short)
    expected = (ready.folder / OUT).read_bytes()
    ready.clear()
    run = Watched(ready.start(*short, before=["prlimit", f"--fsize={TOO_SMALL}:"]))
    run.wait_for(lambda: any(OUT in line for line in run.complaints()))
    limit(run.process, resource.RLIM_INFINITY)
    assert run.end() == 0, run.text()
    assert (ready.folder / OUT).read_bytes() == expected and ready.files() == ["classes.csv", OUT]


def test_a_signal_while_nothing_can_be_written(ready):
    """It ends in time, doesn't say that it saved what it didn't, and goes on from the last good checkpoint."""
    expected = reference(ready)
    run = Watched(ready.start(*WORDS, "--epochs", 10**8, *EVERY))
    run.wait_for(lambda: len(ready.checkpoints()) == 2)
    limit(run.process, TOO_SMALL)
    run.wait_for(run.complaints)
    newest = ready.checkpoints()[0]
    run.process.send_signal(signal.SIGINT)
    assert run.end() in (130, IO), run.text()
    assert ready.checkpoints()[0] == newest and not list(ready.folder.glob("*.tmp*"))
    assert len(run.complaints()) == 2 or str(steps_of(newest)) in run.said[-1].replace(",", ""), run.text()
    ready.clear()
    assert reference(ready) == expected


def test_a_signal_while_the_model_waits_for_room(ready):
    run = Watched(ready.start(*WORDS, "--epochs", 200, before=["prlimit", f"--fsize={TOO_SMALL}:"]))
    run.wait_for(run.complaints)
    began = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    assert run.end() in (130, IO), run.text()
    assert time.monotonic() - began < 5 and ready.files() == ["classes.csv"]


def test_a_folder_that_goes_away(ready):
    """Its checkpoints can't be written, and the model neither; with the folder back in time, all is well."""
    expected = reference(ready)
    for back in (False, True):
        (ready.folder / "out").mkdir()
        run = Watched(ready.start(*WORDS, *EVERY, "--out", f"out/{OUT}"))
        run.wait_for(lambda: len(list((ready.folder / "out").glob("*.ckpt-*"))) == 2)
        (ready.folder / "out").rename(ready.folder / "moved")
        run.wait_for(run.complaints)
        if back:
            (ready.folder / "out").mkdir()
        code = run.end()
        assert code == (0 if back else IO), run.text()
        if back:
            assert os.listdir(ready.folder / "out") == [OUT]
            assert (ready.folder / "out" / OUT).read_bytes() == expected
        for path in (ready.folder / "moved").iterdir():
            ready("info", path.relative_to(ready.folder))
            path.unlink()
        (ready.folder / "moved").rmdir()


@pytest.mark.parametrize("call", ["openat", "write", "fsync", "close", "/^rename"])
@pytest.mark.parametrize("reason", ["ENOSPC", "EIO", "EDQUOT", "EROFS"])
def test_each_call_fails_once(ready, call, reason):
    """A checkpoint whose call fails is as if it hadn't been; the next one is written, and the model is the same."""
    words = ["classes.csv", "--net", "2 tanh", "--epochs", 2, "--batch", 40, "--valid", 0, "--threads", 1]
    ready.train(*words)
    expected = ready.result()
    ready.clear()
    folder = ready.folder
    made = next(iter_names(ready, words))
    for path in (f"{made}1.tmp0", f"{made}2.tmp0"):
        paths = [word for name in (path, str(folder / path)) for word in ("-P", name)]
        done = subprocess.run(["strace", "-f", "-qq", "-o", "trace", *paths, "-e", f"trace={call}", "-e",
                               f"inject={call}:error={reason}:when=1", ready.program, *ready.words(words), "--checkpoint-every", "1"],
                              cwd=folder, capture_output=True, text=True, check=False, env=ready.environment())
        assert "INJECTED" in (folder / "trace").read_text(), "the call wasn't made"
        (folder / "trace").unlink()
        assert done.returncode == 0, done.stderr
        assert path.replace(".tmp0", "") in done.stderr, done.stderr
        assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]
        ready.clear()


def iter_names(ready, words):
    """The name of the checkpoints of a run, but for the last digit."""
    ready.kill_after(1, *words)
    yield ready.checkpoints()[0].name[:-1]
    ready.clear()


@pytest.mark.parametrize("inject", ["write:error=EINTR:when=1+2", "fsync:error=EINTR:when=1+2", "/^rename:error=EINTR:when=2",
                                    "openat:error=EMFILE:when=30+7"])
def test_calls_that_fail_now_and_then(ready, inject):
    words = ["classes.csv", "--net", "2 tanh", "--epochs", 3, "--batch", 40, "--valid", 0, "--threads", 1]
    ready.train(*words)
    expected = ready.result()
    ready.clear()
    code, said = ready.traced(inject, *words, "--checkpoint-every", 1)
    assert code == 0, said
    assert ready.result() == expected and ready.files() == ["classes.csv", OUT, LOG]


class Disk(Descents):
    """The command in a disk of its own, of so many kilobytes, that only it and we can see."""

    def __init__(self, mount, kilobytes):
        script = f'mount -t tmpfs -o size={kilobytes}k none "$1" && echo mounted && exec sleep 3600'
        self.keeper = subprocess.Popen(["unshare", "-rm", "sh", "-c", script, "sh", str(mount)], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
        self.mounted = self.keeper.stdout.readline() == "mounted\n"
        super().__init__(pathlib.Path(f"/proc/{self.keeper.pid}/root{mount}"))

    def close(self):
        self.keeper.kill()
        self.keeper.communicate()

    def start(self, *words, before=(), **more):
        enter = ["nsenter", "-t", str(self.keeper.pid), "-U", "-m", "--preserve-credentials", f"--wd={self.folder}"]
        return super().start(*words, before=[*enter, *before], **more)

    def finish(self, *words):
        process = self.start(*words)
        said = process.communicate(timeout=120)[1]
        return process.returncode, said

    def free(self):
        facts = os.statvfs(self.folder)
        return facts.f_bavail * facts.f_frsize

    def fill(self):
        """Leaves not a block."""
        with open(self.folder / "filler", "ab") as file, contextlib.suppress(OSError):
            while True:
                os.write(file.fileno(), bytes(4096))

    def give_room(self):
        (self.folder / "filler").unlink()


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path, 2000)
    if not made.mounted:
        made.close()
        pytest.skip("a file system can't be mounted here, neither by root nor with unshare -rm")
    made.write("classes.csv", recovery_data.classes())
    yield made
    made.close()


def test_a_full_disk_that_gets_room_again(disk):
    code, said = disk.finish(*WORDS)
    assert code == 0, said
    expected = (disk.folder / OUT).read_bytes()
    disk.clear()
    run = Watched(disk.start(*WORDS, *EVERY))
    run.wait_for(lambda: len(disk.checkpoints()) == 2)
    disk.fill()
    run.wait_for(run.complaints)
    kept = {path: path.read_bytes() for path in disk.checkpoints()}
    time.sleep(0.05)
    with run.paused():
        assert {path: path.read_bytes() for path in disk.checkpoints()} == kept
        disk.give_room()
        newest = steps_of(disk.checkpoints()[0])
    run.wait_for(lambda: steps_of(disk.checkpoints()[0]) > newest)
    assert run.end() == 0, run.text()
    said = run.complaints()
    assert len(said) == 1 and "No space left on device" in said[0] and ".ckpt-" in said[0], run.text()
    size = len(next(iter(kept.values())))
    assert str(size) in said[0].replace(",", "") and re.search(r"\d+ (bytes )?(are )?free", said[0].replace(",", "")), said
    assert ".ckpt-" in run.text().split(said[0])[1], run.text()
    assert (disk.folder / OUT).read_bytes() == expected
    assert disk.files() == ["classes.csv", OUT]


def test_a_full_disk_to_the_end(disk):
    code, said = disk.finish(*WORDS)
    assert code == 0, said
    expected = (disk.folder / OUT).read_bytes()
    disk.clear()
    run = Watched(disk.start(*WORDS, *EVERY))
    run.wait_for(lambda: len(disk.checkpoints()) == 2)
    disk.fill()
    assert run.end() == IO, run.text()
    assert "No space left on device" in run.said[-1] or "No space left on device" in run.text()
    assert len(disk.checkpoints()) == 2 and not list(disk.folder.glob("*.tmp*")) and not (disk.folder / OUT).exists()
    disk.give_room()
    code, said = disk.finish(*WORDS)
    assert code == 0 and "resumed" in said, said
    assert (disk.folder / OUT).read_bytes() == expected and disk.files() == ["classes.csv", OUT]


def test_a_disk_without_room_for_a_third_file(disk):
    """Two checkpoints and one that is being written must fit; else the two stay, as long as it takes."""
    code, said = disk.finish(*WORDS)
    assert code == 0, said
    expected = (disk.folder / OUT).read_bytes()
    disk.clear()
    run = Watched(disk.start(*WORDS, *EVERY))
    run.wait_for(lambda: len(disk.checkpoints()) == 2)
    size = disk.checkpoints()[0].stat().st_size
    run.process.terminate()
    run.end()
    while disk.free() > size:
        with open(disk.folder / "filler", "ab") as file:
            file.write(bytes(4096))
    code, said = disk.finish(*WORDS, *EVERY)
    assert code in (0, IO), said
    if code == 0:
        assert (disk.folder / OUT).read_bytes() == expected
    disk.give_room()
    code, said = disk.finish(*WORDS)
    assert code == 0 and (disk.folder / OUT).read_bytes() == expected


def test_a_log_on_a_full_disk(disk):
    """The log can't be whole then, and the exit code tells; the model is right."""
    words = [*WORDS[:-2], "--log", LOG]
    code, said = disk.finish(*words)
    assert code == 0, said
    expected = (disk.folder / OUT).read_bytes()
    disk.clear()
    run = Watched(disk.start(*words, *EVERY))
    run.wait_for(lambda: len(disk.checkpoints()) == 2)
    disk.fill()
    run.wait_for(run.complaints)
    disk.give_room()
    code = run.end()
    assert code in (0, IO) and (code == IO) == (LOG in run.text()), run.text()
    assert (disk.folder / OUT).read_bytes() == expected
    assert len(disk.log()) > 2
