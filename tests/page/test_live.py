"""A descent that is watched: the same model whoever watches, and what the page asks for is done between two steps."""
import contextlib
import fcntl
import json
import os
import pathlib
import signal
import time

import pytest

from served import Events, lines, wait_for

NET = ["--net", "6 tanh"]
ENDLESS = ["train", "xor.csv", *NET, "--epochs", 10**9, "--patience", 0]
BOTH = pytest.mark.parametrize("command_build", ["gcc", "asan"], indirect=True)


@BOTH
def test_the_same_model_whoever_watches(pages):
    words = ["train", "xor.csv", *NET, "--epochs", 40000, "--checkpoint-every", 0]
    pages(*words, "--out", "alone.safetensors", "--log", "alone.jsonl")
    page = pages.start(*words, "--out", "watched.safetensors", "--log", "watched.jsonl", "--view")
    readers = [page.stream() for _ in range(8)]
    seen = 0
    while page.get("state")["state"] != "ended":
        seen += page.ask(f"/api/net?token={page.token}&at=now")[0] == 200
    told = [Events(reader).until("end") for reader in readers]
    wait_for(lambda: page.get("state")["saved"])
    assert page.get("state")["saved"] == "watched.safetensors"
    assert seen > 0 and page.end()[0] == 0
    alone, watched = (pages.folder / f"{name}.safetensors" for name in ("alone", "watched"))
    assert alone.read_bytes() == watched.read_bytes()
    logs = [(pages.folder / f"{name}.jsonl").read_text().splitlines() for name in ("alone", "watched")]

    def without_seconds_and_names(log):
        return [{key: value for key, value in json.loads(line).items() if key not in ("seconds", "model")} for line in log]

    assert without_seconds_and_names(logs[0]) == without_seconds_and_names(logs[1])
    assert all(lines(events) == logs[1] for events in told)


def test_without_a_log_the_lines_are_the_same(pages):
    words = ["train", "xor.csv", *NET, "--epochs", 3000]
    pages(*words, "--log", "run.jsonl")
    page = pages.start(*words, "--fresh", "--view")
    with contextlib.closing(page.stream()) as connection:
        told = [json.loads(line) for line in lines(Events(connection).until("end"))]
    stands = [json.loads(line) for line in (pages.folder / "run.jsonl").read_text().splitlines()]
    for line in told + stands:
        line.pop("seconds", None)
    assert told == stands and len(told) > 500


@BOTH
def test_controls(pages):
    page = pages.start(*ENDLESS, "--log", "run.jsonl", "--view")
    wait_for(lambda: page.get("state")["step"] > 100)
    paused = page.do("pause")
    assert paused["state"] == "paused"
    time.sleep(0.3)
    assert page.get("state")["step"] == paused["step"]
    net = page.ask(f"/api/net?token={page.token}")
    assert net[0] == 200 and json.loads(net[2])["step"] == paused["step"]
    for i in range(1, 4):
        after = page.do("step")
        assert (after["state"], after["step"]) == ("paused", paused["step"] + i)
    assert page.get("state")["step"] == paused["step"] + 3
    changed = page.do("rate", rate=0.125)
    assert (changed["rate"], changed["own_rate"]) == (0.125, True)
    assert page.do("step")["rate"] == 0.125
    back = page.do("rate", rate=0)
    assert not back["own_rate"] and page.do("step")["rate"] == 0.001
    saved = page.do("save")["message"]
    checkpoints = list(pages.folder.glob("xor.safetensors.*.ckpt-1"))
    assert len(checkpoints) == 1 and checkpoints[0].name in saved
    assert page.do("go")["state"] == "running"
    wait_for(lambda: page.get("state")["step"] > paused["step"] + 100)
    page.do("stop")
    state = wait_for(lambda: page.get("state") if page.get("state")["saved"] else None)
    assert (state["state"], state["stopped"], state["saved"]) == ("ended", "page", "xor.safetensors")
    assert page.post({"do": "pause"})[0] == 409
    assert page.ask(f"/api/net?token={page.token}")[0] == 200
    log = [json.loads(line) for line in (pages.folder / "run.jsonl").read_text().splitlines()]
    assert [(line["step"], line["rate"]) for line in log if line.get("control") == "rate"] == \
        [(paused["step"] + 3, 0.125), (paused["step"] + 4, 0)]
    assert log[-1]["stopped"] == "page" and log[-1]["step"] == state["step"]
    code, said = page.end()
    assert code == 0 and "stopped   from the page" in said and "Ctrl-C ends it" in said
    assert not list(pages.folder.glob("*.ckpt-*"))
    pages("eval", "xor.safetensors", "xor.csv")


