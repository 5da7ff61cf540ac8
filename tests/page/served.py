"""A command that serves, as a browser and as an enemy would talk to it."""
import contextlib
import http.client
import json
import re
import signal
import socket
import struct
import subprocess
import time

from command_line import Downhill

PATIENCE = 60


def usual_signals():
    """What a shell gives to a command in the foreground; a test's own parent may ignore some."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def wait_for(condition, seconds=PATIENCE):
    """The first true value of a condition."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


class Served:
    """A process that serves, and its page's address."""

    def __init__(self, process):
        self.process, self.said = process, ""
        for line in process.stderr:
            self.said += line
            match = re.fullmatch(r"view +http://127\.0\.0\.1:(\d+)/\?token=([0-9a-f]{32})\n", line)
            if match:
                self.port, self.token = int(match[1]), match[2]
                return
        raise AssertionError(f"no address: {self.said}")

    @property
    def host(self):
        return f"127.0.0.1:{self.port}"

    def ask(self, path, method="GET", headers=None, body=None):
        """One request of a connection of its own: status, headers, body."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def get(self, name, **query):
        """A document."""
        words = "&".join(f"{key}={value}" for key, value in {"token": self.token, **query}.items())
        status, _, body = self.ask(f"/api/{name}?{words}")
        assert status == 200, (status, body)
        return json.loads(body)

    def post(self, body, headers=None):
        given = {"X-Downhill-Token": self.token} if headers is None else headers
        return self.ask("/api/control", "POST", given, body if isinstance(body, (str, bytes)) else json.dumps(body))

    def do(self, what, **more):
        """A control: the state after it."""
        status, _, body = self.post({"do": what, **more})
        assert status == 200, (status, body)
        return json.loads(body)

    def raw(self, content, receive_buffer=None):
        """A connection on which these bytes were sent."""
        made = socket.socket()
        if receive_buffer:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        made.settimeout(PATIENCE)
        made.connect(("127.0.0.1", self.port))
        made.sendall(content)
        return made

    def stream(self, last=None, run=0, **more):
        """A connection on which events come."""
        head = f"GET /api/trace?token={self.token}&run={run} HTTP/1.1\r\nHost: {self.host}\r\n"
        head += f"Last-Event-ID: {last}\r\n" if last is not None else ""
        return self.raw(f"{head}\r\n".encode(), **more)

    def end(self, number=signal.SIGINT):
        """Ends it: its exit code, and all that it said."""
        self.process.send_signal(number)
        return self.finish()

    def finish(self):
        self.said += self.process.stderr.read()
        return self.process.wait(timeout=PATIENCE), self.said


def status_of(connection):
    """The status of the answer on a raw connection, 0 where it was closed without any."""
    try:
        head = connection.recv(65536)
    except ConnectionResetError:
        return 0
    return int(head.split()[1]) if head else 0


class Events:
    """Reads events from a connection, as pairs of kind and data, numbers of lines apart."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass
        self.rest = b""
        self.ids = []

    def __iter__(self):
        while True:
            size = self.file.readline()
            if not size.strip():
                return
            self.rest += self.file.read(int(size, 16))
            self.file.readline()
            while b"\n\n" in self.rest:
                event, self.rest = self.rest.split(b"\n\n", 1)
                fields = [line.split(b": ", 1) for line in event.split(b"\n")]
                assert {name for name, _ in fields} <= {b"id", b"event", b"data"}, event
                fields = {name.decode(): value.decode() for name, value in fields}
                if "id" in fields:
                    self.ids.append(int(fields["id"]))
                yield fields.get("event", "message"), fields["data"]

    def until(self, kind):
        """All that comes until an event of this kind, and that."""
        found = []
        for event in self:
            found.append(event)
            if event[0] == kind:
                return found
        raise AssertionError(f"ended without {kind}: {found[-3:]}")


def lines(events):
    return [data for kind, data in events if kind == "message"]


class Pages(Downhill):
    """Starts commands that serve; ends what is left of them."""

    def __init__(self, folder):
        super().__init__(folder)
        self.started = []

    def start(self, *words):
        process = subprocess.Popen([self.program, *map(str, words)], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=self.environment(),
                                   preexec_fn=usual_signals)
        self.started.append(process)
        return Served(process)

    def close(self):
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.stderr.close()


def reset(connection):
    """Closes so that the other side is told at once, with what it sent thrown away."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
