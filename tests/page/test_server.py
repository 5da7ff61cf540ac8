"""The server: who is let in, what is refused, and that nobody who is slow or ill-meaning is waited for."""
import contextlib
import fcntl
import http.client
import json
import os
import socket
import time

import pytest

from served import Events, lines, reset, status_of, wait_for

ENDLESS = ["--net", "6 tanh", "--epochs", 10**9, "--patience", 0]
SECURITY = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin", "X-Frame-Options": "DENY"}
BOTH = pytest.mark.parametrize("command_build", ["gcc", "asan"], indirect=True)


@pytest.fixture
def page(pages):
    """A descent that is watched, and takes for ever."""
    return pages.start("train", "xor.csv", *ENDLESS, "--view")


def still_good(page):
    """The server answers, and the descent goes on."""
    step = page.get("state")["step"]
    wait_for(lambda: page.get("state")["step"] > step)


@BOTH
def test_the_page_and_its_headers(page):
    status, headers, body = page.ask(f"/?token={page.token}")
    assert status == 200 and body.lower().startswith(b"<!doctype html")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    answers = [page.ask(f"/?token={page.token}"), page.ask("/"), page.ask(f"/api/state?token={page.token}"),
               page.ask(f"/nothing?token={page.token}"), page.ask(f"/?token={page.token}", "PUT"), page.post({"do": "go"})]
    for status, headers, _ in answers:
        assert SECURITY.items() <= headers.items(), status
        assert "Access-Control-Allow-Origin" not in headers
    with contextlib.closing(page.stream()) as connection:
        head = connection.recv(4096).split(b"\r\n\r\n")[0].decode()
        assert all(f"{name}: {value}" in head for name, value in SECURITY.items())


@BOTH
def test_tokens(page):
    right = page.token
    other = ("1" if right[0] == "0" else "0") + right[1:]
    last = right[:-1] + ("1" if right[-1] == "0" else "0")
    for wrong in ("", right[:-1], right + "0", right[:16], other, last, right.upper() if right.upper() != right else "x", "0" * 32):
        for path in ("/", "/api/run", "/api/trace", "/nothing"):
            assert page.ask(f"{path}?token={wrong}")[0] == 403, (path, wrong)
        assert page.post({"do": "stop"}, {"X-Downhill-Token": wrong})[0] == 403
    for path in ("/", "/api/state", "/api/trace"):
        assert page.ask(path)[0] == 403
    assert page.post({"do": "stop"}, {})[0] == 403
    # The header is what a page of another origin can't send; the address alone isn't enough.
    assert page.ask(f"/api/control?token={right}", "POST", {}, '{"do": "stop"}')[0] == 403
    assert page.ask("/api/state", headers={"X-Downhill-Token": right})[0] == 403
    assert page.get("state")["state"] == "running"


def test_tokens_differ(pages):
    seen = set()
    for _ in range(3):
        page = pages.start("train", "xor.csv", *ENDLESS, "--view", "--fresh")
        seen.add(page.token)
        page.end()
    assert len(seen) == 3


