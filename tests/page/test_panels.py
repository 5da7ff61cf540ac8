"""Each panel of the page, and whether it says the truth."""
import json
import re

import pytest

import fixtures


@pytest.fixture(scope="module")
def xor():
    return fixtures.Descent(fixtures.xor(), (6,), 0.05, 4, 80).walk_epochs(80, 20).end()


@pytest.fixture(scope="module")
def houses():
    return fixtures.Descent(fixtures.houses(), (12,), 0.01, 16, 12).walk_epochs(12).end()


@pytest.fixture(scope="module")
def digits():
    return fixtures.Descent(fixtures.digits(30), (24, 12), 0.005, 32, 4).walk_epochs(4).end()


def number(text):
    return float(text.replace("\u2212", "-").replace(",", ""))


def rows_of(descent):
    return [line for line in map(json.loads, descent.lines) if "cost" in line]


def colours_at(page, places):
    """The colours of the map at places between 0 and 1."""
    return page.evaluate("""places => {
        const canvas = document.getElementById("map-canvas"), sharp = canvas.width / canvas.clientWidth;
        const [left, top, right, bottom] = [58, 6, 6, 36];
        const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return places.map(([u, v]) => {
            const x = left + u * (canvas.clientWidth - left - right), y = top + (1 - v) * (canvas.clientHeight - top - bottom);
            const at = 4 * (Math.round(y * sharp) * canvas.width + Math.round(x * sharp));
            return [...pixels.slice(at, at + 3)];
        });
    }""", places)


def test_walk_says_what_the_log_says(show, xor):
    page = show(xor)
    chart = page.locator(".chart.big")
    rows = rows_of(xor)
    values = page.locator(".chart.big .value")
    page.wait_for_function("() => document.querySelector('#walk-step').textContent.startsWith('step 80,')")
    assert number(values.nth(0).inner_text()) == pytest.approx(rows[-1]["cost"], rel=1e-4)
    chart.focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('#walk-step').textContent.startsWith('step 1,')")
    for name, key in (("cost", "cost"), ("train", "train_cost")):
        assert number(page.locator(f".key.{name} .value").inner_text()) == pytest.approx(rows[0][key], rel=1e-4)
    small = page.locator(".chart:not(.big) .value")
    assert number(small.nth(0).inner_text()) == pytest.approx(rows[0]["rate"], rel=1e-4)
    assert number(small.nth(1).inner_text()) == pytest.approx(rows[0]["gradient_norm"], rel=1e-4)
    assert number(small.nth(2).inner_text()) == pytest.approx(rows[0]["step_norm"], rel=1e-4)
    page.get_by_text("As a table").click()
    cells = page.locator("#walk-table-body tbody tr").nth(9).locator("td").all_inner_texts()
    assert number(cells[2]) == pytest.approx(rows[9]["cost"], rel=1e-8)


def test_walk_is_stretched_and_shown_whole_again(show, xor):
    page = show(xor)
    whole = page.get_by_role("button", name="Whole")
    assert whole.is_disabled()
    page.locator(".chart.big").focus()
    page.keyboard.press("+")
    page.wait_for_function("() => !document.querySelector('#walk-whole').disabled")
    whole.click()
    page.wait_for_function("() => document.querySelector('#walk-whole').disabled")
    box = page.locator(".chart.big .u-over").bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_function("() => !document.querySelector('#walk-whole').disabled")


def test_log_scale_is_in_the_address(show, xor):
    page = show(xor, "#log=0")
    button = page.get_by_role("button", name="Log scale")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    page.wait_for_function("() => document.querySelector('#walk-log').getAttribute('aria-pressed') === 'true'")
    assert "log=1" in page.evaluate("location.hash")


def test_fall_freezes_and_is_told(show):
    """A run that came to what is no finite number: what is drawn ends before, and a banner says where and why."""
    descent = fixtures.Descent(fixtures.xor(), (4,), 0.05, 4, 60).walk_epochs(20)
    descent.tell({"step": 21, "epoch": 21, "cost": None, "rate": 0.05, "gradient_norm": None, "weight_norm": None, "step_norm": None,
                  "train_cost": None, "valid_cost": None, "valid_accuracy": None, "seconds": 1})
    descent.tell({"step": 22, "epoch": 22, "cost": 5.0, "rate": 0.05, "gradient_norm": 1, "weight_norm": 1, "step_norm": 1,
                  "train_cost": None, "valid_cost": None, "valid_accuracy": None, "seconds": 1})
    page = show(descent)
    page.get_by_text("The descent diverged at step 21, at rate 0.05.").wait_for()
    assert page.locator("#walk-step").inner_text() == "step 20, epoch 20"


