"""Descents for the page to show: a small net in NumPy, and the documents of docs/page.md that tell of it.

What is drawn is true: the net learns, its weights, answers and maps are its own. Only the command isn't there.
"""
import base64
import copy
import json
import threading
import time

import numpy as np

GRID = 48


def packed(values):
    """An array as the bytes of a document."""
    values = np.asarray(values, dtype=float)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    scaled = np.zeros(values.shape) if high == low else (values - low) / (high - low) * 255
    return {"low": low, "high": high, "data": base64.b64encode(np.rint(scaled).astype(np.uint8).tobytes()).decode("ascii")}


def bins(values):
    counts, edges = np.histogram(values, 32)
    return {"low": float(edges[0]), "high": float(edges[-1]), "counts": [int(count) for count in counts]}


class Data:
    """Rows of a data set: inputs scaled to what the net takes, and what a document says about them."""

    def __init__(self, name, columns, rows, target, classes=None, target_name="label"):
        self.name, self.columns, self.target_name = name, columns, target_name
        self.rows, self.classes = np.asarray(rows, dtype=float), classes
        self.target = np.asarray(target)
        self.mean, self.deviation = self.rows.mean(0), self.rows.std(0) + 1e-9
        if classes is None:
            self.target_mean, self.target_deviation = float(self.target.mean()), float(self.target.std())
        self.picture = None

    def inputs(self, rows):
        return rows / 255 if self.picture else (rows - self.mean) / self.deviation

    def wanted(self):
        if self.classes:
            return np.eye(len(self.classes))[self.target]
        return ((self.target - self.target_mean) / self.target_deviation)[:, None]


def number(name, values):
    return {"name": name, "kind": "number", "low": float(np.min(values)), "high": float(np.max(values)), "values": None}


def xor():
    rows = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
    return Data("xor", [number("x1", rows[:, 0]), number("x2", rows[:, 1])], rows, [0, 1, 1, 0], ["0", "1"], "y")


def spirals(arms=2, each=120, names=("x", "y"), classes=None, seed=3):
    random = np.random.default_rng(seed)
    rows, target = [], []
    for arm in range(arms):
        t = np.sqrt(random.uniform(0.02, 1, each)) * 2.1 * np.pi
        angle = t + 2 * np.pi * arm / arms
        rows.append(np.stack([t * np.cos(angle), t * np.sin(angle)], 1) / 6.6 + random.normal(0, 0.018, (each, 2)))
        target += [arm] * each
    rows = np.concatenate(rows)
    columns = [number(name, rows[:, i]) for i, name in enumerate(names)]
    return Data("spirals", columns, rows, target, classes or [["inner", "outer"], ["north", "east", "south"]][arms - 2], "arm")


def houses(seed=4):
    """Numbers from two numbers and a category."""
    random = np.random.default_rng(seed)
    area, age, place = random.uniform(30, 220, 400), random.uniform(0, 100, 400), random.integers(0, 4, 400)
    price = 900 * area * (1 + 0.35 * np.array([0, 1.4, -0.6, 0.5])[place]) - 600 * age + random.normal(0, 9000, 400)
    columns = [number("area", area), number("age", age),
               {"name": "district", "kind": "category", "low": 0, "high": 3, "values": ["Hill", "Lake", "Mill", "Old Town"]}]
    return Data("houses", columns, np.stack([area, age, place], 1), price, None, "price")


GLYPHS = ["01110100011000110001100010111000000", "00100011000010000100001000111000000", "01110100010001000100010001111100000",
          "11110000010011000001000011111000000", "00010001100101011111000100001000000", "11111100001111000001000011111000000",
          "01110100001111010001100010111000000", "11111000010001000100010000100000000", "01110100010111010001100010111000000",
          "01110100011000101111000010111000000"]


