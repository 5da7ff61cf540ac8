"""Puts faults into the command, one after another, and judges what it made of each.

The command is linked with fail.c, which makes the n-th call of a kind fail. A `Bench` is a folder with a server in it that runs
the command so; a `Case` is a command line, the files it begins with, and those it makes.
"""
import dataclasses
import errno
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import support

# The files that a training that was ended before its end may leave.
CHECKPOINT = re.compile(r"m\.safetensors\.[0-9a-f]{16}\.ckpt-[12]")

START = (0, 0)

OK, FAILED, DATA, INPUT, CREATE, IO, TERMINATE = 0, 1, 65, 66, 73, 74, 143
ONCE, GOOD = "once", "good"

# Kinds of calls with the faults that are put into them, and whether also into all calls after the first one.
FAULTS = {
    "memory": [("ENOMEM", ONCE), ("ENOMEM", GOOD)],
    "open": [("EMFILE", ONCE), ("EMFILE", GOOD), ("EACCES", ONCE), ("EINTR", ONCE)],
    "look": [("EIO", ONCE), ("EIO", GOOD)],
    "read": [("EIO", ONCE), ("EIO", GOOD), ("short", ONCE), ("short", GOOD), ("EINTR", ONCE)],
    "write": [("ENOSPC", ONCE), ("ENOSPC", GOOD), ("EIO", ONCE), ("full", GOOD), ("short", ONCE), ("short", GOOD),
              ("EINTR", ONCE)],
    "say": [("EIO", ONCE), ("EIO", GOOD), ("EPIPE", GOOD), ("short", GOOD), ("EINTR", ONCE)],
    "fsync": [("EIO", ONCE), ("EIO", GOOD), ("ENOSPC", GOOD), ("EINTR", ONCE)],
    "rename": [("EIO", ONCE), ("EACCES", GOOD)],
    "close": [("EIO", ONCE), ("EIO", GOOD), ("EINTR", ONCE)],
    "truncate": [("EIO", ONCE), ("EIO", GOOD), ("EINTR", ONCE)],
    "unlink": [("EIO", ONCE), ("EIO", GOOD)],
    "mmap": [("ENOMEM", ONCE), ("ENOMEM", GOOD)],
    "thread": [("EAGAIN", ONCE), ("EAGAIN", GOOD)],
}

# A signal in the middle of a call asks a training to end, which then can be gone on with.
SIGNALLED = ("open", "read", "write", "fsync", "rename", "close", "unlink")

# After these the command goes on as if nothing had been.
HARMLESS = ("short", "EINTR")

# What a sanitizer ends a process with; the command has no such exit code.
SANITIZERS = {"ASAN_OPTIONS": "exitcode=99:allocator_may_return_null=1:detect_stack_use_after_return=1",
              "LSAN_OPTIONS": "exitcode=98", "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=97"}


@dataclasses.dataclass
class Case:
    """A command line; `outputs` are the files it makes, `before` what stands in the folder when it begins, by name."""
    words: list
    before: dict
    outputs: tuple = ()
    stdin: str = os.devnull
    checkpoints: dict | None = None  # the contents that checkpoints may have, each with its step; None: there are none


@dataclasses.dataclass
class Run:
    """What came of one run."""
    how: str
    code: int
    calls: int
    met: int
    live: int
    open: int
    call: str
    path: str
    out: bytes
    err: str
    files: dict


def timeless(value):
    """Without the members that the clock puts into JSON."""
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if not key.startswith("seconds")}
    return [timeless(item) for item in value] if isinstance(value, list) else value


def without_seconds(content):
    """JSON, a value a line, without the times in it; what isn't JSON as it is."""
    try:
        values = [json.loads(line) for line in content.decode().splitlines()]
    except ValueError:
        return content
    return timeless(values)


