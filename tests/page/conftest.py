"""Fixtures of the page's tests: the command and commands that serve; the page as it was built, a browser, a watch over both."""
import contextlib
import re

import pytest
from playwright.sync_api import sync_playwright

import command_line
import fixtures
import standin
from served import Pages
from support import build

CHROMIUM = "/usr/bin/chromium"


class Watch:
    """Collects what a page must not do: complain, throw, or ask another host."""

    def __init__(self, context):
        self.problems, self.hosts, self.asked = [], set(), []
        context.on("console", lambda message: self.problems.append(message.text) if message.type in ("error", "warning") else None)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        context.on("request", lambda request: (self.asked.append(request.url), self.hosts.add(request.url.split("/")[2]))
                   if not request.url.startswith(("data:", "blob:")) else None)


@pytest.fixture(scope="session")
def built():
    """The page and its policy, as they are in the command."""
    folder = build("gcc")
    policy = re.search(r'page_policy\[\] =\s*"(.*)";', (folder / "page.c").read_text(encoding="ascii"))[1]
    return (folder / "page.html").read_bytes(), policy


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def show(built, browser):
    """show(descent, ...): a page that shows it, its stage beside it. Whatever test uses it, the page may complain of nothing."""
    with contextlib.ExitStack() as stack:
        watches = []

        def open_page(descent, hash="", mode="replay", others=(), pace=0.002, missing=None, every=0, width=1200, height=900, **options):
            stage = standin.Stage(*built, descent, mode, others, pace, missing)
            stage.every = every
            address = stack.enter_context(standin.serving(stage))
            context = browser.new_context(viewport={"width": width, "height": height}, **options)
            stack.callback(context.close)
            context.set_default_timeout(8000)
            watch = Watch(context)
            watches.append((watch, address.split("/")[2]))
            page = context.new_page()
            page.stage, page.watch = stage, watch
            page.goto(address + hash)
            page.wait_for_selector("body[data-ready=yes]")
            return page

        yield open_page
        for watch, host in watches:
            assert watch.problems == []
            assert watch.hosts == {host}


@pytest.fixture
def report(built, browser, tmp_path):
    """report(descents): a page opened from a file, and the watch over it."""
    with contextlib.ExitStack() as stack:
        def open_report(descents, hash="", **options):
            file = tmp_path / "report.html"
            file.write_bytes(fixtures.report_of(built[0], descents))
            context = browser.new_context(viewport={"width": 1200, "height": 900}, **options)
            stack.callback(context.close)
            context.set_default_timeout(8000)
            page = context.new_page()
            page.watch = Watch(context)
            page.goto(f"file://{file}{hash}")
            page.wait_for_selector("body[data-ready=yes]")
            return page

        yield open_report


@pytest.fixture
def pages(tmp_path):
    """Commands that serve, in an empty folder that holds xor.csv."""
    made = Pages(tmp_path)
    made.write("xor.csv", command_line.XOR)
    try:
        yield made
    finally:
        made.close()
