"""The driver of `make bench`: its tables on canned figures, and its turns with a command and rivals made up here."""
import os
import re
import sys

import pytest

from support import ROOT

sys.path.insert(0, str(ROOT / "bench"))
import cases  # noqa: E402  (their folder is known only now)
import contender  # noqa: E402
import run as driver  # noqa: E402
import table  # noqa: E402
from table import OURS, Series  # noqa: E402

pytestmark = pytest.mark.quick

OUR_COMMAND = """#!{python}
import json, os, sys
if sys.argv[1] == "info":
    print(json.dumps({{"version": "1", "compiler": "c", "cpu": "a CPU", "cores": 2}}))
else:
    threads = int(sys.argv[sys.argv.index("--threads") + 1])
    assert len(os.sched_getaffinity(0)) == threads or threads > 1
    print(json.dumps([{{"case": sys.argv[2], "us_per_step": 10 / threads, "fraction": 0.5, "threads": threads, "isa": "avx9"}}]))
"""

RIVAL = """
import json, os, sys
if len(sys.argv) == 1:
    ways = [{{"way": "slow", "column": "Them", "cases": {cases}, "threaded": False}},
            {{"way": "quick", "column": "Them", "cases": {cases}, "threaded": False}}]
    print(json.dumps({{"name": "Them", "version": "7.0", "ways": ways}}))
    sys.exit()
assert "OPENBLAS_CORETYPE" not in os.environ and os.environ["OMP_NUM_THREADS"] == "1"
{set_up}
print("ready", flush=True)
for line in sys.stdin:
    assert line == "run\\n"
    print({{"slow": 60.0, "quick": 40.0}}[sys.argv[2]], flush=True)
"""

PAGE = "before\n<!-- bench begin -->\nold\n<!-- bench end -->\nafter\n"


@pytest.fixture
def pages(tmp_path):
    (tmp_path / "docs").mkdir()
    for path in (tmp_path / "docs/performance.md", tmp_path / "README.md"):
        path.write_text(PAGE, encoding="utf-8")
    return tmp_path


@pytest.fixture(autouse=True)
def our_command(tmp_path, monkeypatch):
    path = tmp_path / "downhill"
    path.write_text(OUR_COMMAND.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("DOWNHILL", str(path))
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Prescott")
    monkeypatch.setattr(driver, "WORK", tmp_path / "work")


def rival(tmp_path, done=tuple(cases.CASES), set_up=""):
    path = tmp_path / "rival.py"
    path.write_text(RIVAL.format(cases=list(done), set_up=set_up), encoding="utf-8")
    return [sys.executable, str(path)]


def some_series():
    """A case with everything: two counts of ours, a rival in two ways, one that failed; a case that only one rival can do."""
    return [Series("a", OURS, "", 1, [11, 9, 10], [0.5, 0.7, 0.6]), Series("a", OURS, "", 2, [6, 5, 100], [0.4, 0.4, 0.4]),
            Series("a", "PyTorch", "eager", 1, [640, 600, 660]), Series("a", "PyTorch", "eager", 2, [700, 700, 1]),
            Series("a", "Broken", "x", 1), Series("b", OURS, "", 1, [0.2], [0.1]), Series("b", OURS, "", 2, [0.3], [0.1]),
            Series("b", "FANN", "train", 1, [0.1])]


def test_main_table():
    """Medians, not means or bests; the ratio is of the best of theirs to the best of ours, whichever threads that was on."""
    assert table.main_table(some_series()).splitlines() == [
        "| case | Downhill, 1 thread | Downhill, 2 threads | of peak | PyTorch | Broken | FANN |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a | 10.0 | 6.00 | 60% | 640 (107x) | failed |  |",
        "| b | 0.200 | 0.300 | 10% |  |  | 0.100 (0.50x) |"]


def test_turns_table_has_the_spread():
    lines = table.turns_table(some_series()).splitlines()
    assert "| a | Downhill | 2 | 6.00 | 5.00 | 100 |" in lines
    assert "| a | PyTorch, eager | 1 | 640 | 600 | 660 |" in lines
    assert "| a | Broken, x | 1 | failed |  |  |" in lines


def test_short_table():
    assert table.short_table(some_series(), lambda case: f"net of {case}").splitlines()[2:] == [
        "| a: net of a | 6.00 | PyTorch 640 (107x) | 640 (107x) |",
        "| b: net of b | 0.200 | FANN 0.100 (0.50x) |  |"]


@pytest.mark.parametrize("value, text", [(0.0471, "0.047"), (4.018, "4.02"), (17.26, "17.3"), (99.96, "100.0"), (1708.6, "1,709")])
def test_figures(value, text):
    assert table.figure(value) == text


def test_only_what_stands_between_the_markers_changes():
    assert table.put_between(PAGE, "bench", "new\n") == PAGE.replace("old", "new")
    for page in ("", PAGE + PAGE, "<!-- bench end --><!-- bench begin -->\n"):
        with pytest.raises(ValueError, match="the page needs one line '<!-- bench begin -->'"):
            table.put_between(page, "bench", "new")


def test_whole_run_writes_both_pages(pages):
    driver.main(["--turns", "3"], [rival(pages)], pages)
    performance = (pages / "docs/performance.md").read_text(encoding="utf-8")
    ours = 10 / driver.thread_counts()[-1]
    assert performance.startswith("before\n<!-- bench begin -->\n- Machine: a CPU, ") and performance.endswith("end -->\nafter\n")
    assert "Them 7.0" in performance and "medians of 3 turns" in performance
    assert performance.count(f" | 40.0 ({40 / ours:.{1 if 40 / ours < 10 else 0}f}x) |") == len(cases.CASES)
    assert f"| xor: 2-4-1 | {table.figure(ours)} | Them 40.0 " in (pages / "README.md").read_text(encoding="utf-8")
    assert not list(pages.rglob("*.new"))


def test_what_a_rival_cannot_do_is_empty(pages, capsys):
    driver.main(["--quick", "xor", "wide"], [rival(pages, ["wide"])], pages)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[-2].strip() == "" for line in lines if line.startswith(("| xor | 10.0", "| wide | 10.0"))] == [True, False]


