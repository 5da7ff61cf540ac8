"""What find-rate computes, shows, writes and leaves."""
import json
import re
import signal
import xml.etree.ElementTree

import numpy
import pytest

from command_line import CREATE, FAILED, INPUT, screen
from command_tables import classes_table, numbers_table

pytestmark = pytest.mark.quick

KEYS = ["rate", "why", "start_cost", "lowest_cost", "lowest_rate", "steepest_rate", "lost_at", "steps"]
LINE = ["--net", "output identity", "--init", "zero", "--rule", "sgd", "--scale", "none", "--batch", "full", "--task", "numbers"]


def curve(downhill, *words, **more):
    """The curve by its log, and the answer that ends it."""
    downhill("find-rate", *words, "--log", "curve.jsonl", **more)
    _, *points, last = [json.loads(line) for line in (downhill.folder / "curve.jsonl").read_text().splitlines()]
    return {key: numpy.array([point[key] for point in points]) for key in points[0]}, last


def test_costs_are_those_of_a_descent_with_growing_rates(downhill):
    """A straight line fitted by NumPy, each step's rate 10^(1/40) of the last one's."""
    draw = numpy.random.default_rng(1)
    x, y = draw.normal(size=(40, 3)), draw.normal(size=40)
    downhill.write("line.csv", "a,b,c,y\n" + "".join(f"{a:.5f},{b:.5f},{c:.5f},{t:.5f}\n" for (a, b, c), t in zip(x, y)))
    x, y = numpy.round(x, 5), numpy.round(y, 5)
    points, _ = curve(downhill, "line.csv", *LINE)
    w, b, expected = numpy.zeros(3), 0.0, []
    for rate in points["rate"]:
        error = x @ w + b - y
        expected.append(numpy.mean(error**2) / 2)
        w, b = w - rate * (x.T @ error / len(y)), b - rate * error.mean()
    numpy.testing.assert_allclose(points["rate"], 1e-7 * 10**(numpy.arange(len(expected)) / 40), rtol=1e-12)
    # beyond, a descent goes away from rounding errors as from anything else
    steady = points["rate"] < 1
    numpy.testing.assert_allclose(points["cost"][steady], numpy.array(expected)[steady], rtol=1e-3)
    assert (points["cost"][-5:] > 4 * points["cost"][0]).all() and points["cost"][-6] < 4 * points["cost"][0]


def read_off(points):
    """What the curve says, by the description in the help; the smooth costs are remade from the raw ones."""
    cost, still, rate = points["cost"], points["still_cost"], points["rate"]
    start, smooth = still.mean(), []
    for i in range(len(rate)):
        near = numpy.arange(max(0, i - 10), min(len(rate), i + 11))
        weight = 11 - abs(near - i)
        smooth.append(start * (weight @ numpy.minimum(cost[near], 4 * start)) / (weight @ still[near]))
    smooth = numpy.array(smooth)
    fall = start - smooth
    best = numpy.maximum.accumulate(fall)
    lost = next((i for i in range(1, len(rate)) if best[i] >= fall.max() / 2 and fall[i] < best[i] / 2), len(rate))
    lowest = int(smooth[:lost].argmin())
    slopes = smooth[10:] - smooth[:-10]
    steepest = 5 + int(slopes[:lowest - 4].argmin())
    longest = rate[lost] / 10 if lost < len(rate) else rate[(fall >= 0.9 * fall[lowest]).argmax()]
    suggestion = min(longest, (rate[steepest] * longest)**0.5) if rate[steepest] < longest else longest
    return smooth, {"rate": float(f"{suggestion:.2g}"), "start_cost": start, "lowest_cost": smooth[lowest],
                    "lowest_rate": rate[lowest], "steepest_rate": rate[steepest],
                    "lost_at": rate[lost] if lost < len(rate) else None, "steps": len(rate)}


@pytest.mark.parametrize("words", [[], ["--rule", "sgd", "--batch", 7], ["--rule", "momentum", "--net", "16 sigmoid, 16 sigmoid"],
                                   ["--rule", "sgd", "--net", "32 relu, 32 relu", "--batch", "full"],
                                   ["--rule", "momentum", "--net", "64 relu, 32 relu", "--batch", "full"]])
