"""Runs the command as a person or a script would, in a folder of its own."""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import support

OK, FAILED, USAGE, DATA, INPUT, CREATE, IO = 0, 1, 2, 65, 66, 73, 74

XOR = "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n"

# Enough epochs to see something, few enough to take no time.
QUICK = ["--epochs", "20"]

ESCAPES = ("\033", "\r", "\b")


class Downhill:
    """The command, run in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.program = str(support.command().absolute())

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content, encoding="utf-8")
        return name

    def environment(self, **extra):
        made = support.environment(LANG="C.UTF-8", TERM="xterm")
        made.pop("NO_COLOR", None)
        made.update(extra)
        return made

    def __call__(self, *words, code=OK, text_in=None, timeout=120, **extra):
        """Runs it; the exit code must be `code`, and nothing written to a pipe may hold an escape code."""
        done = subprocess.run([self.program, *map(str, words)], cwd=self.folder, input=text_in, capture_output=True, text=True,
                              timeout=timeout, env=self.environment(**extra), check=False,
                              stdin=subprocess.DEVNULL if text_in is None else None)
        said = f"downhill {' '.join(map(str, words))}\n{done.stdout}{done.stderr}"
        assert done.returncode == code, f"exit code {done.returncode}, not {code}: {said}"
        for escape in ESCAPES:
            assert escape not in done.stderr and escape not in done.stdout, f"{escape!r} in a pipe: {said}"
        return done

    def refuse(self, code, *words, **more):
        """Runs what must fail: an error on stderr alone, at most three lines, and no file left behind. Gives its text."""
        before = sorted(path.name for path in self.folder.rglob("*"))
        done = self(*words, code=code, **more)
        after = sorted(path.name for path in self.folder.rglob("*"))
        said = done.stderr[done.stderr.index("downhill: "):]
        assert done.stdout == ""
        assert said.endswith("\n") and said.count("\n") <= 3, said
        assert before == after, f"left behind: {set(after) ^ set(before)}"
        return said

    def on_terminal(self, *words, columns=80, rows=40, timeout=60, stdout=None, act=None, terminal=None, **extra):
        """Runs it with standard error (and output, unless a file is given) on a terminal. Gives the bytes and the exit code.

        act(process, bytes so far) is called now and then; terminal(leader) once, with the descriptor behind the terminal.
        """
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if terminal:
            terminal(leader)
        process = subprocess.Popen([self.program, *map(str, words)], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=stdout or follower, stderr=follower, env=self.environment(**extra),
                                   start_new_session=True)
        os.close(follower)
        seen = b""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if select.select([leader], [], [], 0.05)[0]:
                try:
                    block = os.read(leader, 65536)
                except OSError:
                    break
                if not block:
                    break
                seen += block
            if act:
                act(process, seen)
        os.close(leader)
        try:
            code = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return seen.decode("utf-8"), code


def screen(seen, columns):
    """What stands on a screen of so many columns after these bytes, as lines; knows what the command may use, and no more."""
    lines, x, y, i = [[]], 0, 0, 0
    while i < len(seen):
        character = seen[i]
        i += 1
        if character == "\033":
            assert seen[i] == "[", repr(seen[i:i + 10])
            start = i + 1
            while not seen[i].isalpha():
                i += 1
            kind, i = seen[i], i + 1
            if kind == "K":
                del lines[y][x:]
            else:
                assert kind == "m", (kind, seen[start:i])
            continue
        if character == "\r":
            x = 0
        elif character == "\n":
            y, lines = y + 1, lines + [[]]
        else:
            assert character.isprintable(), repr(character)
            if x == columns:
                x, y, lines = 0, y + 1, lines + [[]]
            lines[y] += [" "] * (x - len(lines[y]))
            lines[y][x:x + 1] = [character]
            x += 1
    return ["".join(line).rstrip() for line in lines]
