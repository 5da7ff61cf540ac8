"""TensorFlow with Keras layers and optimizers, a training step as a graph, many steps a call, as Keras's steps_per_execution does.
Ways: the graph as it is (graph), and with each step compiled by XLA (xla)."""
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402  (the level must be there before the library)
import tensorflow as tf  # noqa: E402

from common import chunks, data, filters, serve, weights  # noqa: E402
from cases import DECAY  # noqa: E402

STEPS_A_CALL = 32
STEPS_OF_XOR = 4000


def net_of(case):
    acts = [case.hidden] * (len(case.widths) - 2) + ["linear" if case.output != "sigmoid" else "sigmoid"]
    layers = [keras.Input((case.widths[0],))]
    if case.filters:
        layers.append(keras.layers.Reshape((28, 28, 1)))
        for n in case.filters:
            layers += [keras.layers.Conv2D(n, 5, activation=case.hidden), keras.layers.MaxPooling2D()]
        layers.append(keras.layers.Flatten())
    net = keras.Sequential(layers + [keras.layers.Dense(n, a) for n, a in zip(case.widths[1:], acts)])
    net.set_weights([part for layer in filters(case) + weights(case) for part in layer])
    return net


def optimizer_of(case, net):
    if case.rule == "sgd":
        optimizer = keras.optimizers.SGD(case.rate)
    elif case.rule == "adam":
        optimizer = keras.optimizers.Adam(case.rate, epsilon=1e-8)
    else:
        optimizer = keras.optimizers.AdamW(case.rate, epsilon=1e-8, weight_decay=DECAY)
    optimizer.build(net.trainable_variables)
    return optimizer


def cost_of(case, answers, y):
    if case.cost == "cross-entropy":
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, answers))
    return tf.reduce_mean(tf.square(answers - y))


def make(case, way, threads):
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    x, y = map(tf.constant, data(case))
    net = net_of(case)
    optimizer = optimizer_of(case, net)

    @tf.function(jit_compile=way == "xla")
    def step(rows):
        with tf.GradientTape() as tape:
            cost = cost_of(case, net(tf.gather(x, rows), training=True), tf.gather(y, rows))
        optimizer.apply(tape.gradient(cost, net.trainable_variables))

    @tf.function
    def steps(order):
        for i in tf.range(len(order)):
            step(order[i])

    source = chunks(case, STEPS_OF_XOR if case.in_file_order else STEPS_A_CALL)

    def take(count):
        taken = 0
        while taken < count:
            order = next(source)
            steps(tf.constant(order))
            taken += len(order)
        net.trainable_variables[0].numpy()  # the last step is done
        return taken

    return take


EVERY = ["xor", "nielsen", "digits", "wide", "lenet", "table"]
serve("TensorFlow", "tensorflow_cpu", [{"way": way, "column": "TensorFlow", "cases": EVERY, "threaded": True}
                                       for way in ("graph", "xla")], make)
