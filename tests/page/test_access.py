"""Who can use the page: by keyboard alone, on a narrow screen, by eyes or ears of any kind; and from where."""

import pytest

import fixtures
from support import ROOT

AXE = ROOT / "page/node_modules/axe-core/axe.min.js"


@pytest.fixture(scope="module")
def descents():
    made = {"spirals": fixtures.Descent(fixtures.spirals(3), (8, 8), 0.01, 16, 10).walk_epochs(10, 2).diverge(20).walk_epochs(2).end(),
            "digits": fixtures.Descent(fixtures.digits(20), (12,), 0.005, 32, 2).walk_epochs(2).end(),
            "houses": fixtures.Descent(fixtures.houses(), (6,), 0.01, 32, 4).walk_epochs(4).diverge()}
    return made


def all_seen(page):
    """Everything has been in sight and has its documents."""
    for section in ("map", "network", "answers", "recipe"):
        if page.locator(f"#{section}").is_visible():
            page.locator(f"#{section}").scroll_into_view_if_needed()
            page.wait_for_timeout(60)
    page.wait_for_selector("#metrics dd")
    page.wait_for_selector("#layers tbody tr")


@pytest.mark.parametrize("name, scheme", [("spirals", "light"), ("spirals", "dark"), ("digits", "dark"), ("houses", "light")])
def test_no_serious_findings(show, descents, name, scheme):
    page = show(descents[name], color_scheme=scheme, mode="live" if name == "spirals" else "replay")
    all_seen(page)
    for summary in page.locator("summary:visible").all():
        summary.click()
    # The browser's own door, which the page's policy doesn't close.
    page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("name", ["spirals", "digits", "houses"])
def test_360_pixels(show, descents, name):
    """Nothing stands out to the right, whatever is looked at."""
    page = show(descents[name], mode="live" if name == "spirals" else "replay", width=360, height=740)
    all_seen(page)
    fits(page)
    for panel in ("Walk", "Network", "Answers", "Recipe"):
        page.get_by_role("button", name=panel, exact=True).click()
        page.wait_for_timeout(100)
        fits(page)


def fits(page):
    wide = page.evaluate("""[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .said, figure')
        && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + '#' + e.id)""")
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_by_keyboard_alone(show, descents):
    """Tab reaches all that can be pressed, in order, and each shows that it is there."""
    page = show(descents["spirals"], mode="replay")
    all_seen(page)
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    wanted = set(page.evaluate("""[...document.querySelectorAll('button, input, select, summary, canvas[tabindex], .chart, .scroll[tabindex="0"]')]
        .filter(e => !e.disabled && e.checkVisibility()).map((e, i) => e.dataset.n = String(i))"""))
    reached, unseen = set(), []
    for _ in range(len(wanted) + 20):
        page.keyboard.press("Tab")
        found = page.evaluate("""() => {
            const e = document.activeElement, style = getComputedStyle(e);
            return [e.dataset.n ?? null, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, e.outerHTML.slice(0, 80)];
        }""")
        if found[0] in reached:
            break
        if found[0]:
            reached.add(found[0])
            if not found[1]:
                unseen.append(found[2])
    assert wanted - reached == set()
    assert unseen == []


def test_live_controls_by_keyboard(show):
    descent = fixtures.Descent(fixtures.xor(), (4,), 0.01, 4, 100000)
    descent.state = "running"
    page = show(descent, mode="live")
    page.locator("#pause").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Go").wait_for()
    before = descent.step_count
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => document.querySelector('#where').textContent.endsWith('step {before + 1:,}')")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type("0.5")
    page.keyboard.press("Enter")
    page.get_by_text("The rate is 0.5 now.").wait_for()
    assert descent.rate == 0.5


@pytest.mark.serial
def test_report_from_disk(report, descents, fact):
    """A report asks nobody for anything, and is there within a second."""
    page = report([descents["spirals"]])
    took = 1000
    for _ in range(3):
        # The first time is the browser's own as well.
        page.reload()
        page.wait_for_function("() => performance.getEntriesByName('ready').length > 0")
        took = min(took, page.evaluate("performance.getEntriesByName('ready')[0].startTime"))
    fact("a report opened from disk", f"{took:.0f} ms")
    assert took < 1000
    all_seen(page)
    page.wait_for_selector(".confusion button")
    assert page.locator("#standing").inner_text() == "Report"
    assert page.locator("#times").is_hidden() and page.locator("#controls").is_hidden()
    page.get_by_text("rows that aren't among the worst").wait_for()
    assert page.locator("#walk-step").inner_text().startswith("step ")
    cell = page.locator(".confusion button:enabled").first
    cell.click()
    page.get_by_text("a report holds the worst rows only").wait_for()
    assert page.watch.problems == []
    assert [url for url in page.watch.asked if not url.startswith("file://")] == []


def test_report_changes_columns_among_its_maps(report, descents):
    page = report([descents["houses"]])
    page.get_by_label("Up", exact=True).select_option("district")
    page.wait_for_function("() => document.querySelector('#map-canvas').getAttribute('aria-label').includes('area and district')")
    assert page.watch.problems == []


def test_report_of_several_runs_and_names_as_text(report):
    data = fixtures.spirals(2, 30, ("</script><script>window.harmed=1</script>", "y"))
    first = fixtures.Descent(data, (3,), 0.01, 16, 2).walk_epochs(2).end()
    page = report([first, first])
    page.wait_for_selector("#map-legend li")
    assert page.evaluate("window.harmed") is None
    assert page.get_by_label("Across").input_value() == "</script><script>window.harmed=1</script>"
    assert page.locator("#walk-runs input").count() == 2


def test_policy_lets_nothing_in(show, descents):
    """What would be smuggled in does not run, and nothing can be fetched from elsewhere."""
    page = show(descents["spirals"])
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.harmed = 1";
        document.body.append(script);
    }""")
    assert page.evaluate("window.harmed") is None
    assert page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'came', () => 'refused')") == "refused"
    page.wait_for_timeout(50)
    assert sum("Content Security Policy" in problem for problem in page.watch.problems) >= 2
    page.watch.problems.clear()
