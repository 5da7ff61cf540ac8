"""The lesson's own way in NumPy: one row at a time, a Python loop around small products."""
import numpy

from common import data, serve


def sigmoid(z):
    return 1.0 / (1.0 + numpy.exp(-z))


class Net:
    """Two layers of sigmoids whose weights start between 0 and 1, in double precision as NumPy has it."""

    def __init__(self, case):
        random = numpy.random.default_rng(1)
        inputs, hidden, outputs = case.widths
        self.rate = case.rate
        self.w1, self.b1 = random.random((inputs, hidden)), random.random((1, hidden))
        self.w2, self.b2 = random.random((hidden, outputs)), random.random((1, outputs))

    def step(self, row, target):
        x = numpy.array([row])
        h = sigmoid(x.dot(self.w1) + self.b1)
        y = sigmoid(h.dot(self.w2) + self.b2)
        d2 = (target - y) * y * (1.0 - y)
        d1 = d2.dot(self.w2.T) * h * (1.0 - h)
        self.w2 += self.rate * h.T.dot(d2)
        self.w1 += self.rate * x.T.dot(d1)
        self.b2 += self.rate * d2.sum(axis=0)
        self.b1 += self.rate * d1.sum(axis=0)


def make(case, _way, _threads):
    net = Net(case)
    rows, targets = (part.astype(float) for part in data(case))

    def take(count):
        passes = -(-count // len(rows))
        for _ in range(passes):
            for row, target in zip(rows, targets):
                net.step(row, target)
        return passes * len(rows)

    return take


serve("NumPy", "numpy", [{"way": "rows", "column": "NumPy, the lesson's loop", "cases": ["xor"], "threaded": False}], make)