@pytest.mark.parametrize("words", [["xor"], ["--quick"]])
def test_part_of_a_run_writes_nothing(pages, words):
    driver.main(words, [rival(pages)], pages)
    assert (pages / "docs/performance.md").read_text(encoding="utf-8") == (pages / "README.md").read_text(encoding="utf-8") == PAGE


def test_rival_that_dies_is_told_and_the_rest_goes_on(pages, capsys):
    driver.main(["--quick", "xor"], [rival(pages, set_up="if sys.argv[2] == 'quick': sys.exit('no such thing')")], pages)
    said = capsys.readouterr().out
    assert "xor: Them, quick, 1 thread failed: it ended: see " in said
    assert "| 60.0 (" in said
    assert (pages / "work/xor-rival-quick-1.log").read_text(encoding="utf-8") == "no such thing\n"


def test_interrupted_run_leaves_pages_and_no_process(pages, monkeypatch):
    """In the middle of a turn: the pages are as they were, the frozen rivals are gone."""
    started, set_up = [], contender.Rival.__init__

    def noted(self, *arguments):
        set_up(self, *arguments)
        started.append(self.process)

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(contender.Rival, "__init__", noted)
    monkeypatch.setattr(contender.Rival, "turn", interrupted)
    with pytest.raises(KeyboardInterrupt):
        driver.main([], [rival(pages)], pages)
    assert len(started) == 2
    for process in started:
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
    assert (pages / "README.md").read_text(encoding="utf-8") == PAGE


def test_cases_are_those_of_the_command():
    """Name, batch and rule of each case stand in the command's own recipes too."""
    source = (ROOT / "cli/bench_cases.c").read_text(encoding="ascii")
    for case in cases.CASES.values():
        row = source[source.index(f'{{"{case.name}", BENCH_'):].split("ENDLESS", 1)[0]
        for part in (f"batch={case.batch}", f"rule={case.rule}\\n", f"cost={case.cost}\\n", f"rate={case.rate:g}\\n",
                     *(f"{width} {case.hidden}" for width in case.widths[1:-1])):
            assert re.search(re.escape(part) + r"(?!\d)", row), (case.name, part)