@BOTH
def test_hosts_and_origins(page):
    path, port = f"/api/state?token={page.token}", page.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LocalHost:{port}"):
        assert page.ask(path, headers={"Host": host})[0] == 200, host
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", f"127.0.0.1:{port + 1}", f"localhost:{port}.evil.example",
                 f"127.0.0.1:{port}0", f"x127.0.0.1:{port}", f"0.0.0.0:{port}", f"[::1]:{port}", ""):
        assert page.ask(path, headers={"Host": host})[0] == 403, host
    for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}"):
        assert page.ask(path, headers={"Origin": origin})[0] == 200, origin
    for origin in ("http://evil.example", "null", "", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}",
                   f"http://127.0.0.1:{port}.evil.example", f"http://127.0.0.1:{port}/", "http://127.0.0.1"):
        assert page.ask(path, headers={"Origin": origin})[0] == 403, origin
        assert page.post({"do": "stop"}, {"X-Downhill-Token": page.token, "Origin": origin})[0] == 403
    for head in (f"Host: 127.0.0.1:{port}\r\nHost: evil.example", f"Host: evil.example\r\nHost: 127.0.0.1:{port}",
                 f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nOrigin: http://evil.example"):
        with contextlib.closing(page.raw(f"GET {path} HTTP/1.1\r\n{head}\r\n\r\n".encode())) as connection:
            assert status_of(connection) in (400, 403), head
    with contextlib.closing(page.raw(f"GET {path} HTTP/1.0\r\n\r\n".encode())) as connection:
        assert status_of(connection) == 403
    still_good(page)


def test_methods(page):
    for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "POST", "TRACE", "CONNECT", "BREW"):
        headers = {"X-Downhill-Token": page.token, "Content-Length": "0"}
        assert page.ask(f"/api/state?token={page.token}", method, headers)[0] == 405, method
    assert page.ask(f"/api/control?token={page.token}")[0] == 405
    still_good(page)


def test_no_path_is_a_file(page):
    for path in ("/xor.csv", "/../xor.csv", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/api/../xor.csv", "/api/", "/api",
                 "//etc/passwd", "/api/run/", "/api/run%00", "/api/Run", "/.", "/index.html", "/api/..%2f..%2fetc/passwd"):
        with contextlib.closing(page.raw(f"GET {path}?token={page.token} HTTP/1.1\r\nHost: {page.host}\r\n\r\n".encode())) as connection:
            answer = connection.recv(65536)
            assert b"root:" not in answer and b"x1,x2" not in answer
            assert answer.split()[1] in (b"404", b"400") or (path == "/api/run%00" and answer.split()[1] == b"200"), (path, answer)
    for query in ("at=x", "at=-1", "at=1e3", "part=train", "layer=-1", "first=99999999999999999999", "truth=x"):
        assert page.ask(f"/api/answers?token={page.token}&{query}")[0] == 400, query
    assert page.ask(f"/api/trace?token={page.token}&run=1")[0] == 404


@BOTH
def test_heads_and_bodies_have_limits(page):
    path = f"/api/state?token={page.token}"
    assert page.ask(path, headers={"X-Long": "x" * 7000})[0] == 200
    assert page.ask(path, headers={"X-Long": "x" * 8192})[0] == 431
    assert page.ask(f"{path}&x={'y' * 8192}")[0] in (414, 431)
    for content in (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000, b"GET /" + b"x" * 200000, b"\0" * 100000,
                    b"GET / HTTP/1.1\r\nX: " + b"y" * 200000):
        with contextlib.suppress(ConnectionError), contextlib.closing(page.raw(content)) as connection:
            assert status_of(connection) in (0, 400, 403, 413, 414, 431, 501, 505), content[:30]
    padded = '{"do":' + " " * 1000 + '"go"}'
    assert page.post(padded)[0] == 200
    assert page.post('{"do":' + " " * 1020 + '"go"}')[0] == 413
    both = f"POST /api/control HTTP/1.1\r\nHost: {page.host}\r\nX-Downhill-Token: {page.token}\r\n"
    both += "Content-Length: 14\r\nTransfer-Encoding: chunked\r\n\r\n"
    with contextlib.closing(page.raw(both.encode() + b'{"do": "stop"}')) as connection:
        assert status_of(connection) in (400, 411)
    chunked = f"POST /api/control HTTP/1.1\r\nHost: {page.host}\r\nX-Downhill-Token: {page.token}\r\nTransfer-Encoding: chunked\r\n\r\n"
    with contextlib.closing(page.raw(chunked.encode() + b"4\r\nxxxx\r\n" * 10)) as connection:
        assert status_of(connection) == 411
    with contextlib.closing(page.raw(f"GET {path} HTTP/1.1\r\nHost: {page.host}\r\nContent-Length: 5\r\n\r\nhello".encode())) as connection:
        assert status_of(connection) == 400
    still_good(page)


