"""What the rivals' scripts share: the data, and the talk with the driver.

    SCRIPT                      prints what it is as a line of JSON: name, version, ways; a way has the words `way` and `column`,
                                its `cases`, and `threaded`, whether it can use more than one thread
    SCRIPT CASE WAY THREADS     sets up and warms up, prints "ready"; answers each line "run" with microseconds a step; ends with
                                its input

bench/rivals/fann.c keeps to the same.
"""
import importlib.metadata
import json
import os
import pathlib
import sys
import time

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from cases import CASES  # noqa: E402  (its folder is known only now)

TURN = 0.3  # seconds that a turn should take
WARM = 1.0  # seconds of steps before the first


def data(case):
    """The rows of a case as float32 inputs and targets: numbers, or classes as int64 where the cost is cross-entropy.

    A fifth of an image's pixels is ink, and nothing tells its class. A net can't learn such rows by heart soon, so what a step
    costs stays the same: costs near 0 would fill the arrays with denormals, which some processors handle a hundred times slower.
    """
    if case.in_file_order:
        x = numpy.array([[0, 0], [0, 1], [1, 0], [1, 1]], numpy.float32)
        return x, numpy.array([[0], [1], [1], [0]], numpy.float32)
    random = numpy.random.default_rng(1)
    if case.output == "identity":
        x = random.standard_normal((case.rows, case.widths[0]), numpy.float32)
        return x, numpy.sin(3 * x).sum(1, keepdims=True) + random.standard_normal((case.rows, 1), numpy.float32)
    x = random.random((case.rows, case.widths[0]), numpy.float32)
    x *= random.random(x.shape, numpy.float32) < 0.2
    classes = numpy.arange(case.rows) % case.widths[-1]
    return x, classes if case.cost == "cross-entropy" else numpy.eye(case.widths[-1], dtype=numpy.float32)[classes]


def orders(case):
    """Rows of batches without end, a pass at a time: an array of int32, one line a batch."""
    random = numpy.random.default_rng(3)
    while True:
        rows = numpy.arange(case.rows) if case.in_file_order else random.permutation(case.rows)
        yield rows[:case.batches * case.batch].astype(numpy.int32).reshape(-1, case.batch)


def chunks(case, size):
    """The same in arrays of at most `size` batches, for those that take many steps a call."""
    for order in orders(case):
        if case.in_file_order:
            order = numpy.tile(order, (size // len(order), 1))
        # What is left of a pass would be another shape, and compiled anew.
        for begin in range(0, len(order) - size + 1, size):
            yield order[begin:begin + size]


def weights(case):
    """Weights and biases of each layer to start from, small and random."""
    random = numpy.random.default_rng(2)
    pairs = zip(case.dense_widths, case.dense_widths[1:])
    return [((random.standard_normal((a, b)) / a ** 0.5).astype(numpy.float32), numpy.zeros(b, numpy.float32)) for a, b in pairs]


def filters(case):
    """Weights [height, width, channels in, channels out] and biases of each convolution, likewise."""
    random = numpy.random.default_rng(4)
    pairs = zip((1, *case.filters), case.filters)
    return [((random.standard_normal((5, 5, a, b)) / (25 * a) ** 0.5).astype(numpy.float32), numpy.zeros(b, numpy.float32))
            for a, b in pairs]


def timed(take, count):
    begin = time.perf_counter()
    taken = take(count)
    return time.perf_counter() - begin, taken


def count_of_a_turn(take):
    """Warms up; gives the number of steps to ask for so that they take about TURN seconds."""
    for _ in range(2):
        take(1)  # what is compiled is compiled now, some of it at the second call
    count, end = 1, time.perf_counter() + WARM
    while True:
        seconds, taken = timed(take, count)
        if time.perf_counter() > end and seconds > TURN / 4:
            return max(1, round(taken * TURN / seconds))
        if seconds < TURN / 2:
            count = 2 * taken


def serve(name, package, ways, make):
    """The whole script. make(case, way, threads) gives take(n), which takes n or some more steps and says how many."""
    if len(sys.argv) == 1:
        print(json.dumps({"name": name, "version": importlib.metadata.version(package), "ways": ways}))
        return
    # Libraries may print: what the driver reads goes through a channel of its own.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    take = make(CASES[sys.argv[1]], sys.argv[2], int(sys.argv[3]))
    count = count_of_a_turn(take)
    print("ready", file=out, flush=True)
    for _ in sys.stdin:
        seconds, taken = timed(take, count)
        print(f"{1e6 * seconds / taken:.6g}", file=out, flush=True)