@pytest.mark.parametrize("table", ["classes", "numbers"])
def test_what_is_read_off_the_curve(downhill, words, table):
    downhill.write("t.csv", classes_table() if table == "classes" else numbers_table())
    points, answer = curve(downhill, "t.csv", *words)
    smooth, expected = read_off(points)
    numpy.testing.assert_allclose(points["smooth_cost"], smooth, rtol=1e-12)
    assert list(answer) == KEYS
    for key, value in expected.items():
        assert answer[key] == (value if value is None else pytest.approx(value, rel=1e-12)), key
    assert f"{answer['steepest_rate']:.2g}, where" in answer["why"]
    assert answer["rate"] < answer["lowest_rate"] * 1.05


def test_start_weights_on_the_same_batches(downhill):
    """The first batch costs train what it costs here, and the start weights cost on all of them what another rate shows."""
    downhill.write("trees.csv", classes_table())
    words = ["trees.csv", "--batch", 8, "--seed", 4]
    downhill("train", *words, "--log", "train.jsonl", "--epochs", 2)
    first = json.loads((downhill.folder / "train.jsonl").read_text().splitlines()[1])
    points, _ = curve(downhill, *words, "--rate", 5)
    slow, _ = curve(downhill, *words, "--rule", "sgd", "--schedule", "cosine", "--warmup", 3, "--epochs", 1, "--patience", 1)
    assert points["cost"][0] == points["still_cost"][0] == first["cost"]
    length = min(len(points["rate"]), len(slow["rate"]))
    assert length > 100 and (points["still_cost"][:length] == slow["still_cost"][:length]).all()
    # at such rates nothing has moved yet
    numpy.testing.assert_allclose(slow["cost"][:80], slow["still_cost"][:80], rtol=1e-3)


def test_same_answer_from_any_threads_and_kernels_and_nothing_is_left(downhill):
    downhill.write("trees.csv", classes_table())
    answers = {downhill("find-rate", "trees.csv", "--json", *words).stdout
               for words in ([], ["--threads", 1], ["--threads", 2], ["--isa", "scalar"])}
    assert len(answers) == 1
    assert answers != {downhill("find-rate", "trees.csv", "--json", "--seed", 2).stdout}
    assert sorted(path.name for path in downhill.folder.iterdir()) == ["trees.csv", "xor.csv"]


def test_the_suggestion_trains_and_its_rate_is_the_flag(downhill):
    downhill.write("trees.csv", classes_table())
    for rule in ("sgd", "momentum", "adagrad", "rmsprop", "adam"):
        done = downhill("find-rate", "trees.csv", "--rule", rule)
        flag, rate = re.search(r"^suggested (--rate) ([^ :]+):", done.stdout, re.MULTILINE).groups()
        made = json.loads(downhill("train", "trees.csv", "--rule", rule, flag, rate, "--json").stdout)
        assert made["train"]["accuracy"] > 0.85, rule


@pytest.mark.parametrize("words, why", [(["xor.csv", "--init", "zero"], "does the cost fall"),
                                        (["huge.csv", "--scale", "none", "--rule", "sgd", "--task", "numbers"], "diverges at the smallest rate")])
def test_no_suggestion_is_said_and_fails(downhill, words, why):
    downhill.write("huge.csv", "a,y\n" + "".join(f"{i}e9,{i % 7}e9\n" for i in range(1, 40)))
    done = downhill("find-rate", *words, "--log", "curve.jsonl", code=FAILED)
    assert "suggested --rate" not in done.stdout and why in done.stderr
    assert json.loads((downhill.folder / "curve.jsonl").read_text().splitlines()[-1])["rate"] is None
    answer = json.loads(downhill("find-rate", *words, "--json", code=FAILED).stdout)
    assert answer["rate"] is None and why in answer["why"]