@BOTH
def test_controls_are_read_strictly(page):
    for body in ("", "pause", "{}", "[]", '{"do": "fly"}', '{"do": "rate"}', '{"do": "rate", "rate": -1}', '{"do": "rate", "rate": "1"}',
                 '{"do": "rate", "rate": nan}', '{"do": "rate", "rate": 1e999}', '{"do": "rate", "rate": 0x1}', '{"do": "rate", "rate": 1 2}',
                 '{"do": "pause", "do": "go"}', '{"do": "pause", "rate": 1}', '{"do": "pause"} x', '{"do": "pause"', '{"do" "pause"}',
                 '{"do": "pause", "x": "y"}', '{"do": "pau\\u0073e"}', b'{"do": "pause"}\0', '{"do": "' + "x" * 900 + '"}', "{" * 1000,
                 '{"do": ""}', '{"rate": 1}'):
        assert page.post(body)[0] == 400, body
    assert page.get("state")["state"] == "running"
    assert page.post(' {"rate" : 1e-3 , "do":"rate" } ')[0] == 200


def test_too_many_connections(page):
    """The sixty-fifth is refused, and the others go on; who leaves makes room."""
    held = [page.stream() for _ in range(64)]
    for connection in held:
        assert status_of(connection) == 200
    with contextlib.closing(page.raw(f"GET / HTTP/1.1\r\nHost: {page.host}\r\n\r\n".encode())) as connection:
        assert status_of(connection) == 0
    for connection in held[:32]:
        connection.close()
    for connection in held[32:]:
        reset(connection)
    wait_for(lambda: status_of(page.raw(f"GET / HTTP/1.1\r\nHost: {page.host}\r\n\r\n".encode())) == 403)
    still_good(page)


def test_readers_who_leave_make_room_though_nothing_is_told(page):
    """While paused no event is sent, so no write could find out that a reader is gone."""
    def taken():
        connection = page.stream()
        if status_of(connection) == 200:
            return connection
        connection.close()
        return None

    page.do("pause")
    for _ in range(3):
        held = [wait_for(taken, 10) for _ in range(40)]
        time.sleep(0.3)  # by now all of them wait
        for connection in held:
            connection.close()


@BOTH
def test_slow_requests_are_dropped(page):
    """A byte now and then keeps no connection: all of a request comes in ten seconds, or it is closed."""
    begun = time.monotonic()
    slow = {"head": page.raw(b"GET / HTTP/1.1\r\n"), "silent": page.raw(b""),
            "body": page.raw(f"POST /api/control HTTP/1.1\r\nHost: {page.host}\r\nX-Downhill-Token: {page.token}\r\n"
                             "Content-Length: 500\r\n\r\n".encode())}
    kept = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    closed = {}
    while len(closed) < len(slow) and time.monotonic() < begun + 20:
        for name in slow.keys() - closed.keys():
            slow[name].settimeout(0.1)
            try:
                if name != "silent":
                    slow[name].sendall(b"x")
                if slow[name].recv(100) == b"":
                    closed[name] = time.monotonic() - begun
            except TimeoutError:
                pass
            except ConnectionError:
                closed[name] = time.monotonic() - begun
        time.sleep(0.3)
        kept.request("GET", f"/api/state?token={page.token}")
        assert kept.getresponse().read()
    kept.close()
    assert closed.keys() == slow.keys() and all(9 < seconds < 15 for seconds in closed.values()), closed


