"""The curve of the costs on a terminal: what it shows, that it fits, and that it comes and goes without a trace while it is live."""
import fcntl
import json
import math
import random
import re
import signal
import struct
import termios
import time

import pytest

from command_tables import classes_table, numbers_table
from screens import Screen

ENDLESS = ["train", "xor.csv", "--epochs", "1000000000", "--patience", "0", "--live"]
TREES = ["train", "trees.csv", "--net", "4 tanh", "--epochs", 40, "--batch", 20, "--patience", 0, "--valid", "0.3", "--rate", "0.05"]
AXIS = re.compile(r"^ *(\S+)? [│┤|]")


@pytest.fixture
def ready(downhill):
    downhill.write("trees.csv", classes_table())
    downhill.write("houses.csv", numbers_table())
    return downhill


def plain(text):
    return re.sub(r"\033\[[0-9;]*m", "", text)


def picture_of(seen):
    """The lines of the last picture in what was seen, as they were written."""
    text = plain(seen).replace("\r\n", "\n")
    if " train " not in text:
        return []
    lines = text[:text.rindex("\nstopped ")].split("\n")
    begin = max((i for i, line in enumerate(lines) if " train " in line.split("\033[K")[-1][:20]), default=None)
    return [line.split("\033[K")[-1] for line in lines[begin:]] if begin is not None else []


def pictured(lines):
    """Lines of a screen that are of a picture."""
    return [line for line in lines if re.match(r"^ *[-\d.e+~]* [│┤|]|^ {9}[└+][─-]", line)]


GOLDEN_BRAILLE = """
cost   ⠒⠒⠒ train 0.1176   ⠒ ⠒ valid 0.1149
         │⢇
   0.873 ┤⠸⡀
         │⠱⣇
         │ ⠈⣆
     0.5 ┤  ⠈⢢
         │    ⠑⠢⡀
         │      ⠙⠢⣤ ⣀
   0.126 ┤         ⠉⠉⠒⠛⠒⠒⠒⠛⠒⠛⠒⠶⠤⠤⠤⠤⠤⠶⠤⠶⠤⠦⠤⢤⠤⠤⠤⠶⠤⠦⠤⠤⠤⣤⠤⣤⢄⡲⠔⠒
         └─────────────────────────────────────────────────
          1                     epoch                    40
"""

GOLDEN_ASCII = """
cost   * train 0.1176   o valid 0.1149
         |*
   0.873 |*
         |o*
         | o*
     0.5 |  oo
         |    oo
         |      oooooo*oooo           o       oo
   0.126 |         ** o****ooooooooooo*ooooooo**o
         +---------------------------------------
          1                epoch               40
"""

GOLDEN_POWERS = """
cost   ⠒⠒⠒ train 3.704e-05
         │⢣
   0.113 ┤⢸
         │⢸
         │⠈⣇
 0.00278 ┤ ⠘⢦⡀
         │   ⠙⠲⠤⣄⣀
         │       ⠈⠉⠙⠒⠒⠦⠤⠤⣄⣀⣀⣀
6.87e-05 ┤                  ⠈⠉⠉⠉⠑⠒⠒⠒⠲⠤⠤⠤⢤⣀⣀
         └─────────────────────────────────
          1             epoch         5,000
"""


@pytest.mark.quick
@pytest.mark.parametrize("words, columns, environment, golden", [
    (TREES, 60, {"NO_COLOR": "1"}, GOLDEN_BRAILLE),
    (TREES, 50, {"NO_COLOR": "1", "LANG": "C"}, GOLDEN_ASCII),
    (["train", "xor.csv", "--net", "8 tanh", "--epochs", 5000, "--patience", 0, "--rate", "0.01"], 44, {}, GOLDEN_POWERS)],
    ids=["braille", "ascii", "powers"])
def test_a_known_curve_gives_a_known_picture(ready, words, columns, environment, golden):
    """The same bits everywhere make the same dots everywhere."""
    seen, code = ready.on_terminal(*words, columns=columns, **environment)
    assert code == 0
    picture = "\n".join(line.rstrip() for line in picture_of(seen))
    assert "\n" + picture + "\n" == golden, "\n" + picture


