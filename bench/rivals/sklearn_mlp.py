"""scikit-learn's MLPClassifier. partial_fit makes one pass over the rows in batches, in an order drawn anew each time, so its checks
of the input are paid once a pass, not once a step.

It has no squared cost behind a sigmoid (MLPRegressor's output is the identity) and no AdamW: the other cases are not its own.
"""
import numpy
from sklearn.neural_network import MLPClassifier

from common import data, serve


def make(case, _way, _threads):
    x, y = (part[:case.batches * case.batch] for part in data(case))
    net = MLPClassifier(case.widths[1:-1], activation="relu", solver="adam", alpha=0.0, batch_size=case.batch,
                        learning_rate_init=case.rate, random_state=1)
    net.partial_fit(x, y, classes=numpy.arange(case.widths[-1]))
    assert net.coefs_[0].dtype == numpy.float32 and net.n_outputs_ == case.widths[-1]

    def take(count):
        passes = -(-count // case.batches)
        for _ in range(passes):
            net.partial_fit(x, y)
        return passes * case.batches

    return take


serve("scikit-learn", "scikit-learn",
      [{"way": "partial_fit", "column": "scikit-learn", "cases": ["digits", "wide"], "threaded": True}], make)