def step_of(checkpoint):
    """How far the run was that a checkpoint holds: a way back begins a new stretch of steps."""
    header = json.loads(checkpoint[8:8 + int.from_bytes(checkpoint[:8], "little")])
    state = json.loads(header["__metadata__"]["run"])
    return state["ways_back"], state["step"]


def plain(name, content):
    """A file's content for comparing."""
    return without_seconds(content) if name.endswith(".jsonl") else content


class Bench:
    """A folder, and in it the command of a build with a door for faults. In memory where that can be: runs are many."""

    def __init__(self, build):
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.place = pathlib.Path(tempfile.mkdtemp(prefix="downhill-faults-", dir=memory))
        self.work = self.place / "work"
        self.work.mkdir()
        self.streams = [self.place / "out", self.place / "err"]
        self.server = subprocess.Popen([support.build(build) / "tests/faults", *self.streams], cwd=self.work,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                       env=support.environment(LANG="C.UTF-8", TERM="xterm", **SANITIZERS))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stdin.close()
        self.server.stdout.close()
        self.server.wait(timeout=60)
        shutil.rmtree(self.place)

    def files(self):
        with os.scandir(self.work) as entries:
            return {entry.name: (self.work / entry.name).read_bytes() for entry in entries}

    def restore(self, wanted):
        """Leaves these files in the folder and no others."""
        found = self.files()
        for name in found.keys() - wanted.keys():
            (self.work / name).unlink()
        for name, content in wanted.items():
            if found.get(name) != content:
                (self.work / name).write_bytes(content)

    def run(self, case, kind="none", fault="none", at=0, many=ONCE):
        """Runs the case's command on the files that lie there."""
        self.server.stdin.write("\t".join(map(str, (kind, fault, at, many, case.stdin, *case.words))) + "\n")
        self.server.stdin.flush()
        how, *numbers, call, path = self.server.stdout.readline().rstrip("\n").split("\t")
        path = "." if path == str(self.work) else os.path.normpath(path)
        out, err = (path.read_bytes() for path in self.streams)
        return Run(how, *map(int, numbers), call, path, out, err.decode("utf-8", "replace"), self.files())

    def checkpoints_of(self, case):
        """What checkpoints a run can write: one a step, killed after each renaming, and those of being asked to end at each
        line of the log. Each is whole, for going on from what they leave gives the right model."""
        every_step = dataclasses.replace(case, words=[*case.words, "--checkpoint-every", "1"])
        found = {}
        for what, kind, fault in ((every_step, "rename", "die"), (case, "write", "SIGTERM")):
            at, run = 1, None
            while run is None or run.met:
                self.restore(case.before)
                run = self.run(what, kind, fault, at)
                found.update((content, step_of(content)) for name, content in run.files.items() if CHECKPOINT.fullmatch(name))
                at += 1
        return found


def same(run, clean, names):
    """Which of the outputs, standard output included, aren't what they are without a fault."""
    wrong = [name for name in names if plain(name, run.files.get(name, b"")) != plain(name, clean.files[name])]
    return wrong + ["standard output"] * (without_seconds(run.out) != without_seconds(clean.out))


def codes_for(case, kind, many, run):
    """The exit codes that tell of the fault. Where files cannot be opened for good, some of them may be done without."""
    if kind in ("memory", "mmap", "thread"):
        return [FAILED]
    if kind in ("look", "open") and case.words[0] in ("train", "race") and re.search("^net  ", run.err, re.MULTILINE):
        return [INPUT, CREATE, IO]  # the descent has begun: a log that can't be made, or a model that can't be saved at its end
    if kind == "look" or (kind == "open" and many == GOOD):
        return [INPUT, CREATE]
    if kind != "open":
        return [IO]
    reads = run.call == "open" and run.path not in (*case.outputs, ".")
    return [INPUT] if reads else [CREATE]


def reason_of(fault):
    """The system's words for it."""
    return os.strerror(getattr(errno, "ENOSPC" if fault == "full" else fault))


