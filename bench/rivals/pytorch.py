"""PyTorch: modules, autograd and fused optimizers as they are (eager), and the whole step as one compiled graph (compile)."""
import itertools
import os

import torch
from torch import nn
from torch.func import functional_call, grad

from common import data, filters, orders, serve, weights
from cases import DECAY

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "relu": nn.ReLU}


def net_of(case):
    layers = [nn.Unflatten(1, (1, 28, 28))] if case.filters else []
    for w, b in filters(case):
        layer = nn.Conv2d(*w.shape[2:], 5)
        layer.weight.data, layer.bias.data = torch.from_numpy(w.transpose(3, 2, 0, 1).copy()), torch.from_numpy(b)
        layers += [layer, nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten()] if case.filters else []
    for w, b in weights(case):
        layer = nn.Linear(*w.shape)
        layer.weight.data, layer.bias.data = torch.from_numpy(w.T.copy()), torch.from_numpy(b)
        layers += [layer, ACTIVATIONS[case.hidden]()]
    layers.pop()
    if case.output == "sigmoid":
        layers.append(nn.Sigmoid())
    return nn.Sequential(*layers)


def cost_of(case):
    return nn.functional.cross_entropy if case.cost == "cross-entropy" else nn.functional.mse_loss


def row_numbers(case):
    """The rows of one batch after another, without end."""
    for order in orders(case):
        yield from torch.from_numpy(order).unbind()


def batches(case, x, y):
    """Batches without end. One call of index_select gathers one; rows in file order are views that were made once."""
    if case.in_file_order:
        yield from itertools.cycle(zip(x.split(1), y.split(1)))
    for rows in row_numbers(case):
        yield x.index_select(0, rows), y.index_select(0, rows)


def eager(case, x, y):
    net, cost = net_of(case), cost_of(case)
    if case.rule == "sgd":
        optimizer = torch.optim.SGD(net.parameters(), lr=case.rate, fused=True)
    elif case.rule == "adam":
        optimizer = torch.optim.Adam(net.parameters(), lr=case.rate, fused=True)
    else:
        optimizer = torch.optim.AdamW(net.parameters(), lr=case.rate, weight_decay=DECAY, fused=True)
    source = batches(case, x, y)

    def step():
        inputs, targets = next(source)
        cost(net(inputs), targets).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def update(case, parameters, gradients, moments, count):
    """One step of the case's rule, in place; moments and count change with it."""
    count += 1
    for name, p in parameters.items():
        g = gradients[name]
        if case.rule == "sgd":
            p.sub_(g, alpha=case.rate)
            continue
        m, v = moments[name]
        m.lerp_(g, 0.1)
        v.lerp_(g * g, 0.001)
        if case.rule == "adamw":
            p.mul_(1 - case.rate * DECAY)
        size = (v / (1 - 0.999 ** count)).sqrt_() + 1e-8
        p.sub_(case.rate / (1 - 0.9 ** count) * m / size)


def compiled(case, x, y):
    """Gather, gradient and rule in one graph: what the compiler can fuse, it may."""
    net, cost = net_of(case), cost_of(case)
    parameters = {name: p.detach().clone() for name, p in net.named_parameters()}
    moments = {name: (torch.zeros_like(p), torch.zeros_like(p)) for name, p in parameters.items()}
    count = torch.zeros(())

    @torch.compile(fullgraph=True, dynamic=False)
    def whole(rows):
        inputs, targets = x.index_select(0, rows), y.index_select(0, rows)
        gradients = grad(lambda p: cost(functional_call(net, p, (inputs,)), targets))(parameters)
        update(case, parameters, gradients, moments, count)

    source = itertools.cycle(list(itertools.islice(row_numbers(case), 4))) if case.in_file_order else row_numbers(case)

    def step():
        with torch.no_grad():
            whole(next(source))

    return step


def make(case, way, threads):
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    x, y = map(torch.from_numpy, data(case))
    step = {"eager": eager, "compile": compiled}[way](case, x, y)

    def take(count):
        for _ in range(count):
            step()
        return count

    return take


EVERY = ["xor", "nielsen", "digits", "wide", "lenet", "table"]
# Its compiler would take all cores for itself.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
serve("PyTorch", "torch", [{"way": "eager", "column": "PyTorch", "cases": EVERY, "threaded": True},
                           {"way": "compile", "column": "PyTorch compiled", "cases": EVERY, "threaded": True}], make)