def digits(each=60, seed=5):
    """Ten digits of 7 by 5 dots, moved about on 14 by 14 pixels, with noise."""
    random = np.random.default_rng(seed)
    rows, target = [], []
    for digit, glyph in enumerate(GLYPHS):
        dots = np.array([int(dot) for dot in glyph]).reshape(7, 5)[:6].repeat(2, 0).repeat(2, 1)
        for _ in range(each):
            image = random.uniform(0, 70, (16, 14))
            top, left = random.integers(0, 5), random.integers(0, 5)
            image[top:top + 12, left:left + 10] += dots * random.uniform(90, 180)
            rows.append(np.clip(image[1:15], 0, 255).reshape(-1))
            target.append(digit)
    order = random.permutation(len(rows))
    data = Data("digits", [{"name": "image", "kind": "image", "low": 0, "high": 255, "values": None}],
                np.array(rows)[order], np.array(target)[order], [str(digit) for digit in range(10)], "digit")
    data.picture = [14, 14, 1]
    return data


class Descent:
    """A net with tanh units that descends by Adam, and everything the page may ask about it. Thread-safe."""

    def __init__(self, data, hidden=(8, 8), rate=0.01, batch=16, epochs=100, seed=1):
        self.data, self.rate, self.own_rate, self.batch, self.epochs = data, rate, False, batch, epochs
        self.schedule, self.hidden = rate, hidden
        self.random = np.random.default_rng(seed)
        inputs = data.rows.shape[1]
        outputs = len(data.classes) if data.classes else 1
        widths = [inputs, *hidden, outputs]
        self.weights = [self.random.normal(0, (1 / a) ** 0.5, (a, b)) for a, b in zip(widths, widths[1:])]
        self.biases = [np.zeros(b) for b in widths[1:]]
        held = self.random.permutation(len(data.rows)) if len(data.rows) > 20 else np.arange(len(data.rows))
        cut = len(data.rows) // 10 if len(data.rows) > 20 else 0
        self.valid, self.train = held[:cut], held[cut:]
        self.moments = [[np.zeros_like(p), np.zeros_like(p)] for p in self.weights + self.biases]
        self.step_count, self.order, self.costs = 0, [], []
        self.state, self.stopped, self.message, self.saved = "paused", None, "", None
        self.begin, self.seconds = time.monotonic(), 0.0
        self.lines, self.cuts, self.snapshots = [], [], {}
        self.lock = threading.RLock()
        recipe = {"target": data.target_name, "task": "classes" if data.classes else "numbers", "scale": "standard",
                  "net": ", ".join(f"{n} tanh" for n in hidden), "cost": "cross-entropy" if data.classes else "squared", "seed": seed,
                  "rule": "adamw", "rate": rate, "batch": batch, "epochs": epochs, "order": "shuffled", "beta1": 0.9, "beta2": 0.999,
                  "decay": 0, "schedule": "constant"}
        self.recipe = "".join(f"{key}={value}\n" for key, value in recipe.items())
        self.tell({"downhill": "0.1.0", "recipe": self.recipe, "data": f"{data.name}.csv", "rows": len(data.rows), "inputs": inputs,
                   "outputs": outputs, "parameters": sum(w.size for w in self.weights) + sum(b.size for b in self.biases)})

    def cut(self, lines):
        """The log is cut back, as by a command that goes on from a checkpoint."""
        del self.lines[lines:]
        self.cuts.append(lines)

    def tell(self, line):
        self.lines.append(json.dumps(line, separators=(",", ":")))

    @property
    def epoch_steps(self):
        return -(-len(self.train) // self.batch)

    @property
    def epoch(self):
        return -(-self.step_count // self.epoch_steps)

    def walk(self, inputs):
        """What every layer answers, the output's as probabilities or numbers."""
        answers = [inputs]
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            sums = answers[-1] @ weight + bias
            if i < len(self.weights) - 1:
                answers.append(np.tanh(sums))
            elif self.data.classes:
                sums = np.exp(sums - sums.max(1, keepdims=True))
                answers.append(sums / sums.sum(1, keepdims=True))
            else:
                answers.append(sums)
        return answers

    def cost(self, answers, wanted):
        if self.data.classes:
            return -np.log(np.maximum((answers * wanted).sum(1), 1e-12))
        return ((answers - wanted) ** 2)[:, 0]

    def gradient(self, rows):
        inputs, wanted = self.data.inputs(self.data.rows[rows]), self.data.wanted()[rows]
        answers = self.walk(inputs)
        back = (answers[-1] - wanted) / len(rows) * (1 if self.data.classes else 2)
        weights, biases = [], []
        for i in reversed(range(len(self.weights))):
            weights.insert(0, answers[i].T @ back)
            biases.insert(0, back.sum(0))
            if i:
                back = back @ self.weights[i].T * (1 - answers[i] ** 2)
        return float(self.cost(answers[-1], wanted).mean()), weights + biases

    def step(self):
        with self.lock:
            if not self.order:
                self.order = [int(row) for row in self.random.permutation(self.train)]
            rows, self.order = self.order[:self.batch], self.order[self.batch:]
            cost, gradient = self.gradient(rows)
            self.step_count += 1
            moved, all_weights = 0.0, self.weights + self.biases
            for weight, slope, moment in zip(all_weights, gradient, self.moments):
                moment[0] = 0.9 * moment[0] + 0.1 * slope
                moment[1] = 0.999 * moment[1] + 0.001 * slope ** 2
                change = self.rate * (moment[0] / (1 - 0.9 ** self.step_count)) \
                    / (np.sqrt(moment[1] / (1 - 0.999 ** self.step_count)) + 1e-8)
                weight -= change
                moved += float((change ** 2).sum())
            self.costs.append(cost)
            ends = not self.order
            every = max(1, self.epochs * self.epoch_steps // 1000)
            if ends or self.step_count % every == 0:
                self.row(cost, gradient, moved, ends)
            if ends:
                self.costs = []

    def row(self, cost, gradient, moved, ends):
        valid = None
        if ends and len(self.valid):
            answers = self.walk(self.data.inputs(self.data.rows[self.valid]))[-1]
            valid = float(self.cost(answers, self.data.wanted()[self.valid]).mean())
        self.tell({"step": self.step_count, "epoch": self.epoch, "cost": cost, "rate": self.rate,
                   "gradient_norm": float(sum((g ** 2).sum() for g in gradient)) ** 0.5,
                   "weight_norm": float(sum((w ** 2).sum() for w in self.weights)) ** 0.5, "step_norm": moved ** 0.5,
                   "train_cost": float(np.mean(self.costs)) if ends else None, "valid_cost": valid, "valid_accuracy": None,
                   "seconds": self.seconds + time.monotonic() - self.begin})

    def keep_snapshot(self):
        with self.lock:
            self.snapshots[self.epoch] = (copy.deepcopy(self.weights), copy.deepcopy(self.biases), self.step_count)

    def walk_epochs(self, epochs, every=0):
        """Descends so far without waiting; a snapshot each so many epochs."""
        for _ in range(epochs):
            for _ in range(self.epoch_steps):
                self.step()
            if every and self.epoch % every == 0:
                self.keep_snapshot()
        return self

    def end(self, stopped="epochs", message=""):
        with self.lock:
            self.state, self.stopped, self.message = "ended", stopped, message
            self.tell({"stopped": stopped, "step": self.step_count, "epoch": self.epoch, "seconds": time.monotonic() - self.begin})
        return self

    def diverge(self, back_to=None):
        """A step that is no finite number; goes back, or ends."""
        step = self.step_count + 1
        reason = f"diverged at step {step} (epoch {self.epoch}), rows 3, 7: the cost is no finite number, at rate {self.rate:g}"
        if back_to is None:
            self.end("diverged", reason)
            return self
        self.rate /= 2
        self.tell({"rollback": 1, "step": step, "to": back_to, "rate": self.rate,
                   "reason": f"{reason}; back to step {back_to} with half the rate", "seconds": time.monotonic() - self.begin})
        self.step_count = back_to
        return self

    @staticmethod
    def _as(at):
        return at if at == "now" else int(at)

    def at(self, at):
        """A descent with the weights of that epoch, to be asked."""
        at = self._as(at)
        with self.lock:
            seen = copy.copy(self)
            if at != "now" and at in self.snapshots:
                seen.weights, seen.biases, seen.step_count = self.snapshots[at]
            else:
                seen.weights, seen.biases = copy.deepcopy(self.weights), copy.deepcopy(self.biases)
        return seen

    # The documents.

    def run_document(self, mode, log=None, missing=None):
        flags = f"--net '{', '.join(f'{n} tanh' for n in self.hidden)}' --epochs {self.epochs}"
        return {"mode": mode, "runs": [{"name": self.data.name, "log": log, "snapshots": sorted(self.snapshots)}],
                "columns": self.data.columns, "target": self.data.target_name, "task": "classes" if self.data.classes else "numbers",
                "classes": self.data.classes or [], "parts": ["data"], "recipe": self.recipe,
                "command": f"downhill train {self.data.name}.csv {flags}" + (" --view" if mode == "live" else ""),
                "version": "0.1.0", "arithmetic": 1, "missing": missing}

    def net_document(self, most=65536):
        rows = np.arange(len(self.data.rows))[:256]
        answers = self.walk(self.data.inputs(self.data.rows[rows]))
        gradient = self.gradient(rows)[1]
        layers = []
        for i, (weight, bias) in enumerate(zip(self.weights, self.biases)):
            last = i == len(self.weights) - 1
            name = "output" if last else f"layer{i + 1}"
            words = (f"{weight.shape[1]} softmax" if self.data.classes else "1 identity") if last else f"{weight.shape[1]} tanh"
            fit = max(1, min(weight.shape[1], most // weight.shape[0]))
            layers.append({"name": name, "words": words, "inputs": weight.shape[0], "units": weight.shape[1],
                           "picture": self.data.picture if i == 0 else None,
                           "weights": {"inputs": weight.shape[0], "units": fit, "first": 0, **packed(weight[:, :fit])},
                           "bias": packed(bias),
                           "bins": {"weights": bins(weight), "activations": bins(answers[i + 1]), "gradient": bins(gradient[i])},
                           "asleep": int((np.ptp(answers[i + 1], axis=0) == 0).sum()), "weight_count": int(weight.size)})
        return {"epoch": self.epoch, "step": self.step_count, "layers": layers}

    def layer_document(self, layer, first, most=65536):
        weight = self.weights[layer]
        fit = max(1, min(weight.shape[1] - first, most // weight.shape[0]))
        return {"inputs": weight.shape[0], "units": fit, "first": first, **packed(weight[:, first:first + fit])}

    def map_document(self, x, y):
        data = self.data
        if data.picture:
            return None
        names = [column["name"] for column in data.columns]
        axes = [(names.index(x), data.columns[names.index(x)]), (names.index(y), data.columns[names.index(y)])]
        width, height = (len(column["values"]) if column["values"] else GRID for _, column in axes)
        rows = np.tile(np.median(data.rows, axis=0), (width * height, 1))
        across = np.linspace(axes[0][1]["low"], axes[0][1]["high"], width)
        up = np.linspace(axes[1][1]["low"], axes[1][1]["high"], height)
        rows[:, axes[0][0]], rows[:, axes[1][0]] = np.tile(across, height), np.repeat(up, width)
        answers = self.walk(data.inputs(rows))
        output = answers[-1] if data.classes else answers[-1] * data.target_deviation + data.target_mean
        fixed = [{"name": column["name"], "value": str(column["values"][int(np.median(data.rows[:, i]))]) if column["values"]
                  else f"{np.median(data.rows[:, i]):.4g}"} for i, column in enumerate(data.columns) if column["name"] not in (x, y)]
        layers = [{"name": f"layer{i + 1}", "units": layer.shape[1], "maps": [packed(layer[:, unit]) for unit in range(min(64, layer.shape[1]))]}
                  for i, layer in enumerate(answers[1:-1])]
        shown = np.arange(len(data.rows))[:500]
        return {"epoch": self.epoch, "step": self.step_count, "width": width, "height": height,
                "x": {key: axes[0][1][key] for key in ("name", "low", "high", "values")},
                "y": {key: axes[1][1][key] for key in ("name", "low", "high", "values")}, "fixed": fixed,
                "outputs": [{"name": data.classes[k] if data.classes else data.target_name, **packed(output[:, k])}
                            for k in range(output.shape[1])],
                "layers": layers,
                "points": [[float(data.rows[i, axes[0][0]]), float(data.rows[i, axes[1][0]]), float(data.target[i])] for i in shown]}

    def row_document(self, i, answer, cost):
        data = self.data
        cells = [] if data.picture else [
            [column["name"], str(column["values"][int(data.rows[i, c])]) if column["values"] else f"{data.rows[i, c]:.4g}"]
            for c, column in enumerate(data.columns)]
        image = {"height": data.picture[0], "width": data.picture[1], "channels": data.picture[2],
                 "data": base64.b64encode(data.rows[i].astype(np.uint8).tobytes()).decode("ascii")} if data.picture else None
        if data.classes:
            best = int(answer.argmax())
            return {"row": int(i) + 1, "truth": data.classes[data.target[i]], "answer": data.classes[best], "sure": float(answer[best]),
                    "cost": float(cost), "cells": cells, "image": image}
        return {"row": int(i) + 1, "truth": f"{data.target[i]:.6g}", "answer": f"{answer[0] * data.target_deviation + data.target_mean:.6g}",
                "sure": None, "cost": float(cost), "cells": cells, "image": image}

    def answers_document(self, part="data"):
        data = self.data
        answers = self.walk(data.inputs(data.rows))[-1]
        costs = self.cost(answers, data.wanted())
        worst = np.argsort(-costs)[:24]
        made = {"epoch": self.epoch, "part": part, "rows": len(data.rows), "classes": data.classes, "confusion": None, "scatter": None,
                "worst": [self.row_document(i, answers[i], costs[i]) for i in worst]}
        if data.classes:
            best = answers.argmax(1)
            made["metrics"] = {"cost": float(costs.mean()), "accuracy": float((best == data.target).mean())}
            made["confusion"] = [[int(((data.target == t) & (best == a)).sum()) for a in range(len(data.classes))]
                                 for t in range(len(data.classes))]
        else:
            said = answers[:, 0] * data.target_deviation + data.target_mean
            off = said - data.target
            made["metrics"] = {"cost": float(costs.mean()), "rmse": float((off ** 2).mean() ** 0.5), "mae": float(np.abs(off).mean()),
                               "r2": float(1 - (off ** 2).sum() / ((data.target - data.target.mean()) ** 2).sum())}
            made["scatter"] = [[float(t), float(a)] for t, a in zip(data.target[:2000], said[:2000])]
        return made

    def rows_document(self, truth, answer):
        answers = self.walk(self.data.inputs(self.data.rows))[-1]
        costs = self.cost(answers, self.data.wanted())
        found = np.nonzero((self.data.target == truth) & (answers.argmax(1) == answer))[0]
        return {"rows": [self.row_document(i, answers[i], costs[i]) for i in found[:24]], "count": len(found)}

    def state_document(self):
        speed = self.step_count / max(1e-6, time.monotonic() - self.begin)
        return {"state": self.state, "step": self.step_count, "epoch": self.epoch, "epochs": self.epochs, "rate": self.rate,
                "own_rate": self.own_rate, "steps_per_second": speed, "saved": self.saved, "stopped": self.stopped,
                "message": self.message}


def report_of(page, descents, left_out=("epochs other than the last", "rows that aren't among the worst")):
    """The file that `downhill report` would write: the page with its documents inside."""
    first = descents[0]
    run = first.run_document("report", f"{first.data.name}.jsonl")
    for other in descents[1:]:
        run["runs"].append({"name": other.data.name, "log": f"{other.data.name}.jsonl", "snapshots": []})
    names = [column["name"] for column in first.data.columns if column["kind"] != "image"]
    pairs = [(x, y) for i, x in enumerate(names) for y in names[i + 1:]]
    held = {"run": run, "traces": [one.lines for one in descents], "net": first.net_document(),
            "maps": [first.map_document(x, y) for x, y in pairs], "answers": [first.answers_document()], "left_out": list(left_out)}
    place = b'id="report">'
    at = page.index(place) + len(place)
    return page[:at] + json.dumps(held).replace("<", "\\u003c").encode("ascii") + page[at:]
