"""Who takes turns: our command, and the rivals' processes, which wait frozen while others are measured."""
import json
import os
import select
import signal
import subprocess

SET_UP_LIMIT = 600  # seconds
TURN_LIMIT = 120

# Settings that would slow a rival's libraries down or give them other threads than it is measured with.
CLEARED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "XLA_FLAGS", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Failed(Exception):
    """A contender ended, hung or answered what it shouldn't."""


def environment(threads):
    kept = {key: value for key, value in os.environ.items() if key not in CLEARED}
    return kept | {name: str(threads) for name in THREADS}


def pinned(threads):
    """What a child does first: with one thread, stay on one core, the last of ours, so that helpers of a library can't join in."""
    def pin():
        if threads == 1:
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    return pin


class Ours:
    """`downhill bench CASE`: each call is a turn."""

    def __init__(self, command, series):
        self.series = series
        self.command = [command, "bench", series.case, "--json", "--threads", str(series.threads)]
        self.isa = None

    def turn(self):
        done = subprocess.run(self.command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                              timeout=TURN_LIMIT, env=environment(self.series.threads), preexec_fn=pinned(self.series.threads))
        if done.returncode != 0:
            raise Failed((done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])
        said, = json.loads(done.stdout)
        if (said["case"], said["threads"]) != (self.series.case, self.series.threads):
            raise Failed(f"asked for {self.series.case} on {self.series.threads} threads, it measured {said}")
        self.series.turns.append(said["us_per_step"])
        self.series.fractions.append(said["fraction"])
        self.isa = said["isa"]

    def close(self):
        pass


class Rival:
    """A process that keeps to the talk of bench/rivals/common.py."""

    def __init__(self, command, series, log):
        self.series, self.log = series, log
        with open(log, "wb") as errors:
            self.process = subprocess.Popen(
                [*command, series.case, series.way, str(series.threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=errors, text=True, process_group=0, env=environment(series.threads), preexec_fn=pinned(series.threads))
        try:
            if self.answer(SET_UP_LIMIT) != "ready":
                raise Failed("its first word is not 'ready'")
        except BaseException:
            self.close()
            raise
        self.signal(signal.SIGSTOP)

    def turn(self):
        self.signal(signal.SIGCONT)
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        self.series.turns.append(float(self.answer(TURN_LIMIT)))
        self.signal(signal.SIGSTOP)

    def answer(self, limit):
        if not select.select([self.process.stdout], [], [], limit)[0]:
            raise Failed(f"no answer in {limit} s")
        line = self.process.stdout.readline().strip()
        if not line:
            raise Failed(f"it ended: see {self.log}")
        return line

    def signal(self, number):
        os.killpg(self.process.pid, number)

    def close(self):
        """Ends it and what it started, whatever state they are in."""
        try:
            self.signal(signal.SIGKILL)
        except ProcessLookupError:
            pass  # it ended by itself
        self.process.communicate()
