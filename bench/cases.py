"""The cases, as `downhill bench` runs them (cli/bench_cases.c)."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    widths: tuple  # inputs, hidden units, outputs
    hidden: str  # activation: "sigmoid" or "relu"
    output: str  # "sigmoid", "softmax" or "identity"
    cost: str  # "squared" or "cross-entropy"
    batch: int
    rule: str  # "sgd", "adam" or "adamw"
    rate: float
    rows: int  # of the data set that batches are gathered from
    filters: tuple = ()  # channels of convolutions of 5x5, each with relu and a pooling of 2x2 behind it, before the hidden units

    @property
    def in_file_order(self):
        """Whether the rows are taken one after another instead of drawn."""
        return self.name == "xor"

    @property
    def batches(self):
        """How many whole batches a pass over the rows has."""
        return self.rows // self.batch

    @property
    def dense_widths(self):
        """Inputs of the first dense layer, hidden units, outputs."""
        side = 28
        for _ in self.filters:
            side = (side - 4) // 2
        return (side * side * self.filters[-1], *self.widths[1:]) if self.filters else self.widths

    @property
    def net(self):
        convolutions = [f"conv {channels}" for channels in self.filters]
        return ", ".join([*convolutions, "-".join(map(str, self.dense_widths))])


CASES = {case.name: case for case in (
    Case("xor", (2, 4, 1), "sigmoid", "sigmoid", "squared", 1, "sgd", 0.1, 4),
    Case("nielsen", (784, 30, 10), "sigmoid", "sigmoid", "squared", 10, "sgd", 0.1, 60000),
    Case("digits", (784, 128, 10), "relu", "softmax", "cross-entropy", 64, "adam", 0.001, 60000),
    Case("wide", (784, 512, 512, 10), "relu", "softmax", "cross-entropy", 128, "adam", 0.001, 60000),
    Case("lenet", (784, 256, 10), "relu", "softmax", "cross-entropy", 64, "adam", 0.001, 60000, (32, 64)),
    Case("table", (8, 256, 256, 1), "relu", "identity", "squared", 256, "adamw", 0.001, 20000),
)}

DECAY = 0.01  # of adamw
