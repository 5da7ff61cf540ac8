"""Trains in a folder of its own, interrupts that at exact moments, and reads what is left."""
import json
import signal
import struct
import subprocess

import numpy

from command_line import OK, Downhill

OUT, LOG = "m.safetensors", "run.jsonl"


def usual_signals():
    """What a shell gives to a command in the foreground; a test's own parent may ignore some."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)


def header(path):
    """The JSON header of a safetensors file."""
    content = path.read_bytes()
    return json.loads(content[8:8 + struct.unpack("<Q", content[:8])[0]])


def steps_of(path):
    """How many steps the run behind a model or a checkpoint had taken."""
    return int(header(path)["__metadata__"]["steps"])


def tensors(path):
    """Every tensor of a safetensors file, as arrays."""
    content = path.read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    kinds = {"F32": "<f4", "F64": "<f8", "U64": "<u8", "I64": "<i8", "U8": "u1"}
    return {name: numpy.frombuffer(content[start + entry["data_offsets"][0]:start + entry["data_offsets"][1]], kinds[entry["dtype"]])
            for name, entry in header(path).items() if name != "__metadata__"}


def same_log(lines):
    """A log without what the clock put into it."""
    return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


class Descents(Downhill):
    """The command in one folder; trains to m.safetensors with the log run.jsonl unless told otherwise."""

    def words(self, words):
        return ["train", *map(str, words), *([] if "--out" in words else ["--out", OUT]), *([] if "--log" in words else ["--log", LOG])]

    def train(self, *words, code=OK, **more):
        """Runs it to its end. Gives the completed process."""
        return self(*self.words(words), code=code, **more)

    def start(self, *words, before=(), ignored=(), **more):
        """Begins a train. Gives the process, with its standard error on a pipe."""
        def signals():
            usual_signals()
            for number in ignored:
                signal.signal(number, signal.SIG_IGN)
        given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        return subprocess.Popen([*before, self.program, *self.words(words)], cwd=self.folder, text=True, env=self.environment(),
                                preexec_fn=signals, **given)

    def traced(self, inject, *words, and_inject=None, path=None, text_in=None):
        """Trains under strace, which does `inject` to a system call. Gives exit code (negative: the signal) and standard error."""
        injects = [word for one in (inject, and_inject) if one for word in ("-e", f"inject={one}")]
        calls = ",".join(one.split(":")[0] for one in (inject, and_inject) if one)
        paths = ["-P", path, "-P", str(self.folder / path)] if path else []
        strace = ["strace", "-f", "-qq", "-o", "/dev/null", *paths, "-e", f"trace={calls}", *injects]
        process = self.start(*words, before=strace, stdin=subprocess.DEVNULL if text_in is None else subprocess.PIPE)
        said = process.communicate(text_in, timeout=120)[1]
        return process.returncode, said

    def kill_after(self, step, *words, **more):
        """Trains until the checkpoint of this step is there, and kills it while it writes the next file."""
        code, said = self.traced("/^rename:signal=SIGKILL:when=2", *words, "--checkpoint-every", step, **more)
        assert code == -signal.SIGKILL, (code, said)
        assert steps_of(self.checkpoints()[0]) == step

    def kill_at_the_end(self, *words, **more):
        """Trains to the last step, and kills it as the model is about to appear."""
        code, said = self.traced("/^rename:signal=SIGKILL:when=1", *words, "--checkpoint-every", 1, path=f"{OUT}.tmp0", **more)
        assert code == -signal.SIGKILL, (code, said)
        assert not (self.folder / OUT).exists()

    def checkpoints(self, out=OUT):
        """Paths of the checkpoints, the newest first."""
        return sorted(self.folder.glob(f"{out}.*.ckpt-[12]"), key=steps_of, reverse=True)

    def files(self):
        return sorted(path.name for path in self.folder.iterdir())

    def log(self, name=LOG):
        return same_log((self.folder / name).read_text(encoding="utf-8").splitlines())

    def result(self):
        """What an interrupted and an uninterrupted run must have in common."""
        return (self.folder / OUT).read_bytes(), self.log()

    def clear(self, *names):
        """Takes away what trainings left."""
        for name in names or [path.name for path in self.folder.glob(f"{OUT}*")] + [LOG]:
            (self.folder / name).unlink(missing_ok=True)
