"""Every fuzz target: over seeds and old findings in every build; by libFuzzer for a little; and by AFL++ too for hours."""
import base64
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest

import seeds
from support import ROOT, build, environment, in_builds, locked, program, run

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = sorted(path.stem for path in HERE.glob("*.c") if path.stem != "driver")
SECONDS = 20
LONG_SECONDS = int(os.environ.get("DOWNHILL_FUZZ_SECONDS", "3600"))

# A longer input finds nothing that a shorter one doesn't, and the limit of a run is far above what the slowest input takes.
LENGTH_MOST = 4096
STUCK_SECONDS = 30

# Reproducers up to this size stand in the message.
SHOWN = 3000


def found(target):
    """Files that once broke the target."""
    return sorted((HERE / "found" / target).glob("*"))


@pytest.fixture
def memory():
    """A folder in memory, for targets that write files."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as folder:
        yield folder


def test_every_target_has_seeds():
    assert sorted(seeds.TARGETS) == TARGETS
    assert {path.name for path in (HERE / "found").iterdir()} <= set(TARGETS)


@pytest.mark.parametrize("target, make", in_builds(TARGETS))
def test_replay(target, make, tmp_path, memory):
    """The last name that a failing target says is the file it failed on."""
    seeds.write(tmp_path, target)
    files = [*(tmp_path / target).iterdir(), *found(target)]
    done = run([program(make, f"fuzz/{target}"), *files], timeout=1200 if make == "valgrind" else 120, TMPDIR=memory)
    assert done.stdout.endswith(f"\n{len(files)} runs\n")


def reproducer(target, path):
    """What to do with an input that broke a target."""
    data = path.read_bytes()
    text = f"reproducer: {path}\nkeep it: cp {path} tests/fuzz/found/{target}/NAME"
    return text + (f"\nbase64: {base64.b64encode(data).decode()}" if len(data) <= SHOWN else "")


def remember(folder, **facts):
    """A line more in the list of runs, which documents quote."""
    with locked(folder / ".lock-runs"), open(folder / "runs.jsonl", "a", encoding="ascii") as file:
        file.write(json.dumps(facts) + "\n")
    return f"{facts['runs']:,} runs in {facts['seconds']} s, {facts['edges']} edges, {facts['corpus']} inputs kept"


def libfuzzer(target, seconds, memory):
    """Fuzzes on from what earlier runs kept. Returns what went wrong, "" if nothing did, and the facts."""
    folder = build("fuzz")
    seeds.write(folder / "seeds", target)
    corpus, broken = folder / "corpus" / target, folder / "broken" / target
    for path in (corpus, broken):
        path.mkdir(parents=True, exist_ok=True)
    command = [folder / "fuzz" / target, f"-max_total_time={seconds}", f"-max_len={LENGTH_MOST}", f"-timeout={STUCK_SECONDS}",
               "-print_final_stats=1", f"-artifact_prefix={broken}/", f"-dict={folder}/seeds/{target}.dict",
               corpus, folder / "seeds" / target]
    done = subprocess.run([str(word) for word in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=seconds + 600, env=environment(TMPDIR=memory), check=False)
    if done.returncode != 0:
        written = re.search(r"Test unit written to (\S+)", done.stderr)
        said = re.sub(r"^(#\d+|INFO:|stat::|0x).*\n", "", done.stderr, flags=re.MULTILINE)[-4000:]
        return f"{target}: {said}" + (reproducer(target, pathlib.Path(written[1])) if written else ""), ""
    runs = int(re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)[1])
    edges, inputs = re.findall(r"cov: (\d+) .*?corp: (\d+)/", done.stderr)[-1]
    return "", remember(folder, fuzzer="libFuzzer", target=target, seconds=seconds, runs=runs, edges=int(edges),
                        corpus=int(inputs))


def afl(target, seconds, memory):
    """The same by AFL++, each time from the seeds and old findings."""
    folder, seen = build("afl"), build("afl") / "seeds" / target
    shutil.rmtree(seen, ignore_errors=True)
    seeds.write(folder / "seeds", target)
    for path in found(target):
        shutil.copy(path, seen / f"found-{path.name}")
    out = folder / "out" / target
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    sanitizers = {name: f"{value}:abort_on_error=1:symbolize=0" for name, value in environment().items()
                  if name.endswith("SAN_OPTIONS")}
    run(["afl-fuzz", "-V", seconds, "-G", LENGTH_MOST, "-t", 1000 * STUCK_SECONDS, "-i", seen, "-o", out,
         "-x", folder / "seeds" / f"{target}.dict", "--", folder / "fuzz" / target],
        timeout=seconds + 600, TMPDIR=memory, AFL_NO_UI="1", AFL_SKIP_CPUFREQ="1", AFL_NO_AFFINITY="1",
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES="1", **sanitizers)
    stats = dict(line.split(":", 1) for line in (out / "default/fuzzer_stats").read_text(encoding="ascii").splitlines())
    stats = {name.strip(): value.strip() for name, value in stats.items()}
    broken = sorted((out / "default").glob("crashes/id*")) + sorted((out / "default").glob("hangs/id*"))
    said = "\n".join(f"{target}: {reproducer(target, path)}" for path in broken)
    return said, remember(folder, fuzzer="AFL++", target=target, seconds=seconds, runs=int(stats["execs_done"]),
                          edges=int(stats["edges_found"]), corpus=int(stats["corpus_count"]))


def test_libfuzzer_for_a_little(fact, memory):
    """All targets, two at once."""
    build("fuzz")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = dict(zip(TARGETS, pool.map(lambda target: libfuzzer(target, SECONDS, memory), TARGETS)))
    wrong = [said for said, _ in results.values() if said]
    assert not wrong, "\n\n".join(wrong)
    for target, (_, facts) in results.items():
        fact(f"libFuzzer, {target}", facts)


@pytest.mark.long
@pytest.mark.parametrize("fuzzer", [libfuzzer, afl], ids=lambda fuzzer: fuzzer.__name__)
@pytest.mark.parametrize("target", TARGETS)
def test_for_long(target, fuzzer, fact, memory):
    said, facts = fuzzer(target, LONG_SECONDS, memory)
    assert not said, said
    fact(f"{fuzzer.__name__} for long, {target}", facts)