def messages(err):
    """What was said in words of error: each from a "downhill: " on, up to three lines."""
    return re.findall(r"^downhill: .*\n(?:(?!downhill: ).*\n)*", err, re.MULTILINE)


def judge_words(kind, fault, many, run):
    """What is wrong with the message of a run that failed."""
    said = messages(run.err)
    if not said or said[-1].count("\n") > 3 or not run.err.endswith(said[-1]):
        return ["no message of one to three lines at the end"]
    words = said[-1]
    if kind in ("memory", "thread"):
        return [] if kind in words else [f"the message doesn't name the {kind}"]
    reason = reason_of(fault)
    name = re.sub(r"\.tmp\d+$", "", os.path.basename(run.path))
    wrong = [] if reason in words or kind == "look" else [f"the message lacks the reason: {reason}"]
    if many == ONCE and name not in words and not name.startswith(".downhill-") and name != ".":
        wrong.append(f"the message doesn't name {name}")
    return wrong


def steps(case, files):
    """The steps of the checkpoints among files; None for what is no whole one."""
    return [case.checkpoints.get(content) for name, content in files.items() if CHECKPOINT.fullmatch(name)]


def judge_checkpoints(case, run, clean):
    """Each is whole; the newest is there as long as the model isn't; none is left by a run that ended well."""
    now, then = steps(case, run.files), steps(case, case.before)
    if None in now:
        return ["a checkpoint that isn't whole"]
    if run.code == OK:
        return ["checkpoints left behind"] if now and run.call != "unlink" else []
    saved = run.files.get("m.safetensors") == clean.files["m.safetensors"]
    return ["the last checkpoint is gone"] if max(now, default=START) < max(then, default=START) and not saved else []


def judge_files(case, run, clean):
    """What is wrong with the folder: files that nobody asked for, files that are gone or neither old nor new."""
    wrong = judge_checkpoints(case, run, clean) if case.checkpoints is not None else []
    for name, content in run.files.items():
        if case.checkpoints is not None and CHECKPOINT.fullmatch(name):
            continue
        if name not in case.before and name not in case.outputs:
            wrong += [f"left behind: {name}"] if run.call != "unlink" else []
        elif name in case.before and name not in case.outputs and content != case.before[name]:
            wrong.append(f"{name} was changed")
    for name in case.before.keys() - run.files.keys():
        wrong += [f"{name} is gone"] if not CHECKPOINT.fullmatch(name) else []
    for name in case.outputs:
        if name.endswith(".jsonl"):
            wrong += judge_log(name, case, run, clean)
        elif run.files.get(name) not in (case.before.get(name), clean.files[name]):
            wrong.append(f"{name} is neither the old nor the new one")
    return wrong


def judge_log(name, case, run, clean):
    """A log that was begun has the lines of a run without fault as far as it goes, then at most how it ended."""
    content = run.files.get(name)
    if content == case.before.get(name):
        return []
    lines = content.split(b"\n")
    torn = lines.pop()
    lines = without_seconds(b"\n".join(lines))
    if torn and not (run.call == "write" and run.path == name):
        return [f"{name} ends in a torn line"]
    if lines and "stopped" in lines[-1]:
        lines.pop()
    return [] if lines == without_seconds(clean.files[name])[:len(lines)] else [f"{name} has other lines"]


def judge_signal(case, run, clean):
    """What is wrong with how a training took a SIGTERM: before its first step it has no state to save and may simply end."""
    if (run.how, run.code) == ("signal", signal.SIGTERM):
        return judge_files(case, run, clean)
    wrong = judge_files(case, run, clean) + [f"{run.live} blocks, {run.open} descriptors"] * (run.live != 0 or run.open != 0)
    if run.code == TERMINATE:
        goes_on = steps(case, run.files) and "goes on from there:\ndownhill train" in run.err
        return wrong + ([] if goes_on else ["nothing to go on from"])
    differs = same(run, clean, case.outputs)
    return wrong + ([] if run.code == OK and not differs else [f"exit {run.code}, differs: {differs}"])