def test_live_fall_is_told_with_its_message(show):
    descent = fixtures.Descent(fixtures.xor(), (4,), 0.05, 4, 60).walk_epochs(20).diverge()
    page = show(descent, mode="live")
    page.get_by_text("The descent diverged at step 21, at rate 0.05.").wait_for()
    page.get_by_text("Rows 3, 7: the cost is no finite number. What is drawn is the last finite state.").wait_for()


def test_way_back_is_told_and_cut_off(show):
    descent = fixtures.Descent(fixtures.xor(), (4,), 0.05, 4, 60).walk_epochs(20).diverge(12).walk_epochs(3).end()
    page = show(descent)
    page.get_by_text("diverged at step 21 (epoch 20), rows 3, 7: the cost is no finite number, at rate 0.05; back to step 12").wait_for()
    assert page.locator("#banner").is_hidden()
    page.wait_for_function("() => document.querySelector('#walk-step').textContent.startsWith('step 15,')")
    page.get_by_text("As a table").click()
    steps = page.locator("#walk-table-body tbody tr td:first-child").all_inner_texts()
    assert [int(step) for step in steps] == list(range(1, 16))


def test_several_runs(show):
    """More than a browser has connections for, and none of them has ended: each gets its turn."""
    runs = []
    for i, rate in enumerate((0.002, 0.01, 0.05, 0.02, 0.03)):
        runs.append(fixtures.Descent(fixtures.xor(), (4,), rate, 4, 10).walk_epochs(10))
        runs[-1].data.name = f"run-{i}"
    page = show(runs[0], others=runs[1:])
    last = [rows_of(run)[-1]["train_cost"] for run in runs]
    page.wait_for_function("() => document.querySelector('.key.train .value')?.textContent.trim().split(/ +/).length === 5")
    page.wait_for_function("() => !document.querySelector('.key.train .value').textContent.includes('\u2013')")
    said = page.locator(".key.train .value").inner_text().split()
    assert [number(text) for text in said] == pytest.approx(last, rel=1e-3)
    page.get_by_label("run-1").uncheck()
    page.get_by_label("run-4").uncheck()
    page.wait_for_function("() => document.querySelector('.key.train .value').textContent.trim().split(/ +/).length === 3")
    assert "run=0%2C2%2C3" in page.evaluate("location.hash")


def test_map_is_the_right_way_up(show, xor):
    """Blue where the answer is 0, orange where it is 1: turned over, XOR would be its contrary."""
    page = show(xor)
    page.wait_for_selector("#map-legend li")
    page.wait_for_timeout(200)
    found = colours_at(page, [[0.06, 0.06], [0.06, 0.94], [0.94, 0.06], [0.94, 0.94]])
    assert [red > blue + 40 for red, _, blue in found] == [False, True, True, False]
    assert [blue > red + 40 for red, _, blue in found] == [True, False, False, True]


def test_map_reads_what_the_model_answers(show, houses):
    page = show(houses, "#x=age&y=area")
    page.wait_for_selector("#map-legend li")
    page.locator("#map-canvas").focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    page.wait_for_function("() => document.querySelector('#map-readout').textContent.includes('price')")
    said = page.locator("#map-readout").inner_text()
    age, area, price = (number(text) for text in re.match(r"age (\S+), area (\S+): price (\S+)", said).groups())
    low, high = (column["low"] for column in houses.data.columns[:2]), [column["high"] for column in houses.data.columns[:2]]
    low = list(low)
    assert (age - low[1]) / (high[1] - low[1]) == pytest.approx(0.6, abs=0.001)
    assert (area - low[0]) / (high[0] - low[0]) == pytest.approx(0.52, abs=0.001)
    row = fixtures.np.array([[area, age, fixtures.np.median(houses.data.rows[:, 2])]])
    true = houses.walk(houses.data.inputs(row))[-1][0, 0] * houses.data.target_deviation + houses.data.target_mean
    spread = houses.data.target.max() - houses.data.target.min()
    assert abs(price - true) < 0.03 * spread
    assert "district = " in page.locator("#map-note").inner_text()


