"""Rules for all tests: serial tests run alone, the command is tested under sanitizers too, and facts that tests found out stand
at the end of the report."""
import fcntl
import os
import pathlib

import pytest

import command_line
import support

# The oracles' libraries use one thread each: two tests run at a time, and threads would only make them wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.pop("OPENBLAS_CORETYPE", None)


# Tests of the command that `make test-long` also runs under the thread sanitizer, and by valgrind.
THREADED = ("test_answers", "test_bad_input", "test_train", "test_terminal")
BY_VALGRIND = ("test_answers", "test_bad_input", "test_usage")

# Valgrind opens files of its own where descriptors are closed.
NOT_BY_VALGRIND = ("test_closed_descriptors_are_not_files_of_ours",)


@pytest.fixture(autouse=True)
def alone(request):
    """Serial tests hold a lock that all others share. Who waits for it holds the door, so that a serial test gets its turn."""
    locks = pathlib.Path(os.environ.get("HILL_TEST_LOCKS", support.ROOT / "build"))
    serial = request.node.get_closest_marker("serial") is not None
    with support.locked(locks / ".lock-door"):
        held = support.locked(locks / ".lock-room", fcntl.LOCK_EX if serial else fcntl.LOCK_SH)
        held.__enter__()
    try:
        yield
    finally:
        held.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def command_build(request):
    """The build whose command support.command() gives to this test."""
    with support.using(getattr(request, "param", "gcc")):
        yield


def pytest_generate_tests(metafunc):
    """Tests of the command run twice, the second time under the sanitizers; not if they're quick, measure time or say
    ONE_BUILD, or if DOWNHILL says which command they are about."""
    path = metafunc.definition.path.relative_to(support.ROOT / "tests")
    of_command = path.parts[0] in ("cli", "hostile") or path.name == "test_documents.py"
    of_command = of_command and not getattr(metafunc.module, "ONE_BUILD", False)
    quick = metafunc.config.getoption("markexpr") == "quick"
    if of_command and not quick and "DOWNHILL" not in os.environ and not metafunc.definition.get_closest_marker("serial"):
        module, name = metafunc.module.__name__, metafunc.definition.name
        longer = ["tsan"] if module in THREADED else []
        longer += ["valgrind"] if module in BY_VALGRIND and name not in NOT_BY_VALGRIND else []
        metafunc.parametrize("command_build", ["gcc", "asan"] + [pytest.param(make, marks=pytest.mark.long) for make in longer],
                             indirect=True)


@pytest.fixture
def fact(record_property):
    """fact("stripped library", "93 KiB"): a line under the report."""
    return lambda name, value: record_property("fact", f"{name}: {value}")


def pytest_terminal_summary(terminalreporter):
    lines = [value for reports in terminalreporter.stats.values() for report in reports
             for key, value in getattr(report, "user_properties", []) if key == "fact" and report.when == "call"]
    if lines:
        terminalreporter.section("facts")
        for line in sorted(set(lines)):
            terminalreporter.write_line(line)


@pytest.fixture
def downhill(tmp_path):
    """The command in an empty folder that holds xor.csv."""
    made = command_line.Downhill(tmp_path)
    made.write("xor.csv", command_line.XOR)
    return made