def test_picture(downhill):
    downhill.write("a&b<c.csv", classes_table())
    rate = json.loads(downhill("find-rate", "a&b<c.csv", "--svg", "p.svg", "--json").stdout)["rate"]
    content = (downhill.folder / "p.svg").read_text()
    root = xml.etree.ElementTree.fromstring(content)
    words = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"cost", "rate", f"--rate {rate:g}", "a&b<c.csv, adamw"} <= set(words)
    assert "prefers-color-scheme:dark" in content
    assert re.findall(r"https?:[^\"]*|href|url\(|<script", content) == ["http://www.w3.org/2000/svg"]
    path = root.find(".//{*}path").attrib["d"]
    x, y = numpy.array([pair.split() for pair in re.split("[ML]", path)[1:]], dtype=float).T
    assert (numpy.diff(x) > 0).all() and 72 <= x[0] and x[-1] <= 700 and 56 <= y.min() and y.max() <= 360
    # the mark stands between the decades that the axis names, where the rate does
    mark = float(root.find(".//{*}line[@class='mark']").attrib["x1"])
    middle = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if text.attrib.get("text-anchor") == "middle"]
    ticks = sorted((float(text.text), float(text.attrib["x"])) for text in middle if text.text != "rate")
    assert len(ticks) >= 5
    assert mark == pytest.approx(numpy.interp(numpy.log10(rate), numpy.log10([at for at, _ in ticks]), [x for _, x in ticks]), abs=0.02)
    downhill("find-rate", "a&b<c.csv", "--svg", "p.svg")
    assert (downhill.folder / "p.svg").read_text() == content


def test_files_of_others_are_left_alone(downhill):
    downhill.write("notes", "my notes\n")
    downhill.write("there/x", "")
    for words in (["--svg", "notes"], ["--log", "notes"], ["--svg", "there"], ["--svg", "nowhere/p.svg"], ["--log", "nowhere/l"]):
        downhill.refuse(CREATE, "find-rate", "xor.csv", *words)
    downhill.refuse(INPUT, "find-rate", "nothing.csv", "--svg", "p.svg")
    assert (downhill.folder / "notes").read_text() == "my notes\n"
    for flag in ("--svg", "--log"):
        downhill("find-rate", "xor.csv", flag, "/dev/null")


@pytest.mark.parametrize("columns", [20, 33, 60, 80, 150])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_fits_the_terminal(downhill, columns, locale):
    seen, code = downhill.on_terminal("find-rate", "xor.csv", columns=columns, LC_ALL=locale)
    assert code == 0
    lines = screen(seen, 1000)
    drawn = lines[lines.index("cost against rate") + 1:]
    drawn = drawn[:next(i for i, line in enumerate(drawn) if line.startswith("suggested")) + 2]
    axis = next(i for i, line in enumerate(drawn) if set(line.strip()) <= set("+-\u2514\u2500\u2534") and line.strip())
    assert 8 <= axis <= 14 and all(len(line) <= columns for line in drawn), drawn
    assert max(map(len, drawn[:axis + 2])) == min(columns, 100)
    assert drawn[axis + 1].split()[0] == "1e-7" and "suggested" in " ".join(drawn[axis + 2:])
    dots = "".join(drawn[:axis])
    assert dots.isascii() if locale == "C" else any(0x2800 < ord(character) < 0x2900 for character in dots)
    # the curve begins high and has a low; the mark is a column
    mark = "|" if locale == "C" else "\u250a"
    assert sum(mark in line[10:] for line in drawn[:axis]) >= axis // 2


def test_interrupted_it_leaves_nothing(downhill):
    downhill.write("wide.csv", ",".join(f"c{i}" for i in range(40)) + "\n" +
                   "".join(",".join(str((i * j) % 17) for j in range(40)) + "\n" for i in range(1, 400)))

    sent = []

    def act(process, seen):
        if b"trying rate" in seen and not sent:
            sent.append(process.send_signal(signal.SIGINT))
    seen, code = downhill.on_terminal("find-rate", "wide.csv", "--net", "2000 relu, 2000 relu", "--log", "l", "--svg", "s", act=act)
    assert code == 130 and "stopped by Ctrl-C; nothing was saved" in seen
    assert sorted(path.name for path in downhill.folder.iterdir()) == ["wide.csv", "xor.csv"]


def test_strict_and_a_valid_file(downhill):
    downhill.write("trees.csv", classes_table())
    downhill.write("v.csv", classes_table(30, seed=5))
    assert "--strict: guessed" in downhill("find-rate", "trees.csv", "--strict", code=2).stderr
    done = downhill("find-rate", "trees.csv", "--valid", "v.csv")
    assert "90 rows" in done.stderr and "--rate" not in done.stderr.split("net ")[0]
