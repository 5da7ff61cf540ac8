"""What a person at a terminal sees: one live line that fits, and no colour where it isn't wanted."""
import re
import signal

import pytest

from command_line import screen
from command_tables import classes_table

ENDLESS = ["train", "xor.csv", "--epochs", "1000000000", "--patience", "0"]


def stop_after(drawings):
    """Ends the program by Ctrl-C once it has drawn its live line so often."""
    sent = []

    def act(process, seen):
        if not sent and seen.count(b"%") > drawings:
            sent.append(process.send_signal(signal.SIGINT))
    return act


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_live_line_fits(downhill, columns):
    seen, code = downhill.on_terminal(*ENDLESS, columns=columns, act=stop_after(12))
    assert code == 130
    frames = re.findall(r"\r([^\r\n]*)\033\[K", seen)
    drawn = [re.sub(r"\033\[[0-9]*m", "", frame) for frame in frames if "%" in frame]
    assert len(drawn) > 8
    assert all(len(frame) < columns for frame in drawn)
    assert any("ETA measuring" in frame for frame in drawn)
    assert re.search(r"ETA \d", drawn[-1])
    assert ("train" in drawn[-1]) == (columns >= 40)
    assert ("rows/s" in drawn[-1]) == (columns >= 200)
    assert ("\u2500" * 8 in drawn[-1]) == (columns >= 80)
    # nothing of the live line is left at the end
    assert not any("%" in line for line in screen(seen, columns))


def test_redrawn_at_most_ten_times_a_second(downhill):
    seen, _ = downhill.on_terminal(*ENDLESS, act=stop_after(15))
    assert seen.count("%") < 40


@pytest.mark.quick
def test_finished_screen(downhill):
    downhill.write("trees.csv", classes_table())
    seen, code = downhill.on_terminal("train", "trees.csv", "--epochs", 50)
    assert code == 0
    lines = screen(seen, 80)
    assert lines[0].startswith("data      trees.csv: 90 rows, 4 columns")
    assert any(line.startswith("stopped   ") for line in lines)
    assert any(line.startswith("model     trees.safetensors") for line in lines)
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"NO_COLOR": ""}, {}])
def test_colour(downhill, environment):
    seen, _ = downhill.on_terminal(*ENDLESS, columns=120, act=stop_after(6), **environment)
    assert bool(re.search(r"\033\[[0-9;]*m", seen)) == (not environment.get("NO_COLOR"))


@pytest.mark.quick
@pytest.mark.parametrize("kind", ["dumb", ""])
def test_dumb_terminal(downhill, kind):
    seen, code = downhill.on_terminal("train", "xor.csv", "--epochs", 300, TERM=kind)
    assert code == 0
    assert "\033" not in seen and "\b" not in seen and "\r" not in seen.replace("\r\n", "\n")


def test_ascii_where_the_terminal_does_not_speak_utf8(downhill):
    seen, _ = downhill.on_terminal(*ENDLESS, act=stop_after(8), LANG="C", LC_ALL="C")
    assert seen.isascii() and "---" in seen


def test_answers_stay_clean_on_a_terminal(downhill, tmp_path):
    with open(tmp_path / "answer.json", "wb") as file:
        _, code = downhill.on_terminal("train", "xor.csv", "--epochs", 50, "--json", stdout=file)
    answer = (tmp_path / "answer.json").read_text()
    assert code == 0 and "\033" not in answer and answer.startswith("{") and answer.count("\n") == 1