def test_a_log_that_nobody_reads_holds_up_the_trainer_alone(pages):
    log = pages.folder / "run.fifo"
    os.mkfifo(log)
    unread = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(unread, fcntl.F_SETPIPE_SZ, 4096)
    page = pages.start(*ENDLESS, "--log", log.name, "--view")
    page.do("pause")
    rate = 1
    while (status := page.post({"do": "rate", "rate": rate / 1000})[0]) == 200 and rate < 200:
        rate += 1
    assert status == 202 and page.ask(f"/?token={page.token}")[0] == 200
    taken = os.read(unread, 65536)
    wait_for(lambda: page.get("state")["rate"] == rate / 1000)
    assert page.do("go")["state"] == "running" and taken.count(b'"control"') > 10
    os.close(unread)
    page.process.kill()


def test_a_step_out_of_the_run(pages):
    """While it runs, one more is taken, and it pauses."""
    page = pages.start(*ENDLESS, "--view")
    for _ in range(3):
        begun = time.monotonic()
        state = page.do("step")
        assert state["state"] == "paused" and time.monotonic() - begun < 1.5
        page.do("go")


def test_a_rate_set_by_hand_is_what_steps_are_taken_with(pages):
    """The log has a line for each of a thousand steps, with the rate that the run itself tells."""
    words = ["train", "xor.csv", "--net", "700 relu, 700 relu", "--epochs", 1000, "--patience", 0]
    page = pages.start(*words, "--log", "run.jsonl", "--view")
    page.do("pause")
    for rate, taken in ((0.125, 0.125), (0, 0.001)):
        page.do("rate", rate=rate)
        step = page.do("step")["step"]
        row = json.loads((pages.folder / "run.jsonl").read_text().splitlines()[-1])
        assert (row["step"], row["rate"]) == (step, pytest.approx(taken))
    assert page.post({"do": "rate", "rate": 1e300})[0] == 200


@BOTH
@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_paused(pages, number, code):
    page = pages.start(*ENDLESS, "--log", "run.jsonl", "--view")
    step = page.do("pause")["step"]
    with contextlib.closing(page.stream()) as connection:
        events = Events(connection)
        events.until("state")
        begun = time.monotonic()
        page.process.send_signal(number)
        assert json.loads(lines(events.until("end"))[-1])["stopped"] == "interrupted"
        assert page.finish()[0] == code
    assert time.monotonic() - begun < 3
    assert len(list(pages.folder.glob("*.ckpt-*"))) == 1
    assert f"after step {step} of" in page.said


def test_a_save_by_signal_while_paused(pages):
    page = pages.start(*ENDLESS, "--view")
    page.do("pause")
    page.process.send_signal(signal.SIGUSR1)
    wait_for(lambda: list(pages.folder.glob("*.ckpt-1")))
    assert page.get("state")["state"] == "paused"


def test_signals_still_save_while_watched(pages):
    page = pages.start(*ENDLESS, "--view")
    with contextlib.closing(page.stream()):
        for _ in range(10):
            before = {path: path.stat().st_mtime_ns for path in pages.folder.glob("*.ckpt-*")}
            page.process.send_signal(signal.SIGUSR1)
            wait_for(lambda: {path: path.stat().st_mtime_ns for path in pages.folder.glob("*.ckpt-*")} != before, 10)