def judge(case, kind, fault, many, run, clean):
    """All that is wrong with what came of a fault."""
    if fault == "SIGTERM":
        return judge_signal(case, run, clean)
    if run.how != "exit" or run.code in (97, 98, 99):
        return [f"{run.how} {run.code}"]
    wrong = [] if run.live == 0 else [f"{run.live} blocks were not freed"]
    wrong += [] if run.open == 0 else [f"{run.open} descriptors were not closed"]
    wrong += judge_files(case, run, clean)
    differs = same(run, clean, case.outputs)
    if fault in HARMLESS or kind == "say":
        return wrong + ([] if run.code == OK and not differs else [f"exit {run.code}, differs: {differs}"])
    if run.code == OK:
        wrong += [f"exit 0, but {name} isn't right" for name in differs]
        made_good = kind == "write" and run.path.endswith(".jsonl")  # a line is kept until the disk takes it
        if kind in ("write", "fsync", "rename") and reason_of(fault) not in run.err and not made_good:
            wrong.append("exit 0 and not a word")
        if "\nresumed " in clean.err and "\nnet " in run.err and "\nresumed " not in run.err:
            wrong.append("begun anew")
        return wrong
    codes = codes_for(case, kind, many, run)
    if run.code not in codes:
        wrong.append(f"exit {run.code}, not {codes}")
    return wrong + judge_words(kind, fault, many, run)


class Campaign:
    """All faults of a case, the first call to the last."""

    def __init__(self, bench, case):
        self.bench, self.case = bench, case
        self.counts = {}
        self.wrong = []
        self.seen = set()
        self.clean = self.run("none", "none", 0, ONCE)
        assert self.clean.code == OK and self.clean.live == self.clean.open == 0, self.clean
        wanted = {name for name in case.before if not CHECKPOINT.fullmatch(name)} | set(case.outputs)
        assert set(self.clean.files) == wanted, sorted(self.clean.files)

    def run(self, *words):
        self.bench.restore(self.case.before)
        return self.bench.run(self.case, *words)

    def ends_well(self, run, stays):
        """The same command again, on what the fault left; once for each state that it can leave. `stays`: what stands there
        could not be taken away."""
        state = tuple(sorted((name, str(plain(name, content))) for name, content in run.files.items()))
        if state in self.seen:
            return []
        self.seen.add(state)
        again = self.bench.run(self.case)
        differs = same(again, self.clean, self.case.outputs)
        names = set(again.files) - set(self.clean.files) - (set(run.files) if stays else set())
        good = again.code == OK and not differs and not names and again.live == again.open == 0
        return [] if good else [f"run again: exit {again.code}, differs: {differs}, left: {names}: {again.err}"]

    def put(self, kind):
        """Every fault of a kind into the first call, the second, ... until a run goes through without meeting it."""
        signals = [("SIGTERM", ONCE)] if kind in SIGNALLED and self.case.checkpoints is not None else []
        for fault, many in FAULTS[kind] + signals:
            at = 1
            while True:
                run = self.run(kind, fault, at, many)
                if not run.met:
                    break
                wrong = judge(self.case, kind, fault, many, run, self.clean)
                if self.case.checkpoints is not None:
                    wrong += self.ends_well(run, kind == "unlink" and fault != "SIGTERM")
                if wrong:
                    self.wrong.append(f"{' '.join(self.case.words)}: {kind} {fault} {many} {at}, {run.call} {run.path}: exit "
                                      f"{run.code}: {'; '.join(wrong)}\n{run.err}")
                self.counts[kind] = self.counts.get(kind, 0) + 1
                at += 1

    def put_all(self):
        for kind in FAULTS:
            self.put(kind)
        assert not self.wrong, f"{len(self.wrong)} faults:\n" + "\n".join(self.wrong[:12])