def test_map_of_a_category_and_a_change_of_columns(show, houses):
    page = show(houses)
    page.wait_for_selector("#map-legend li")
    page.get_by_label("Up", exact=True).select_option("district")
    page.wait_for_function("() => document.querySelector('#map-canvas').getAttribute('aria-label').includes('area and district')")
    assert "y=district" in page.evaluate("location.hash")
    page.get_by_label("Up", exact=True).select_option("area")
    page.wait_for_function("() => document.querySelector('#map-canvas').getAttribute('aria-label').includes('district and area')")
    assert page.get_by_label("Across").input_value() == "district"


def test_net_says_what_the_weights_are(show, xor):
    page = show(xor)
    page.wait_for_selector("#layers tbody tr")
    page.locator("#net-canvas").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("() => document.querySelector('#net-readout').textContent.includes('unit 2')")
    said = page.locator("#net-readout").inner_text()
    weights = dict((name, number(text)) for text, name in re.findall(r"(\S+) from (x\d)", said))
    step = 2 * abs(xor.weights[0]).max() / 255
    assert weights["x1"] == pytest.approx(xor.weights[0][0, 1], abs=step) and weights["x2"] == pytest.approx(xor.weights[0][1, 1], abs=step)
    assert number(re.search(r"bias (\S+);", said)[1]) == pytest.approx(xor.biases[0][1], abs=step)
    first = page.locator("#layers tbody tr").nth(0).inner_text()
    assert "layer1" in first and "6 tanh" in first and "12" in first


def test_pictures_and_all_units(show, digits):
    """First-layer units as pictures; the document has ten of 24, the rest is fetched when it is asked for."""
    page = show(digits)
    page.get_by_text("10 of 24 units, each as the picture that it looks for.").wait_for()
    assert page.locator("#map").is_hidden()
    page.get_by_role("button", name="Show all 24 units").click()
    page.get_by_text("24 of 24 units").wait_for()
    assert page.stage.asked.count("/api/layer") == 2
    page.locator("#answers").scroll_into_view_if_needed()
    page.wait_for_selector(".album li")
    assert page.locator(".album li").count() == 24
    worst = digits.answers_document()["worst"][0]
    assert f"{worst['truth']} \u2192 {worst['answer']}" in page.locator(".album li").first.inner_text()
    pixel = page.evaluate("[...document.querySelector('.album canvas').getContext('2d').getImageData(3, 2, 1, 1).data]")
    assert pixel[0] == int(digits.data.rows[worst["row"] - 1][2 * 14 + 3])


def test_wide_layers_say_what_is_not_drawn(show, digits):
    page = show(digits, "#panel=network&layer=layer2")
    page.get_by_text("Drawn are 10 of 24 units of layer1, 10 of 12 units of layer2; below stand all.").wait_for()
    assert page.get_by_label("Layer", exact=True).input_value() == "layer2"


def test_confusion_and_the_rows_behind(show):
    descent = fixtures.Descent(fixtures.spirals(3), (8,), 0.01, 16, 8).walk_epochs(8).end()
    page = show(descent, "#panel=answers")
    true = descent.answers_document()["confusion"]
    page.wait_for_selector(".confusion button")
    shown = [int(text) for text in page.locator(".confusion button").all_inner_texts()]
    assert shown == [count for row in true for count in row]
    truth, answer = next((t, a) for t in range(3) for a in range(3) if t != a and true[t][a] > 0)
    cell = page.locator(".confusion button").nth(3 * truth + answer)
    cell.focus()
    page.keyboard.press("Enter")
    names = descent.data.classes
    page.get_by_text(f"Truth {names[truth]}, answer {names[answer]}").wait_for()
    found = page.locator("#rows tbody tr")
    assert found.count() == min(24, true[truth][answer])
    for row in found.all_inner_texts():
        assert row.split("\t")[1:3] == [names[truth], names[answer]]
    page.get_by_role("button", name="Back to the worst").click()
    page.get_by_text("24 of 360 rows, by their cost").wait_for()


