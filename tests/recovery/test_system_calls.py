"""The order of the system calls behind a checkpoint: what makes it survive a power cut can't be seen afterwards."""
import re
import subprocess

import pytest

import recovery_data
from descents import LOG, OUT

CALLS = "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,close,/^rename,/^unlink"


def calls_of(trace):
    """(call, path, answer) of each line: strace -y writes descriptors as 3</path>."""
    for line in trace.splitlines():
        found = re.match(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)", line)
        if not found:
            continue
        name, arguments, answer = found[1], found[2], int(found[3])
        if name.startswith(("open", "rename", "unlink")):
            paths = re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)
            flags = arguments.rsplit('"', 1)[1]
            yield re.sub("at2?$", "", name), tuple(paths), answer, flags
        else:
            yield name, (re.search(r"<(.*?)>", arguments) or ["", ""])[1], answer, ""


def complaints(trace, folder, path, log):
    """What is wrong with the order in which `path` came to be, the last time that it did; [] where nothing is."""
    calls = [(name, [in_full(folder, word) for word in paths] if isinstance(paths, tuple) else in_full(folder, paths), answer, flags)
             for name, paths, answer, flags in calls_of(trace)]
    path = in_full(folder, path)
    renames = [i for i, call in enumerate(calls) if call[0] == "rename" and call[1][1:] == [path] and call[2] == 0]
    if not renames:
        return ["it never came by a rename"]
    made = renames[-1]
    temporary = calls[made][1][0]
    opened = [i for i, call in enumerate(calls[:made]) if call[0] == "open" and call[1] == [temporary] and call[2] >= 0]
    wrong = []
    if temporary.rsplit("/", 1)[0] != path.rsplit("/", 1)[0]:
        wrong.append("the temporary file lies in another folder")
    if not opened or "O_EXCL" not in calls[opened[-1]][3]:
        return [*wrong, "the temporary file wasn't made with O_EXCL"]
    steps = [call[0] for call in calls[opened[-1] + 1:made] if call[1] == temporary]
    if not re.fullmatch(r"(write )+f(data)?sync close ", "".join(step + " " for step in steps)):
        wrong.append(f"between opening and renaming: {steps}")
    here = path.rsplit("/", 1)[0]
    after = [(call[0], call[1]) for call in calls[made + 1:]]
    synced = after.index(("fsync", here)) if ("fsync", here) in after else None
    if synced is None or any(name in ("write", "rename", "unlink") for name, _ in after[:synced]):
        wrong.append("the folder isn't synced before the next thing is done")
    if log:
        told = [call[0] for call in calls[:made] if call[1] == in_full(folder, log) and call[0] in ("write", "fsync", "fdatasync")]
        if not told or told[-1] == "write":
            wrong.append("the log isn't synced before the checkpoint appears")
    return wrong


def in_full(folder, path):
    return path if path.startswith("/") else str(folder / path).rstrip("/.")


GOOD = f"""
10 openat(AT_FDCWD, "{LOG}", O_WRONLY|O_CREAT, 0666) = 4
10 write(4</f/{LOG}>, "{{}}"..., 10) = 10
10 fsync(4</f/{LOG}>) = 0
10 openat(AT_FDCWD, "{OUT}.tmp0", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0666) = 3
10 write(3</f/{OUT}.tmp0>, "X"..., 6) = 6
10 fsync(3</f/{OUT}.tmp0>) = 0
10 close(3</f/{OUT}.tmp0>) = 0
10 rename("{OUT}.tmp0", "{OUT}") = 0
10 openat(AT_FDCWD, ".", O_RDONLY|O_CLOEXEC) = 3
10 fsync(3</f>) = 0
10 close(3</f>) = 0
"""


def test_the_reader_of_traces():
    """Each line of the good order that is left out or moved is complained about, but for what doesn't matter."""
    import pathlib
    folder = pathlib.Path("/f")
    assert complaints(GOOD, folder, OUT, LOG) == []
    lines = GOOD.splitlines()[1:]
    for i, line in enumerate(lines):
        without = "\n".join(lines[:i] + lines[i + 1:])
        harmless = "RDONLY" in line or "close(3</f>)" in line or LOG in line and "openat" in line
        harmless = harmless or "write(4" in line
        assert (complaints(without, folder, OUT, LOG) == []) == harmless, line
    for i, j in ((3, 4), (4, 5), (5, 6), (6, 7), (5, 7), (7, 9), (1, 2), (2, 9)):
        moved = list(lines)
        moved[i], moved[j] = moved[j], moved[i]
        assert complaints("\n".join(moved), folder, OUT, LOG), (i, j)
    assert complaints(GOOD.replace(f'"{OUT}.tmp0"', '"/tmp/x"').replace(f"/f/{OUT}.tmp0", "/tmp/x"), folder, OUT, LOG)
    assert complaints(GOOD.replace("|O_EXCL", ""), folder, OUT, LOG)


@pytest.mark.parametrize("log", [LOG, None])
@pytest.mark.parametrize("where", ["", "deep/"])
def test_a_checkpoint_survives_a_power_cut(descents, log, where):
    descents.write("numbers.csv", recovery_data.numbers())
    (descents.folder / "deep").mkdir()
    words = [descents.program, "train", "numbers.csv", "--net", "5 tanh", "--epochs", "2", "--batch", "16", "--out", where + OUT,
             "--checkpoint-every", "2", "--threads", "1", *(["--log", log] if log else [])]
    done = subprocess.run(["strace", "-f", "-y", "-qq", "-s", "4096", "-o", "trace", "-e", f"trace={CALLS}", *words], cwd=descents.folder,
                          capture_output=True, text=True, check=False, env=descents.environment())
    assert done.returncode == 0, done.stderr
    trace = (descents.folder / "trace").read_text(errors="replace")
    made = sorted(set(re.findall(r'rename\w*\(.*"(?:[^"]*/)?([^"/]*\.ckpt-[12])"', trace)))
    assert len(made) == 2, made
    for name in made:
        assert complaints(trace, descents.folder, where + name, log) == []
    assert complaints(trace, descents.folder, where + OUT, None) == []
    removed = [i for i, line in enumerate(trace.splitlines()) if "unlink" in line and ".ckpt-" in line and "= 0" in line]
    appeared = next(i for i, line in enumerate(trace.splitlines()) if re.search(r"rename.*/?m\.safetensors\"\) += 0", line))
    assert len(removed) == 2 and min(removed) > appeared, "a checkpoint was removed before the model was there"
