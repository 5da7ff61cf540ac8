#!/usr/bin/python3
"""Downhill beside its rivals, in turns, on this machine.

    bench/run.py                    every case; then rewrites the tables in docs/performance.md and README.md
    bench/run.py CASE...            those cases; prints the tables and writes nothing
    bench/run.py --quick [CASE...]  two turns, to try things out; prints, writes nothing

`tools/setup build bench` and `make` come before; `make bench` does all three. DOWNHILL names another command than build/downhill.
With one thread a contender is held to one core; with more, to the cores this program may use (taskset). A rival's figures are
microseconds a step over about 0.3 s, ours over about a second.
"""
import argparse
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "bench"))
import contender  # noqa: E402  (their folder is known only now)
import table  # noqa: E402
from cases import CASES  # noqa: E402

WORK = ROOT / "build/bench"
RIVALS = ROOT / "bench/rivals"
SCRIPTS = ("pytorch.py", "jax_jit.py", "tensorflow_graph.py", "sklearn_mlp.py", "lesson.py")


def say(line):
    print(line, flush=True)


def ask(command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout.strip()


def fann_command():
    """FANN's program, compiled here."""
    program = WORK / "fann"
    version = ask(["pkg-config", "--modversion", "fann"])
    subprocess.run(["cc", "-std=c11", "-O2", f'-DFANN_VERSION="{version}"', RIVALS / "fann.c", "-o", program, "-lfloatfann", "-lm"],
                   check=True)
    return [str(program)]


def rival_commands():
    python = ROOT / ".venv-bench/bin/python"
    if not python.exists():
        raise SystemExit("bench/run.py: no rivals here: `tools/setup build bench` installs them")
    scripts = [[str(python), str(RIVALS / name)] for name in SCRIPTS]
    return [*scripts[:-1], fann_command(), scripts[-1]]


def thread_counts():
    return sorted({1, len(os.sched_getaffinity(0))})


def title(series):
    return f"{series.column}{', ' + series.way if series.way else ''}, {series.threads} thread{'s' * (series.threads > 1)}"


def set_up(rivals, case, series):
    """Starts every rival that can do the case, in each of its ways and thread counts. All of them are in `series` then, also those
    that failed; gives those that didn't."""
    ready = []
    for command, about in rivals:
        for way in about["ways"]:
            for threads in (thread_counts() if way["threaded"] else [1]) if case in way["cases"] else []:
                series.append(table.Series(case, way["column"], way["way"], threads))
                log = WORK / f"{case}-{pathlib.Path(command[-1]).stem}-{way['way']}-{threads}.log"
                try:
                    ready.append(contender.Rival(command, series[-1], log))
                    say(f"{case}: {title(series[-1])}: ready")
                except contender.Failed as error:
                    say(f"{case}: {title(series[-1])} failed: {error}")
    return ready


def race(command, rivals, case, turns):
    """One case: everybody is set up, then takes turns. Gives the series of all and our instruction set."""
    ours = [contender.Ours(command, table.Series(case, table.OURS, "", threads)) for threads in thread_counts()]
    series = [one.series for one in ours]
    racing = list(ours)
    try:
        racing += set_up(rivals, case, series)
        for number in range(turns):
            # Everybody's neighbours stay the same, but who comes first doesn't.
            first = number % len(racing)
            for one in racing[first:] + racing[:first]:
                take_turn(one)
            racing = [one for one in racing if one.series.turns]
            say(f"{case}: turn {number + 1} of {turns}")
    finally:
        for one in racing:
            one.close()
    for one in series:
        say(f"{case}: {title(one)}: " + (f"{table.figure(one.median)} us" if one.turns else "failed"))
    return series, ours[0].isa


def take_turn(one):
    """A rival that fails loses its figures, and with them its place; that we fail ends everything."""
    try:
        one.turn()
    except (contender.Failed, OSError) as error:
        if one.series.column == table.OURS:
            raise SystemExit(f"bench/run.py: {title(one.series)}: {error}") from error
        say(f"{one.series.case}: {title(one.series)} failed: {error}")
        one.series.turns.clear()
        one.close()


def circumstances(command, rivals, isa, turns):
    """The lines over the tables: machine, compiler, versions, day, command."""
    info = json.loads(ask([command, "info", "--json"]))
    versions = ", ".join(dict.fromkeys(f"{about['name']} {about['version']}" for _, about in rivals))
    return [f"- Machine: {info['cpu']}, {len(os.sched_getaffinity(0))} cores; Downhill ran its {isa} kernels.",
            f"- Downhill {info['version']}, built by {info['compiler']}; {versions}; Python {sys.version.split()[0]}.",
            f"- {datetime.date.today()}, `make bench`, medians of {turns} turns."]


def write(into, series, lines):
    performance, readme = into / "docs/performance.md", into / "README.md"
    whole = "\n".join([*lines, "", table.main_table(series), "", "Every turn:", "", table.turns_table(series)])
    short = table.short_table(series, lambda case: CASES[case].net)
    table.rewrite({performance: table.put_between(performance.read_text(encoding="utf-8"), "bench", whole),
                   readme: table.put_between(readme.read_text(encoding="utf-8"), "bench", short)})


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--quick", action="store_true", help="two turns")
    parser.add_argument("--turns", type=int, default=9, help="turns of each contender in a case; 9 if not given")
    options = parser.parse_args(words)
    unknown = set(options.cases) - set(CASES)
    if unknown or options.turns < 1:
        parser.error(f"the cases are {', '.join(CASES)}" if unknown else "--turns must be at least 1")
    return options


def main(words, commands=None, into=ROOT):
    """The whole program. `commands` are the rivals', found where they're not given; the pages to write are in `into`."""
    options = parse(words)
    WORK.mkdir(parents=True, exist_ok=True)
    command = os.environ.get("DOWNHILL", str(ROOT / "build/downhill"))
    rivals = [(one, json.loads(ask(one))) for one in commands or rival_commands()]
    turns = 2 if options.quick else options.turns
    series, isa = [], None
    for case in options.cases or CASES:
        raced, isa = race(command, rivals, case, turns)
        series += raced
    lines = circumstances(command, rivals, isa, turns)
    say("\n".join(["", *lines, "", table.main_table(series), "", table.turns_table(series)]))
    if not options.quick and not options.cases:
        write(into, series, lines)
        say("\nwritten into docs/performance.md and README.md")


if __name__ == "__main__":
    # Ended by a signal like by an error: the rivals are ended too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    main(sys.argv[1:])