def test_a_rate_set_by_hand_is_in_no_checkpoint(pages):
    """The log says where it was set, and where the schedule took over again."""
    page = pages.start(*ENDLESS, "--log", "run.jsonl", "--view")
    page.do("pause")
    step = page.do("rate", rate=0.25)["step"]
    later = page.do("step")["step"]
    assert page.end()[0] == 130
    page = pages.start(*ENDLESS, "--log", "run.jsonl", "--view")
    state = page.do("pause")
    assert not state["own_rate"] and state["step"] >= later
    with contextlib.closing(page.stream()) as connection:
        told = [json.loads(line) for line in lines(Events(connection).until("state"))]
    log = [json.loads(line) for line in (pages.folder / "run.jsonl").read_text().splitlines()]
    assert told == log
    assert [line for line in log if "control" in line] == [{"control": "rate", "step": step, "rate": 0.25},
                                                          {"control": "rate", "step": later, "rate": 0}]


def test_lines_behind_the_checkpoint_are_cut_with_their_controls(pages):
    """A rate that was set after the last checkpoint never was, for the run that goes on from there."""
    page = pages.start(*ENDLESS, "--log", "run.jsonl", "--view")
    page.do("pause")
    page.do("save")
    page.do("step")
    page.do("rate", rate=0.25)
    page.process.kill()
    page.finish()
    page = pages.start(*ENDLESS, "--log", "run.jsonl", "--view")
    page.do("pause")
    assert "control" not in (pages.folder / "run.jsonl").read_text()


def test_a_divergence_reaches_the_page(pages):
    pages.write("far.csv", "x,y\n" + "".join(f"{i},{i * i}\n" for i in range(20)))
    page = pages.start("train", "far.csv", "--target", "y", "--net", "4 relu", "--rule", "sgd", "--rate", 1e6, "--scale", "none",
                       "--on-divergence", "stop", "--epochs", 50, "--view")
    with contextlib.closing(page.stream()) as connection:
        told = Events(connection).until("end")
    assert json.loads(lines(told)[-1])["stopped"] == "diverged"
    state = page.get("state")
    assert state["stopped"] == "diverged" and state["state"] == "ended" and "diverged" in state["message"]
    assert page.end()[0] == 1


def test_after_the_end_it_serves_until_the_terminal_goes(pages):
    page = pages.start("train", "xor.csv", "--epochs", 5, "--view")
    wait_for(lambda: page.get("state")["saved"])
    assert page.end(signal.SIGHUP)[0] == 0


def test_weights_that_end_are_the_models(pages):
    page = pages.start("train", "xor.csv", "--epochs", 5, "--view")
    wait_for(lambda: page.get("state")["saved"])
    assert json.loads(page.ask(f"/api/net?token={page.token}")[2])["epoch"] == 5


def processor_time(page):
    """Seconds that the trainer's own thread has run."""
    return int(pathlib.Path(f"/proc/{page.process.pid}/task/{page.process.pid}/schedstat").read_text().split()[0]) / 1e9


@pytest.mark.serial
def test_watching_costs_the_trainer_nothing(pages, fact):
    """Steps that the trainer takes in a second of its processor, with readers and without any."""
    def speed(readers):
        page = pages.start(*ENDLESS, "--fresh", "--threads", 1, "--out", f"{readers}.safetensors", "--view")
        held = [page.stream() for _ in range(readers)]
        first, begun = page.get("state")["step"], processor_time(page)
        time.sleep(1)
        last, ended = page.get("state")["step"], processor_time(page)
        page.end()
        for connection in held:
            connection.close()
        return (last - first) / (ended - begun)

    pairs = [(speed(0), speed(8)) for _ in range(4)]
    alone, watched = [max(numbers) for numbers in zip(*pairs)]
    fact("steps in a second of the trainer's processor, alone and with 8 readers", f"{alone:,.0f} and {watched:,.0f}")
    assert watched > 0.95 * alone