def test_numbers(show, houses):
    page = show(houses, "#panel=answers")
    page.wait_for_selector("#metrics dd")
    metrics = houses.answers_document()["metrics"]
    shown = dict(zip(page.locator("#metrics dt").all_inner_texts(), page.locator("#metrics dd").all_inner_texts()))
    assert number(shown["R\u00b2"]) == pytest.approx(metrics["r2"], rel=1e-3)
    assert number(shown["Mean absolute error"]) == pytest.approx(metrics["mae"], rel=1e-3)
    off = [answer - truth for truth, answer in houses.answers_document()["scatter"]]
    said = page.locator("#residual-note").inner_text()
    assert number(re.match(r"Mean (\S+),", said)[1]) == pytest.approx(sum(off) / len(off), rel=1e-3)
    assert "400 rows" in page.locator("#scatter-canvas").get_attribute("aria-label")


def test_other_times_and_another_way(show, xor):
    page = show(xor, "#panel=network")
    page.wait_for_selector("#layers tbody tr")
    page.locator("#time").focus()
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('#net-canvas').getAttribute('aria-label').includes('epoch 20:')")
    assert "at=20" in page.evaluate("location.hash") and page.locator("#time-words").inner_text() == "epoch 20"
    first = page.locator("#layers tbody tr").first.locator(".range").first.inner_text()
    page.keyboard.press("End")
    page.wait_for_function("() => document.querySelector('#net-canvas').getAttribute('aria-label').includes('epoch 80:')")
    assert page.locator("#layers tbody tr").first.locator(".range").first.inner_text() != first
    page.keyboard.press("Home")
    page.get_by_role("button", name="Recipe").click()
    assert page.locator("#fork-command").inner_text() == ("downhill train xor.csv --net '6 tanh' --epochs 80"
                                                          " --start xor.snapshots/epoch-000020.safetensors --out xor-from-20.safetensors")
    page.locator("#fork").get_by_role("button", name="Copy").click()
    page.locator("#fork").get_by_role("button", name=re.compile("Copied|Select")).wait_for()


def test_times_play(show, xor):
    page = show(xor, "#at=20")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelector('#time-words').textContent === 'the end'")
    page.get_by_role("button", name="Play").wait_for()


def test_recipe(show, xor):
    page = show(xor, "#panel=recipe")
    knobs = page.locator("#recipe-facts tr").all_inner_texts()
    assert "seed\t1" in knobs and "net\t6 tanh" in knobs
    assert page.locator("#recipe-command").inner_text() == "downhill train xor.csv --net '6 tanh' --epochs 80"


def test_what_is_missing_is_said(show, xor):
    page = show(xor, missing="xor.safetensors is gone, so there is no net")
    page.get_by_text("xor.safetensors is gone, so there is no net").wait_for()
    assert page.locator("#network").is_hidden() and page.locator("#walk").is_visible()


def test_names_are_text(show):
    """Markup in names of columns, classes and values is shown as it stands and does nothing."""
    evil = "<img src=x onerror='window.harmed=1'>"
    data = fixtures.spirals(2, 40, (evil, "</script><b>y"), [evil, "<i>no"])
    data.name = data.target_name = "<b>bold</b>"
    descent = fixtures.Descent(data, (4,), 0.01, 16, 2).walk_epochs(2, 1).diverge(1).walk_epochs(1).end()
    page = show(descent)
    page.wait_for_selector("#map-legend li")
    page.locator("#answers").scroll_into_view_if_needed()
    page.wait_for_selector(".confusion button")
    assert page.locator("h1").inner_text() == "<b>bold</b>"
    assert evil in page.locator("#map-legend").inner_text() and evil in page.locator("#rows").inner_text()
    assert page.locator("img, h1 b, script[src], #rows i").count() == 0
    assert page.evaluate("window.harmed") is None


def test_errors_are_said_in_place(show, houses):
    page = show(houses)
    page.stage.document, answers = (lambda what, said: None if what == "map" else answers(what, said)), page.stage.document
    page.get_by_label("Up", exact=True).select_option("district")
    page.get_by_text("there is no such document").wait_for()
    page.watch.problems.clear()