def test_who_waits_for_others_is_not_dropped(pages):
    """A trainer that a log holds up lets seven documents take two seconds each: a request that came meanwhile is answered, too."""
    log = pages.folder / "run.fifo"
    os.mkfifo(log)
    unread = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(unread, fcntl.F_SETPIPE_SZ, 4096)
    page = pages.start("train", "xor.csv", "--net", "6 tanh", "--epochs", 20000, "--patience", 0, "--log", log.name, "--view")
    later = page.raw(b"")
    others = [page.raw(b"") for _ in range(7)]
    time.sleep(1.5)
    for connection in others:
        connection.sendall(f"GET /api/net?token={page.token} HTTP/1.1\r\nHost: {page.host}\r\n\r\n".encode())
    time.sleep(4)
    later.sendall(f"GET / HTTP/1.1\r\nHost: {page.host}\r\n\r\n".encode())
    for connection in (later, *others):
        connection.settimeout(30)
    assert [status_of(connection) for connection in others] == [404] * 7
    assert status_of(later) == 403
    os.close(unread)
    page.process.kill()


def test_connections_are_kept_between_requests(page):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    connection.connect()
    here = connection.sock.getsockname()
    for _ in range(5):
        connection.request("GET", f"/api/state?token={page.token}")
        assert connection.getresponse().read() and connection.sock.getsockname() == here
        connection.request("POST", "/api/control", '{"do": "go"}', {"X-Downhill-Token": page.token})
        assert connection.getresponse().read() and connection.sock.getsockname() == here
    connection.close()


LONG = '{"step":%d,"epoch":%d,"cost":0.5,"filler":"' + "x" * 200 + '"}\n'


def log_of(pages, steps, name="run.jsonl"):
    """A log of a run, as train writes it, with more lines."""
    pages("train", "xor.csv", "--epochs", 1, "--net", "3 tanh", "--log", name, "--fresh")
    first = (pages.folder / name).read_text().splitlines(keepends=True)[0]
    (pages.folder / name).write_text(first + "".join(LONG % (i, i) for i in range(1, steps + 1)))
    return pages.folder / name


def test_a_reader_that_takes_nothing_is_dropped(pages):
    """Others get all of it meanwhile; what it left is some megabytes."""
    log_of(pages, 40000)
    page = pages.start("view", "run.jsonl")
    begun = time.monotonic()
    stalled = page.stream(receive_buffer=4096)
    with contextlib.closing(page.stream()) as connection:
        assert len(lines(Events(connection).until("state"))) >= 60
    assert time.monotonic() - begun < 5
    for _ in range(14):  # the stalled one is alive for ten seconds, and no longer
        time.sleep(1)
        page.get("state")
    taken = 0
    with contextlib.suppress(ConnectionError):
        while block := stalled.recv(1 << 20):
            taken += len(block)
    assert taken < 4 << 20, taken
    stalled.close()


def test_nothing_listens_elsewhere(page):
    """On this machine's other addresses nobody answers."""
    with contextlib.closing(socket.socket()) as probe:
        probe.settimeout(5)
        with pytest.raises(OSError):
            probe.connect(("127.0.0.2", page.port))


def test_ports(pages):
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = pages.start("train", "xor.csv", *ENDLESS, "--view", "--port", port)
    assert page.port == port
    said = pages.refuse(1, "train", "xor.csv", *ENDLESS, "--out", "other.safetensors", "--log", "other.jsonl", "--view", "--port", port)
    assert f"127.0.0.1:{port}" in said and "in use" in said
    for wrong in ("0", "80", "65536", "x", "-1", "8080x", ""):
        assert "from 1024 to 65535" in pages.refuse(2, "train", "xor.csv", "--view", f"--port={wrong}"), wrong
    assert "--view" in pages.refuse(2, "train", "xor.csv", "--port", port)


def test_ids_and_going_on_behind_one(pages):
    log = log_of(pages, 50)
    with log.open("a") as file:
        file.write('{"stopped":"epochs","step":50,"epoch":50,"seconds":1}\n')
    stands = log.read_text().splitlines()
    page = pages.start("view", "run.jsonl")
    for last, begin in ((None, 0), (0, 0), (20, 20), (51, 51), (52, 52), (53, 0), ("x", 0), (10**30, 0), (-3, 0)):
        with contextlib.closing(page.stream(last)) as connection:
            events = Events(connection)
            assert lines(events.until("end")) == stands[begin:], last
            assert events.ids == list(range(begin + 1, 53))


