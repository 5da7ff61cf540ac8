"""The page beside a descent under way: it follows, steers, and leaves."""
import json
import time

import pytest

import fixtures


def live(show, pace=0.002, **options):
    descent = fixtures.Descent(fixtures.spirals(), epochs=100000)
    descent.walk_epochs(3)
    descent.state = "running"
    return show(descent, mode="live", pace=pace, **options), descent


def wait(true, what, seconds=5):
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, what
        time.sleep(0.02)


def step_shown(page):
    return int(page.locator("#where").inner_text().split("step ")[1].replace(",", ""))


def steps_within(page, descent, seconds):
    begin = descent.step_count
    page.wait_for_timeout(1000 * seconds)
    return descent.step_count - begin


def test_follows_steers_and_ends(show):
    page, descent = live(show)
    first = step_shown(page)
    wait(lambda: step_shown(page) > first + 20, "the page doesn't follow")
    assert page.locator("#standing").inner_text() == "Running"

    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go").wait_for()
    stands = descent.step_count
    assert steps_within(page, descent, 0.2) == 0
    page.get_by_role("button", name="One step").click()
    wait(lambda: step_shown(page) == stands + 1, "one step isn't one")
    assert descent.step_count == stands + 1

    page.locator("#rate").fill("0.025")
    page.get_by_role("button", name="Set").click()
    page.get_by_text("The rate is 0.025 now.").wait_for()
    assert descent.rate == 0.025
    page.get_by_role("button", name="Schedule's own").click()
    page.get_by_text("follows its schedule again").wait_for()
    assert descent.rate == 0.01 and page.locator("#rate").input_value() == "0.01"

    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved in spirals.safetensors.").wait_for()
    page.get_by_role("button", name="Go").click()
    wait(lambda: descent.step_count > stands + 5, "it doesn't go on")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_timeout(100)
    assert descent.state == "running", "one press is not enough to stop"
    page.get_by_role("button", name="Sure?").click()
    wait(lambda: page.locator("#standing").inner_text() == "Ended", "it doesn't end")
    assert page.get_by_role("button", name="Pause").is_disabled()
    assert [order["do"] for order in page.stage.orders] == ["pause", "step", "rate", "rate", "save", "go", "stop"]


@pytest.mark.parametrize("typed", ["fast", "-1", "", "0"])
def test_a_rate_that_is_none_is_refused(show, typed):
    page, descent = live(show)
    page.locator("#rate").fill(typed)
    page.locator("#rate").press("Enter")
    page.get_by_text("A rate is a number above 0").wait_for()
    assert page.stage.orders == [] and descent.rate == 0.01


def test_documents_are_asked_for_again_but_not_too_often(show):
    page, _ = live(show)
    page.wait_for_selector("#map-legend li")
    page.stage.asked.clear()
    page.wait_for_timeout(1500)
    asked = page.stage.asked.copy()
    assert 3 <= asked.count("/api/map") <= 16
    assert 3 <= asked.count("/api/net") <= 16
    page.locator("#answers").scroll_into_view_if_needed()
    page.wait_for_selector(".confusion button")
    page.stage.asked.clear()
    page.wait_for_timeout(1500)
    assert 1 <= page.stage.asked.count("/api/answers") <= 2


def test_a_hidden_page_asks_for_nothing_and_a_closed_one_leaves(show):
    page, descent = live(show)
    wait(lambda: page.stage.streams == 1, "no stream")
    page.evaluate("""() => {
        Object.defineProperty(document, "hidden", {get: () => window.away, configurable: true});
        window.away = true;
        document.dispatchEvent(new Event("visibilitychange"));
    }""")
    wait(lambda: page.stage.streams == 0, "a hidden page still listens")
    page.wait_for_timeout(200)
    page.stage.asked.clear()
    page.wait_for_timeout(600)
    assert [path for path in page.stage.asked if path != "/api/run"] == []
    page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    wait(lambda: page.stage.streams == 1, "it doesn't come back")
    before = step_shown(page)
    wait(lambda: step_shown(page) > before, "it doesn't follow again")
    page.close()
    wait(lambda: page.stage.streams == 0, "a closed page still listens")
    assert descent.state == "running"


def test_lines_come_once_however_often_the_stream_opens(show):
    page, descent = live(show)
    descent.diverge(descent.step_count - 5)
    for away in ("true", "false") * 2:
        page.evaluate("""away => {
            Object.defineProperty(document, "hidden", {get: () => away, configurable: true});
            document.dispatchEvent(new Event("visibilitychange"));
        }""", away == "true")
        page.wait_for_timeout(150)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Go").wait_for()
    page.wait_for_timeout(300)
    page.get_by_text("As a table").click()
    rows = [json.loads(line) for line in descent.lines]
    back = next(i for i, row in enumerate(rows) if "rollback" in row)
    steps = {row["step"] for i, row in enumerate(rows) if "cost" in row and (i > back or row["step"] <= rows[back]["to"])}
    assert f"of {len(steps):,} lines" in page.locator("#walk-table-body p").inner_text()
    assert page.locator("#walk-told-count").inner_text() == "1 event"


def test_a_log_that_is_cut_back_is_followed(show):
    """What was told of steps that are walked anew is forgotten."""
    descent = fixtures.Descent(fixtures.xor(), (4,), 0.05, 4, 60).walk_epochs(20).end()
    page = show(descent)
    page.wait_for_function("() => document.querySelector('#walk-step').textContent.startsWith('step 20,')")
    descent.cut(11)
    descent.step_count = 10
    page.wait_for_function("() => document.querySelector('#walk-step').textContent.startsWith('step 10,')")
    descent.walk_epochs(3).end()
    page.wait_for_function("() => document.querySelector('#walk-step').textContent.startsWith('step 13,')")
    page.get_by_text("As a table").click()
    steps = page.locator("#walk-table-body tbody tr td:first-child").all_inner_texts()
    assert [int(step) for step in steps] == list(range(1, 14))


def test_new_snapshots_appear(show):
    page, _ = live(show, every=1)
    wait(lambda: int(page.locator("#time").get_attribute("max")) > 0, "no snapshot appears", 8)


def test_stands_still_for_those_who_want_that(show):
    page, _ = live(show, reduced_motion="reduce")
    assert page.evaluate("getComputedStyle(document.querySelector('#standing'), '::before').animationName") == "none"


def test_nothing_jumps(show):
    """While a descent runs no part of the page changes its place or its size."""
    page, _ = live(show)
    page.wait_for_selector("#map-legend li")
    page.wait_for_timeout(400)
    boxes = "[...document.querySelectorAll('button, h2, h3, canvas, .chart, .card')].map(e => e.getBoundingClientRect())"
    begin = page.evaluate(boxes)
    page.wait_for_timeout(700)
    assert page.evaluate(boxes) == begin


@pytest.mark.serial
def test_frames(show, fact):
    page, _ = live(show, pace=0.004)
    page.wait_for_selector("#map-legend li")
    spans = page.evaluate("""() => new Promise(done => {
        const spans = [];
        let last = 0;
        const frame = now => {
            if (last)
                spans.push(now - last);
            last = now;
            spans.length < 180 ? requestAnimationFrame(frame) : done(spans.sort((a, b) => a - b));
        };
        requestAnimationFrame(frame);
    })""")
    median = 1000 / spans[90]
    fact("frames a second beside a live run", f"median {median:.0f}, slowest of twenty {1000 / spans[171]:.0f}")
    assert median >= 55
