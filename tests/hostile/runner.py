"""The command, run on hostile files: how it ended, what it said, how much memory and time it took."""
import collections
import json
import os
import pathlib
import subprocess
import sys

import pytest

import support

Done = collections.namedtuple("Done", "code out said peak seconds")

MIB = 1 << 20

# Of the processor. The slowest cases take one where nothing else runs; sanitizers take ten times as long.
SECONDS = 3

# A regression shall end a test and not the machine it runs on.
ADDRESS_SPACE = 6 << 30


@pytest.fixture(scope="session")
def measured():
    """The small process that runs commands; a function that hands it one."""
    process = subprocess.Popen([sys.executable, "-S", "-E", pathlib.Path(__file__).with_name("measured.py")], text=True,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(**what):
        process.stdin.write(json.dumps(what) + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())
    yield run
    process.stdin.close()
    process.wait()


class Hostile:
    """A folder of files and the command in it."""

    def __init__(self, folder, measured):
        self.folder, self.measured = folder, measured
        self.sanitized = support.in_use() == "asan"

    def write(self, name, content):
        if isinstance(content, int):  # a file of so many zeros, which take no room on the disk
            (self.folder / name).touch()
            os.truncate(self.folder / name, content)
        else:
            (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def __call__(self, *words, stdin="/dev/null", **environment):
        out, said = self.folder / ".out", self.folder / ".said"
        out.touch()
        said.touch()
        out.write_bytes(b"")
        said.write_bytes(b"")
        done = self.measured(words=[str(support.command().absolute()), *map(str, words)], folder=str(self.folder),
                             stdin=str(stdin), stdout=str(out), stderr=str(said),
                             environment=support.environment(**environment),
                             address_space=0 if self.sanitized else ADDRESS_SPACE)
        return Done(done["code"], out.read_text(encoding="utf-8"), said.read_text(encoding="utf-8"), done["peak"],
                    done["seconds"])

    def refuse(self, *words, code=65, **more):
        """Runs what must be refused: one line that says why, no output, no file, and neither memory nor time."""
        before = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        done = self(*words, **more)
        after = sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))
        assert done.code == code, done
        assert done.said.startswith("downhill: ") and done.said.count("\n") == 1 and done.said.endswith("\n"), done.said
        assert done.out == "" and before == after
        assert done.seconds < (30 if self.sanitized else SECONDS), done
        return done

    def answer(self, *words, code=0, **more):
        """Runs what must be answered, in as little time."""
        done = self(*words, **more)
        assert done.code == code, done
        assert done.seconds < (30 if self.sanitized else SECONDS), done
        return done

    def bytes(self):
        return sum(path.stat().st_size for path in self.folder.iterdir())


@pytest.fixture
def hostile(tmp_path, measured):
    return Hostile(tmp_path, measured)