def test_a_line_can_be_no_event(pages):
    """Whatever a log holds, a reader sees lines as lines."""
    log = log_of(pages, 3)
    with log.open("ab") as file:
        file.write(b'{"step":4,"x":1,\revent: end\rdata: no\r\r"y":2}\n\n{"step":5}\n')
    page = pages.start("view", "run.jsonl")
    with contextlib.closing(page.stream()) as connection:
        events = Events(connection).until("state")
    assert {kind for kind, _ in events} == {"message", "state"}
    assert len(lines(events)) == 7 and json.loads(events[-1][1])["step"] == 5


@BOTH
@pytest.mark.parametrize("end", ['{"stopped"', '{"stopped":7,"step":"x"}', '{"stopped":"'])
def test_ends_that_a_stranger_wrote(pages, end):
    log = log_of(pages, 3)
    log.write_text(log.read_text() + end + "\n")
    page = pages.start("view", "run.jsonl")
    state = page.get("state")
    assert (state["state"], state["stopped"]) == ("ended", "")
    assert page.end()[0] == 0


@BOTH
def test_a_growing_log_is_followed(pages):
    log = log_of(pages, 3)
    whole = log.read_text()
    page = pages.start("view", "run.jsonl")
    with contextlib.closing(page.stream()) as connection:
        events = Events(connection)
        assert "\n".join(lines(events.until("state"))) + "\n" == whole
        with log.open("a") as file:
            file.write('{"step":4,"epoch":4,"rate":0.25,')
            file.flush()
            time.sleep(0.6)
            file.write('"seconds":2}\n')
        told = events.until("state")
        assert lines(told) == ['{"step":4,"epoch":4,"rate":0.25,"seconds":2}'] and events.ids[-1] == 5
        state = json.loads(told[-1][1])
        assert (state["state"], state["step"], state["rate"], state["steps_per_second"]) == ("running", 4, 0.25, 2)
        with log.open("a") as file:
            file.write('{"stopped":"interrupted","step":4,"epoch":4,"seconds":2}\n')
        told = events.until("end")
        assert '"ended"' in told[-2][1] and '"interrupted"' in told[-2][1]
        # It goes on from a checkpoint of step 2: cut back, then longer than it was.
        kept = "".join(whole.splitlines(keepends=True)[:3])
        log.write_text(kept + "".join(f'{{"step":{i},"epoch":{i},"rate":0.5}}\n' for i in range(3, 30)))
        told = events.until("state")
        assert told[0] == ("cut", "3") and len(lines(told)) == 27
        assert json.loads(told[-1][1])["state"] == "running"
    # Who looked away meanwhile may have lines that aren't in it any more.
    for last in (None, 5):
        with contextlib.closing(page.stream(last=last)) as connection:
            told = Events(connection).until("state")
            assert told[0] == ("cut", "0") and "\n".join(lines(told)) + "\n" == log.read_text()
    assert page.end() [0] == 0


def test_view_of_several_logs_and_of_none(pages):
    for name in ("a.jsonl", "b.jsonl"):
        log_of(pages, 2 if name == "a.jsonl" else 4, name)
    page = pages.start("view", "a.jsonl", "b.jsonl")
    for run, count in ((0, 3), (1, 5)):
        with contextlib.closing(page.stream(run=run)) as connection:
            assert len(lines(Events(connection).until("state"))) == count
    assert page.ask(f"/api/trace?token={page.token}&run=2")[0] == 404
    assert page.post({"do": "pause"})[0] == 409
    assert page.end()[0] == 0
    assert "none.jsonl" in pages.refuse(66, "view", "none.jsonl")
    assert "file" in pages.refuse(66, "view", ".")