@pytest.mark.parametrize("columns", [20, 21, 39, 40, 80, 100, 101, 200])
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}, {"LANG": "C"}, {"LANG": "C", "NO_COLOR": "1"}],
                         ids=["", "plain", "ascii", "plain-ascii"])
def test_it_fits(ready, columns, environment):
    seen, code = ready.on_terminal(*TREES, columns=columns, **environment)
    assert code == 0
    picture = picture_of(seen)
    assert 11 <= len(picture) <= 12 and max(map(len, picture)) == min(columns, 100) - 1, picture
    assert sum(bool(AXIS.match(line)) for line in picture) == 8
    head = " ".join(picture[:2])
    marks = ("*", "o") if "LANG" in environment else ("⠒⠒⠒", "⠒ ⠒")
    assert re.search(rf"(^| ){re.escape(marks[0])} train 0\.\d+", head) and re.search(rf"(^| ){marks[1]} valid 0\.\d+", head)
    assert "1 " in picture[-1] and picture[-1].endswith(" 40") or columns < 25
    assert "LANG" not in environment or seen.isascii()
    assert bool(re.search(r"\033\[3[36]m", seen)) == ("NO_COLOR" not in environment)
    assert "NO_COLOR" not in environment or not re.search(r"\033\[[0-9;]*m", seen)
    # nothing wraps: on a screen there are the same lines
    lines = Screen(columns, 200).feed(seen).text()
    assert [line.rstrip() for line in picture if AXIS.match(line)] == [line for line in lines if AXIS.match(line)]


def test_the_curves_differ_without_colour(ready):
    """Of rows that can't be told, where validation goes up: its curve has gaps, that of training has none."""
    draw = random.Random(1)
    ready.write("noise.csv", "a,b,c,y\n" + "".join(",".join(f"{draw.random():.3f}" for _ in range(4)) + "\n" for _ in range(80)))
    words = ["train", "noise.csv", "--net", "60 relu, 60 relu", "--epochs", 300, "--batch", 10, "--patience", 0, "--valid", "0.4"]
    seen, _ = ready.on_terminal(*words, columns=100, NO_COLOR="1")
    cells = [line[10:].ljust(90) for line in picture_of(seen) if AXIS.match(line)]
    halves = [["".join(column) for column in zip(*half)] for half in (cells[:2], cells[2:])]
    upper, lower = ([bool(column.strip()) for column in half[20:88]] for half in halves)
    assert all(lower) and upper == [column % 2 == 0 for column in range(68)], cells


@pytest.mark.parametrize("epochs, columns, drawn", [(0, 80, False), (1, 80, False), (2, 80, True), (2, 19, False), (2, 20, True)])
def test_two_epochs_and_twenty_columns_are_needed(ready, epochs, columns, drawn):
    seen, code = ready.on_terminal("train", "trees.csv", "--epochs", epochs, columns=columns)
    assert code == 0 and bool(pictured(plain(seen).replace("\r", "").split("\n"))) == drawn, seen


@pytest.mark.quick
def test_nothing_of_it_without_a_terminal(ready, tmp_path):
    """Not a byte; the call asserts that there is no escape code. Nor where the terminal can't redraw a line."""
    said = [re.sub(r"in [\d.]+ (s|min.*)", "", ready(*TREES, *more).stderr) for more in ([], ["--live"])]
    assert said[0] == said[1] and not pictured(said[0].splitlines()) and said[0].isascii()
    seen, code = ready.on_terminal(*TREES, "--live", TERM="dumb")
    assert code == 0 and "\033" not in seen and not pictured(seen.split("\n"))
    with open(tmp_path / "answer", "wb") as file:
        seen, _ = ready.on_terminal(*TREES, "--live", "--json", stdout=file)
    assert json.loads((tmp_path / "answer").read_text())["epochs"] == 40 and picture_of(seen)


def epochs_of(ready, log):
    """The costs of epochs that count at the end: what a way back took back is gone."""
    costs = {}
    for row in map(json.loads, (ready.folder / log).read_text().splitlines()):
        if "rollback" in row:
            costs = {epoch: cost for epoch, cost in costs.items() if cost[1] <= row["to"]}
        elif row.get("train_cost") is not None:
            costs[row["epoch"]] = row["train_cost"], row["step"]
    return [cost[0] for _, cost in sorted(costs.items())]


