"""A descent that was killed after any step goes on to the same bytes: model, log, answer, whatever the recipe and the machine."""
import json
import random
import re

import pytest

import recovery_data
from descents import LOG

NET = ["--net", "6 tanh", "--epochs", 4, "--batch", 16]
CLASSES = ["classes.csv", *NET]
NUMBERS = ["numbers.csv", *NET]

RULES = ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam", "schedule-free", "muon", "rprop", "quickprop", "lbfgs",
         "lm"]
SCHEDULES = ["constant", "step", "exponential", "cosine", "one-cycle", "flat-cosine", "coslog4", "plateau"]
COSTS = {"squared": NUMBERS, "absolute": NUMBERS, "huber": NUMBERS, "quantile": [*NUMBERS, "--quantile", "0.8"],
         "poisson": ["counts.csv", *NET], "cross-entropy": [*CLASSES, "--smoothing", "0.1"],
         "binary-cross-entropy": [*CLASSES, "--net", "6 tanh, output sigmoid"], "focal": [*CLASSES, "--focus", "1.5"],
         "hinge": CLASSES}

CASES = {f"rule-{rule}": [*CLASSES, "--rule", rule] for rule in RULES}
CASES |= {f"rule-{rule}": ["numbers.csv", "--net", "6 tanh", "--epochs", 16, "--rule", rule] for rule in ("lbfgs", "lm")}
CASES |= {f"schedule-{name}": [*CLASSES, "--schedule", name, "--drop-every", 2, "--drop", "0.7"] for name in SCHEDULES}
CASES |= {f"warmup-{name}": [*NUMBERS, "--schedule", name, "--warmup", "1.5", "--drop-every", 1] for name in SCHEDULES}
CASES |= {f"cost-{name}": [*words, "--cost", name] for name, words in COSTS.items()}
CASES |= {
    "patience": ["noise.csv", "--net", "20 relu", "--epochs", 200, "--batch", 20, "--rate", "0.05", "--patience", 3],
    "plateau-that-drops": ["noise.csv", "--net", "20 relu", "--epochs", 14, "--batch", 20, "--rate", "0.2", "--patience", 0,
                           "--schedule", "plateau", "--drop-every", 2],
    "average": [*CLASSES, "--average", "0.9", "--rate-factors", "1:0.5"],
    "average-without-validation": [*NUMBERS, "--rule", "rprop", "--average", "0.8", "--valid", 0],
    "clip": [*NUMBERS, "--rule", "momentum", "--clip", "0.1", "--clip-value", "0.03"],
    "patience-never": [*CLASSES, "--patience", 0],
    "dropout-and-layernorm": [*CLASSES, "--net", "dropout 0.1, 9 identity, layernorm tanh, dropout 0.5", "--dropout-warmup", 3],
    "bends": [*CLASSES, "--net", "9 identity, prelu, 5 identity, swish", "--decay", "0.1"],
    "periodic": [*NUMBERS, "--net", "periodic 5 0.3, conv 3 1 relu, 6 tanh"],
    "dropout-batch-1": ["xor.csv", "--net", "4 tanh, dropout 0.5", "--epochs", 7, "--batch", 1],
    "embed": ["places.csv", "--embed", "place=5,c", "--net", "6 tanh", "--epochs", 4, "--batch", 9, "--rule", "momentum"],
    "l1-and-max-norm": [*CLASSES, "--l1", "0.01", "--max-norm", "0.8"],
    "weights": ["weighed.csv", *NET, "--class-weights", "balanced", "--weight", "w", "--valid", "0.3"],
    "batch-1-weights": ["weighed.csv", "--net", "4 tanh", "--epochs", 2, "--batch", 1, "--weight", "w"],
    "batch-1": ["xor.csv", "--net", "4 tanh", "--epochs", 7, "--batch", 1],
    "batch-1-order-file": ["xor.csv", "--net", "4 sigmoid, output sigmoid", "--epochs", 7, "--batch", 1, "--order", "file",
                           "--scale", "none", "--task", "numbers", "--cost", "squared", "--rule", "sgd", "--init", "uniform"],
    "batch-full": [*NUMBERS, "--batch", "full", "--epochs", 9],
    "batch-of-blocks": ["many.csv", "--net", "8 relu", "--epochs", 3, "--batch", 300, "--valid", "0.2"],
    "order-file": [*CLASSES, "--order", "file"],
    "no-validation": [*CLASSES, "--valid", 0],
    "half-for-validation": [*CLASSES, "--valid", "0.5"],
    "validation-file": [*NUMBERS, "--valid", "other.csv"],
    "validation-and-test-files": [*NUMBERS, "--valid", "other.csv", "--test", "test.csv"],
    "start": [*NUMBERS, "--start", "start.safetensors"],
    "recipe": ["numbers.csv", "--recipe", "my.recipe"],
    "targets-file": ["inputs.csv", "--targets", "targets.csv", *NET],
    "images": ["t-images-idx3-ubyte", "--net", "8 relu, 6 tanh", "--epochs", 3, "--batch", 10],
    "scale-none": [*NUMBERS, "--scale", "none"],
    "deep": [*CLASSES, "--net", "7 relu, 1 tanh, 33 gelu, 5 elu", "--decay", "0.1"],
    "no-hidden-layer": [*CLASSES, "--net", "output softmax", "--init", "zero"],
    "seed": [*CLASSES, "--seed", 18446744073709551615],
    "many-threads": ["wide-images-idx3-ubyte", "--net", "192 relu, 192 relu", "--epochs", 2, "--batch", 128, "--valid", 0],
}

