"""A server that speaks as docs/page.md says and holds a descent of fixtures.py: what the page's tests look at.

It is no server for anybody else: it trusts whoever asks but for the token.
"""
import contextlib
import http.server
import json
import threading
import time
import urllib.parse

TOKEN = "0123456789abcdef0123456789abcdef"


class Stage:
    """What is shown: a descent, others that are laid over it, and what was asked."""

    def __init__(self, page, policy, descent, mode="replay", others=(), pace=0.0, missing=None):
        self.page, self.policy, self.descent, self.mode, self.others, self.pace = page, policy, descent, mode, list(others), pace
        self.missing, self.asked, self.orders = missing, [], []
        self.streams = 0
        self.closed = threading.Event()
        self.every = 0

    def run_document(self):
        made = self.descent.run_document(self.mode, None if self.mode == "live" else f"{self.descent.data.name}.jsonl", self.missing)
        for other in self.others:
            made["runs"].append({"name": other.data.name, "log": f"{other.data.name}.jsonl", "snapshots": []})
        return made

    def descend(self):
        """The live run: takes steps until it is told otherwise."""
        descent = self.descent
        while not self.closed.is_set() and descent.state != "ended":
            if descent.state == "running":
                descent.step()
                if self.every and descent.step_count % (self.every * descent.epoch_steps) == 0:
                    descent.keep_snapshot()
                if descent.epoch >= descent.epochs and not descent.order:
                    descent.end()
            time.sleep(self.pace if descent.state == "running" else 0.005)

    def order(self, order):
        self.orders.append(order)
        descent = self.descent
        with descent.lock:
            match order["do"]:
                case "pause":
                    descent.state = "paused"
                case "go":
                    descent.state = "running"
                case "step":
                    descent.step()
                case "save":
                    descent.saved = f"{descent.data.name}.safetensors"
                case "stop":
                    descent.end("stopped")
                case "rate":
                    descent.rate, descent.own_rate = order["rate"] or descent.schedule, order["rate"] > 0
        return descent.state_document()

    def document(self, what, said):
        if what == "run":
            return self.run_document()
        if what == "state":
            return self.descent.state_document()
        at = self.descent.at(said.get("at", "now"))
        if what == "net":
            return at.net_document(2048 if self.descent.data.picture else 65536)
        if what == "layer":
            return {"weights": at.layer_document(int(said["layer"]), int(said["first"]), 2048)}
        if what == "map":
            return at.map_document(said["x"], said["y"])
        if what == "answers":
            return at.answers_document(said["part"])
        return at.rows_document(int(said["truth"]), int(said["answer"])) if what == "rows" else None


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stage = None

    def log_message(self, *words):
        pass

    def answer(self, status, kind, body, **headers):
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), "Cache-Control": "no-store",
                            "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def json(self, document, status=200):
        self.answer(status, "application/json", json.dumps(document).encode("utf-8"))

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        said = dict(urllib.parse.parse_qsl(url.query))
        self.stage.asked.append(url.path)
        if said.get("token") != TOKEN:
            self.json({"error": "the token is wrong"}, 403)
        elif url.path == "/":
            self.answer(200, "text/html; charset=utf-8", self.stage.page, **{"Content-Security-Policy": self.stage.policy})
        elif url.path == "/api/trace":
            self.trace(int(said.get("run", 0)))
        else:
            document = self.stage.document(url.path.removeprefix("/api/"), said)
            self.json(document or {"error": "there is no such document"}, 200 if document else 404)

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["X-Downhill-Token"] != TOKEN:
            self.json({"error": "the token is wrong"}, 403)
        else:
            self.json(self.stage.order(order))

    def trace(self, run):
        stage = self.stage
        descent = ([stage.descent] + stage.others)[run]
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        stage.streams += 1
        sent, told, over, cut = int(self.headers.get("Last-Event-ID", 0)), None, False, len(descent.cuts)
        try:
            while not stage.closed.is_set():
                lines = descent.lines[sent:] if cut == len(descent.cuts) else []
                out = "".join(f"id: {sent + i + 1}\ndata: {line}\n\n" for i, line in enumerate(lines))
                sent += len(lines)
                state = descent.state_document()
                if stage.mode == "live" and run == 0 and (state["step"], state["state"], state["rate"]) != told:
                    told = (state["step"], state["state"], state["rate"])
                    out += f"event: state\ndata: {json.dumps(state)}\n\n"
                if descent.cuts[cut:]:
                    cut, sent = len(descent.cuts), descent.cuts[-1]
                    out, over = f"event: cut\ndata: {sent}\n\n", False
                elif descent.state == "ended" and sent == len(descent.lines) and not over:
                    out, over = out + "event: end\ndata: {}\n\n", True
                self.wfile.write((out or ":\n\n").encode("utf-8"))
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            pass
        finally:
            stage.streams -= 1


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A browser that goes away in the middle of an answer is no news."""


@contextlib.contextmanager
def serving(stage):
    """The address of the page, while it lasts."""
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"stage": stage}))
    threads = [threading.Thread(target=server.serve_forever, daemon=True)]
    if stage.mode == "live":
        threads.append(threading.Thread(target=stage.descend, daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/?token={TOKEN}"
    finally:
        stage.closed.set()
        server.shutdown()
        server.server_close()