def test_what_was_gone_back_over_is_not_drawn(ready):
    words = ["train", "houses.csv", "--target", "price", "--net", "16 relu", "--batch", 8, "--epochs", 12, "--rule", "sgd", "--rate", 3,
             "--valid", 0, "--patience", 0, "--warmup", 6, "--log", "run.jsonl"]
    seen, code = ready.on_terminal(*words, columns=80)
    log = (ready.folder / "run.jsonl").read_text()
    assert code == 0 and "rollback" in log
    costs = epochs_of(ready, "run.jsonl")
    all_costs = [row["train_cost"] for row in map(json.loads, log.splitlines()) if row.get("train_cost") is not None]
    assert max(all_costs) > 2 * max(costs), "the test is wrong"
    low, high = min(costs), max(costs)
    expected = []
    for line in (1, 4, 7):
        up = (8 - line - 0.5) / 8
        expected.append(10 ** (up * math.log10(high / low)) * low if high / low > 100 else low + up * (high - low))
    found = [float(AXIS.match(line)[1]) for line in picture_of(seen) if AXIS.match(line) and AXIS.match(line)[1]]
    assert found == pytest.approx(expected, rel=0.01)


class Viewer:
    """Watches a live run: follows the screen, resizes the terminal and ends the run at set moments (seconds from the first picture)."""

    def __init__(self, columns=80, rows=40, reflows=True, changes=(), end=1.5):
        self.screen = Screen(columns, rows, reflows)
        self.changes, self.end_at = list(changes), end
        self.fed, self.begin, self.ended = 0, None, False
        self.shots = []

    def terminal(self, leader):
        self.leader = leader

    def act(self, process, seen):
        self.screen.feed(seen[self.fed:].decode("utf-8", errors="strict") if self.whole(seen) else "")
        self.fed = len(seen) if self.whole(seen) else self.fed
        if self.begin is None:
            self.begin = time.monotonic() if b"ETA" in seen else None
            return
        now = time.monotonic() - self.begin
        if self.changes and now > self.changes[0][0]:
            self.shots.append(self.screen.text())
            _, columns, rows = self.changes.pop(0)
            self.screen.resize(columns, rows)
            fcntl.ioctl(self.leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if now > self.end_at and not self.ended:
            self.shots.append(self.screen.text())
            self.visible = self.screen.visible()
            self.ended = True
            process.send_signal(signal.SIGINT)

    @staticmethod
    def whole(seen):
        """Whether no character is cut off."""
        try:
            seen[-8:].decode("utf-8", errors="strict") if len(seen) < 8 else seen.decode("utf-8", errors="strict")
            return True
        except UnicodeDecodeError:
            return False

    def run(self, ready, *words, code=130, **more):
        seen, ended = ready.on_terminal(*words, columns=self.screen.columns, rows=self.screen.rows, act=self.act, terminal=self.terminal,
                                        **more)
        assert ended == code, seen
        self.screen.feed(seen.encode()[self.fed:].decode())
        return seen


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1", "LANG": "C"}], ids=["", "plain-ascii"])
def test_live(ready, columns, environment):
    """The picture stands above the line, is redrawn at most four times a second, and Ctrl-C leaves nothing of either."""
    viewer = Viewer(columns)
    seen = viewer.run(ready, *ENDLESS, "--checkpoint-every", 1000, **environment)
    shot = viewer.shots[-1]
    assert len(pictured(shot)) == 9 and "%" in shot[-1] and " train " in shot[-12] + shot[-13], shot
    assert not pictured(viewer.screen.text()) and not any("%" in line for line in viewer.screen.text())
    assert any("stopped by" in line or "downhill:" in line for line in viewer.screen.text())
    drawings = len(re.findall(r"[└+][─-]{5}", seen))
    assert 3 <= drawings <= 4 * (viewer.end_at + 1), drawings
    # checkpoints by the hundred don't take it away in between
    assert seen.count("\033[J") <= 10 * (viewer.end_at + 1) + 3
    assert "NO_COLOR" not in environment or (seen.isascii() and not re.search(r"\033\[[0-9;]*m", seen))


def test_the_end_of_a_live_run_leaves_one_picture(ready):
    viewer = Viewer(end=1e9)
    seen = viewer.run(ready, "train", "xor.csv", "--epochs", 25000, "--patience", 0, "--live", code=0)
    lines = viewer.screen.text()
    assert len(re.findall(r"└─", seen)) > 2 and len(pictured(lines)) == 9, lines
    assert lines[0].startswith("data      xor.csv") and lines[-2].startswith("model ")


CHANGES = {"narrower": [(0.7, 50, 40)], "wider": [(0.7, 120, 40)], "both": [(0.6, 41, 40), (1.2, 90, 40), (1.8, 33, 30)],
           "lower": [(0.7, 80, 8)], "lower and back": [(0.7, 80, 8), (1.3, 80, 40)], "tiny": [(0.7, 12, 3)]}


@pytest.mark.parametrize("change", CHANGES)
def test_another_size(ready, change):
    """The next picture fits, and nothing of the last one is left, there or in what has scrolled away."""
    viewer = Viewer(changes=CHANGES[change], end=CHANGES[change][-1][0] + 0.9)
    viewer.run(ready, *ENDLESS)
    _, columns, rows = CHANGES[change][-1]
    assert pictured(viewer.shots[0])
    shot = viewer.shots[-1]
    if rows >= 14 and columns >= 20:
        assert len(pictured(viewer.visible)) == 9 and max(map(len, pictured(shot))) == min(columns, 100) - 1, shot
    else:
        assert not pictured(viewer.visible) and len(viewer.visible) == 1, shot
    assert "%" in shot[-1]
    # what the terminal itself pushed away can't be taken back
    pushed = pictured(viewer.screen.text()[:-len(viewer.screen.visible())])
    assert not pictured(viewer.screen.visible()) and len(pushed) <= (9 if min(rows for _, _, rows in CHANGES[change]) < 14 else 0)


def test_too_low_for_a_picture(ready):
    for rows, drawn in ((12, False), (13, True), (5, False)):
        viewer = Viewer(rows=rows, end=0.8)
        seen = viewer.run(ready, *ENDLESS)
        assert ("└" in seen) == drawn and not pictured(viewer.screen.text()), rows


def test_what_is_said_meanwhile_stands_above(ready):
    """A way back is told while the picture is there: the words stay, the picture is under them."""
    words = ["train", "houses.csv", "--target", "price", "--net", "16 relu", "--batch", 8, "--epochs", 3000000, "--rule", "sgd", "--rate", 3,
             "--valid", 0, "--patience", 0, "--live"]
    viewer = Viewer(end=1.2, columns=100)
    viewer.run(ready, *words)
    shot = viewer.shots[-1]
    back = [i for i, line in enumerate(shot) if line.startswith("back ")]
    assert back and len(pictured(shot)) == 9 and shot.index(pictured(shot)[0]) > back[-1], shot
    assert [line for line in viewer.screen.text() if line.startswith("back ")] and not pictured(viewer.screen.text())


def test_a_stop_and_a_go(ready):
    """After a shell had the terminal its words are left alone."""
    viewer = Viewer(end=2)
    halted = []

    def act(process, seen):
        viewer.act(process, seen)
        if viewer.begin and time.monotonic() - viewer.begin > 0.8 and not halted:
            process.send_signal(signal.SIGSTOP)
            time.sleep(0.1)
            halted.append(True)
            viewer.screen.feed("\r\n[1]+  Stopped\r\n$ fg\r\n")
            process.send_signal(signal.SIGCONT)
    seen, code = ready.on_terminal(*ENDLESS, act=act, terminal=viewer.terminal)
    viewer.screen.feed(seen.encode()[viewer.fed:].decode())
    lines = viewer.screen.text()
    assert code == 130 and "$ fg" in lines and "[1]+  Stopped" in lines
    assert len(pictured(lines)) == 9 and not pictured(lines[lines.index("$ fg"):])
