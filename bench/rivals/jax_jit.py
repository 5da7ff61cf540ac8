"""JAX: the whole step under jit, state donated; one call a step (step), and one call for many, a loop inside (scan)."""
import os
import sys

if len(sys.argv) > 3 and sys.argv[3] == "1":
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"

import functools  # noqa: E402  (the flags must be there before the library)

import jax  # noqa: E402
from jax import lax, nn, numpy as jnp  # noqa: E402

from common import chunks, data, filters, serve, weights  # noqa: E402
from cases import DECAY  # noqa: E402

STEPS_A_CALL = 32
STEPS_OF_XOR = 4000


def convolve(w, b, x):
    """Convolution, relu, pooling."""
    x = lax.conv_general_dilated(x, w, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")) + b
    return lax.reduce_window(nn.relu(x), -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")


def cost_of(case, parameters, x, y):
    count = len(case.filters)
    x = x.reshape(-1, 28, 28, 1) if count else x
    for w, b in parameters[:count]:
        x = convolve(w, b, x)
    x = x.reshape(len(x), -1)
    dense = parameters[count:]
    for i, (w, b) in enumerate(dense):
        x = x @ w + b
        if i < len(dense) - 1:
            x = nn.sigmoid(x) if case.hidden == "sigmoid" else nn.relu(x)
    if case.cost == "cross-entropy":
        return -jnp.take_along_axis(nn.log_softmax(x), y[:, None], 1).mean()
    answer = nn.sigmoid(x) if case.output == "sigmoid" else x
    return ((answer - y) ** 2).mean()


def update(case, parameters, gradients, moments, count):
    """One step of the case's rule: new parameters and moments."""
    if case.rule == "sgd":
        return jax.tree.map(lambda p, g: p - case.rate * g, parameters, gradients), moments
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradients)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradients)
    shrink = 1 - case.rate * DECAY if case.rule == "adamw" else 1.0
    of_m, of_v = case.rate / (1 - 0.9 ** count), 1 / (1 - 0.999 ** count)
    return jax.tree.map(lambda p, m, v: shrink * p - of_m * m / (jnp.sqrt(of_v * v) + 1e-8), parameters, m, v), (m, v)


def step(case, state, x, y, rows):
    parameters, moments, count = state
    count = count + 1
    gradients = jax.grad(functools.partial(cost_of, case))(parameters, x[rows], y[rows])
    return *update(case, parameters, gradients, moments, count), count


def state_of(case):
    parameters = [(jnp.asarray(w), jnp.asarray(b)) for w, b in filters(case) + weights(case)]
    moments = () if case.rule == "sgd" else tuple(jax.tree.map(jnp.zeros_like, parameters) for _ in range(2))
    return parameters, moments, jnp.zeros(())


def one_call_a_step(case, x, y):
    """One step on the batch of that number in an order."""
    whole = jax.jit(lambda state, x, y, order, number: step(case, state, x, y, order[number]), donate_argnums=0)
    numbers = [jnp.asarray(i) for i in range(chunk_of(case))]

    def steps(state, order):
        for number in numbers:
            state = whole(state, x, y, order, number)
        return state

    return steps


def one_call_for_many(case, x, y):
    def many(state, x, y, order):
        return lax.scan(lambda state, rows: (step(case, state, x, y, rows), None), state, order)[0]

    whole = jax.jit(many, donate_argnums=0)
    return lambda state, order: whole(state, x, y, order)


def chunk_of(case):
    return STEPS_OF_XOR if case.in_file_order else STEPS_A_CALL


def make(case, way, _threads):
    x, y = map(jnp.asarray, data(case))
    steps = {"step": one_call_a_step, "scan": one_call_for_many}[way](case, x, y)
    source, state = chunks(case, chunk_of(case)), state_of(case)

    def take(count):
        nonlocal state
        taken = 0
        while taken < count:
            state = steps(state, jnp.asarray(next(source)))
            taken += chunk_of(case)
        jax.block_until_ready(state)
        return taken

    return take


jax.config.update("jax_platforms", "cpu")
# A step is short: it runs in the thread that asks, without a hand-over to another.
jax.config.update("jax_cpu_enable_async_dispatch", False)
EVERY = ["xor", "nielsen", "digits", "wide", "lenet", "table"]
serve("JAX", "jax", [{"way": way, "column": "JAX", "cases": EVERY, "threaded": True} for way in ("step", "scan")], make)