# Where and how a run goes on; none of it may change a bit.
MACHINES = [["--threads", 2, "--isa", "scalar"], ["--threads", 1], ["--threads", 3, "--isa", "best"], ["--isa", "scalar", "--threads", 1]]


@pytest.fixture
def ready(descents):
    """The command in a folder with all that the cases read."""
    descents.write("xor.csv", "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    descents.write("classes.csv", recovery_data.classes())
    descents.write("numbers.csv", recovery_data.numbers())
    descents.write("other.csv", recovery_data.numbers(15, seed=8))
    descents.write("test.csv", recovery_data.numbers(9, seed=9))
    descents.write("weighed.csv", recovery_data.weighed())
    descents.write("places.csv", recovery_data.places())
    descents.write("counts.csv", recovery_data.counts())
    descents.write("many.csv", recovery_data.numbers(1000, seed=10))
    descents.write("noise.csv", recovery_data.noise())
    lines = [line.rsplit(",", 1) for line in recovery_data.numbers().splitlines()]
    descents.write("inputs.csv", "\n".join(line[0] for line in lines) + "\n")
    descents.write("targets.csv", "\n".join(line[1] for line in lines) + "\n")
    descents.write("my.recipe", "net=5 tanh\nepochs=4\nrule=momentum\nrate=0.01\nschedule=cosine\nbatch=9\n")
    for name, content in (("t", recovery_data.images()), ("wide", recovery_data.images(600, side=16))):
        descents.write(f"{name}-images-idx3-ubyte", content[0])
        descents.write(f"{name}-labels-idx1-ubyte", content[1])
    descents.train(*NUMBERS, "--epochs", 1, "--seed", 5, "--out", "start.safetensors")
    descents.clear(LOG)
    return descents


def without_clock(answer):
    made = json.loads(answer)
    del made["seconds"]
    return made


def reference(ready, words):
    """Model, log and answer of the run that nothing interrupts; and its steps, and those that end an epoch."""
    done = ready.train(*words, "--json", "--threads", 1)
    model, log = ready.result()
    ready.clear()
    ends = [row["step"] for row in log if row.get("train_cost") is not None]
    return (model, log, without_clock(done.stdout)), log[-1]["step"], ends


def goes_on(ready, expected, words, step):
    """The same command, given again, goes on from this step and gives what is expected."""
    done = ready.train(*words, "--json")
    said = [line for line in done.stderr.splitlines() if line.startswith("resumed ")]
    assert len(said) == 1 and re.search(rf"\b{step}\b", said[0]), done.stderr
    assert (*ready.result(), without_clock(done.stdout)) == expected
    assert not list(ready.folder.glob("*.ckpt-*")) and not list(ready.folder.glob("*.tmp*"))
    ready.clear()


@pytest.mark.parametrize("case", CASES)
def test_same_bytes_after_any_step(ready, case):
    words = CASES[case]
    expected, total, ends = reference(ready, words)
    inside = next(step for step in range(2, total) if step not in ends) if len(ends) < total else ends[1]
    stops = {1, inside, ends[0], ends[-2], random.Random(case).randrange(1, total - 1)} - {total}
    for i, step in enumerate(sorted(stops)):
        ready.kill_after(step, *words, *MACHINES[(i + 1) % 4])
        goes_on(ready, expected, [*words, *MACHINES[i % 4]], step)
    ready.kill_at_the_end(*words)
    goes_on(ready, expected, [*words, *MACHINES[0]], total)


def test_the_cases_have_every_word(ready):
    """A rule, schedule or cost that comes new to the command comes to the list above too."""
    said = ready("help", "train").stdout
    for name, words in (("rules", RULES), ("schedules", SCHEDULES), ("costs", COSTS)):
        listed = re.search(rf"\n  {name} +(.*(?:\n {{4,}}.*)*)", said)[1].replace("\n", " ")
        assert {word.strip() for word in listed.split(",")} == set(words), listed


@pytest.mark.parametrize("case", ["patience", "plateau-that-drops"])
def test_every_single_step(ready, case):
    words = CASES[case]
    expected, total, ends = reference(ready, words)
    assert len(ends) < 200, "patience never ran out"
    assert case == "patience" or len({row.get("rate") for row in expected[1]} - {None}) > 2, "the rate never dropped"
    for step in range(1, total):
        ready.kill_after(step, *words)
        goes_on(ready, expected, words, step)


def test_interrupted_again_and_again(ready):
    words = CASES["schedule-cosine"]
    expected, total, _ = reference(ready, words)
    for step in range(1, total):
        ready.kill_after(step, *words, *MACHINES[step % 4])
    goes_on(ready, expected, words, total - 1)


def test_data_from_standard_input(ready):
    table = recovery_data.classes()
    words = ["-", *NET]
    ready.train(*words, text_in=table)
    expected = ready.result()
    ready.clear()
    ready.kill_after(7, *words, text_in=table)
    done = ready.train(*words, text_in=table)
    assert "resumed" in done.stderr and ready.result() == expected
    assert not ready.checkpoints()


@pytest.mark.parametrize("every", [1, 2, 7, "1s", 0])
def test_checkpoints_do_not_change_the_model(ready, every):
    ready.train(*CLASSES)
    expected = ready.result()
    ready.train(*CLASSES, "--checkpoint-every", every)
    assert ready.result() == expected
