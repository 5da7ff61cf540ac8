"""Rules that PyTorch doesn't have, from their papers' formulas, on PyTorch's parameters in double precision."""
import numpy
import torch


class Rule:
    """A function of one weight tensor, its gradient and what is remembered of it."""

    def __init__(self, p, rate):
        self.p, self.rate, self.t = p, rate, 0
        self.memory = [{} for _ in p]

    def zero_grad(self):
        for w in self.p:
            w.grad = None

    def step(self):
        self.t += 1
        self.begin()
        with torch.no_grad():
            for w, memory in zip(self.p, self.memory):
                self.move(w, w.grad, memory)

    def begin(self):
        """Before the tensors are moved."""


class NAdam(Rule):
    """Dozat: Incorporating Nesterov Momentum into Adam (2016), as the manual of PyTorch's NAdam has it. PyTorch 1.13 itself counts
    mu of this step twice in the product for the next; later ones don't."""

    def __init__(self, p, rate, betas=(0.9, 0.999), eps=1e-8, decay=0.0):
        super().__init__(p, rate)
        self.betas, self.eps, self.decay, self.product = betas, eps, decay, 1.0

    def mu(self, t):
        return self.betas[0] * (1 - 0.5 * 0.96 ** (t * 0.004))

    def begin(self):
        self.product *= self.mu(self.t)

    def move(self, w, g, memory):
        g = g + self.decay * w
        memory["m"] = self.betas[0] * memory.get("m", 0) + (1 - self.betas[0]) * g
        memory["v"] = self.betas[1] * memory.get("v", 0) + (1 - self.betas[1]) * g ** 2
        after = self.mu(self.t + 1)
        mean = after * memory["m"] / (1 - self.product * after) + (1 - self.mu(self.t)) * g / (1 - self.product)
        w -= self.rate * mean / ((memory["v"] / (1 - self.betas[1] ** self.t)).sqrt() + self.eps)


class ScheduleFree(Rule):
    """Defazio, Yang, Mehta, Mishchenko, Khaled, Cutkosky: The Road Less Scheduled (2024), algorithm 1. The parameters are x
    but while the gradient is taken, which is at y: between zero_grad() and step()."""

    def __init__(self, p, rate, betas=(0.9, 0.999), eps=1e-8, decay=0.0):
        super().__init__(p, rate)
        self.betas, self.eps, self.decay, self.sum = betas, eps, decay, 0.0
        for w, memory in zip(p, self.memory):
            memory.update(z=w.detach().clone(), v=torch.zeros_like(w))

    def zero_grad(self):
        super().zero_grad()
        with torch.no_grad():
            for w, memory in zip(self.p, self.memory):
                memory["x"] = w.clone()
                memory["y"] = (1 - self.betas[0]) * memory["z"] + self.betas[0] * w
                w.copy_(memory["y"])

    def begin(self):
        self.gamma = self.rate * (1 - self.betas[1] ** self.t) ** 0.5
        self.sum += self.gamma ** 2

    def move(self, w, g, memory):
        memory["v"] = self.betas[1] * memory["v"] + (1 - self.betas[1]) * g ** 2
        memory["z"] = (memory["z"] - self.gamma * g / (memory["v"].sqrt() + self.eps) - self.gamma * self.decay * memory["y"])
        c = self.gamma ** 2 / self.sum
        w.copy_((1 - c) * memory["x"] + c * memory["z"])


class Quickprop(Rule):
    """Fahlman: An empirical study of learning speed in back-propagation networks (1988). `s` is the last step, S the slope:
    s = S(t) / (S(t-1) - S(t)) * s, no more than mu times the last, and at most that where the slope would take it up or beyond
    all bounds; plus rate * slope unless the slope has turned since."""

    mu = 1.75

    def __init__(self, p, rate, decay=0.0):
        super().__init__(p, rate)
        self.decay = decay

    def move(self, w, g, memory):
        g = g + self.decay * w
        last, before = memory.get("s", torch.zeros_like(w)), memory.get("g", torch.zeros_like(w))
        s = torch.empty(w.shape)
        for i, (slope, was, step) in enumerate(zip(-g.flatten(), -before.flatten(), last.flatten())):
            if step == 0:
                s.flatten()[i] = self.rate * slope
                continue
            along, along_before = slope * step.sign(), was * step.sign()
            if along > self.mu / (1 + self.mu) * along_before:
                jump = self.mu
            else:
                jump = max(-self.mu, min(self.mu, along / (along_before - along)))
            s.flatten()[i] = jump * step + (self.rate * slope if along > 0 else 0)
        memory.update(g=g, s=s)
        w += s


class Muon(Rule):
    """Jordan et al. 2024, as the manual of torch.optim.Muon has it with adjust_lr_fn="match_rms_adamw": p has weight and bias of each
    layer in turn, and the last two and all biases move by AdamW."""

    def __init__(self, p, rate, momentum=0.95, decay=0.0, betas=(0.9, 0.999)):
        super().__init__(p, rate)
        self.momentum, self.decay = momentum, decay
        self.matrices = {id(w) for w in p[:-2] if w.ndim == 2}
        self.rest = torch.optim.AdamW([w for w in p if id(w) not in self.matrices], lr=rate, betas=betas, weight_decay=decay)

    def begin(self):
        self.rest.step()

    def move(self, w, g, memory):
        if id(w) not in self.matrices:
            return
        memory["m"] = torch.lerp(memory.get("m", torch.zeros_like(w)), g, 1 - self.momentum)
        x = torch.lerp(g, memory["m"], self.momentum)
        tall = x.shape[0] > x.shape[1]
        x = x.T if tall else x
        x = x / max(x.norm(), 1e-7)
        for _ in range(5):
            square = x @ x.T
            x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
        w *= 1 - self.rate * self.decay
        w -= self.rate * 0.2 * max(w.shape) ** 0.5 * (x.T if tall else x)


class Whole:
    """A cost over all rows as a function of one flat vector of weights, for rules that look at it several times a step."""

    def __init__(self, net, start, x, t, decay):
        self.net, self.x, self.t, self.decay = net, x, t, decay
        self.shapes = {name: value.shape for name, value in start.items()}
        self.looks = 0

    def split(self, w):
        """PyTorch's parameters."""
        made, at = {}, 0
        for name, shape in self.shapes.items():
            size = int(numpy.prod(shape))
            made[name] = w[at:at + size].reshape(shape)
            made[name] = made[name].T if len(shape) == 2 else made[name]
            at += size
        return made

    def cost(self, w):
        return self.net.loss(self.split(w), self.x, self.t) + self.decay / 2 * (w ** 2).sum()

    def look(self, w):
        """(cost, gradient)"""
        self.looks += 1
        w = torch.tensor(w, requires_grad=True)
        cost = self.cost(w)
        cost.backward()
        return cost.item(), w.grad.numpy()

    def errors(self, w):
        return (self.net.forward(self.split(w), self.x)[1] - self.t).flatten()

    def slopes(self, w):
        return torch.autograd.functional.jacobian(self.errors, torch.tensor(w)).numpy()


def levenberg_marquardt(whole, w, steps, rate=1.0, up=2, down=3):
    """Marquardt 1963; Hagan and Menhaj 1994, with gentler factors, and mu first a thousandth of the largest diagonal element."""
    mu = None
    for _ in range(steps):
        cost, gradient = whole.look(w)
        slopes = whole.slopes(w)
        square = slopes.T @ slopes / len(whole.x) + whole.decay * numpy.eye(len(w))
        mu = mu or 1e-3 * square.diagonal().max()
        while mu < 1e10 * square.diagonal().max():
            trial = w - rate * numpy.linalg.solve(square + mu * numpy.eye(len(w)), gradient)
            if whole.look(trial)[0] < cost:
                w, mu = trial, mu / down
                break
            mu *= up
    return w


def two_loops(g, pairs):
    """-H g of Nocedal and Wright, algorithm 7.4."""
    q, alphas = -g, []
    for s, y in reversed(pairs):
        alphas.append(s @ q / (s @ y))
        q = q - alphas[-1] * y
    if pairs:
        s, y = pairs[-1]
        q = q * (s @ y) / (y @ y)
    for (s, y), alpha in zip(pairs, reversed(alphas)):
        q = q + (alpha - y @ q / (s @ y)) * s
    return q


# Where so many looks along a line meet no point that will do, costs no longer tell points apart: that is the foot.
LOOKS = 40


def lbfgs(whole, w, steps, rate=1.0, memory=10):
    """Nocedal 1980. Along a line it looks at `rate` (the first time at no more than 1 away), goes on four times as far while it is downhill,
    and then between the ends by cubics, until a point meets the strong conditions of Wolfe (1e-4, 0.9)."""
    cost, g = whole.look(w)
    pairs = []
    for _ in range(steps):
        d = two_loops(g, pairs)
        slope = g @ d
        t = rate if pairs else rate / max(1, (-slope) ** 0.5)
        low, high = (0, cost, slope), None
        for look in range(LOOKS + 1):
            if look == LOOKS:
                return w
            there = w + t * d
            new_cost, new_g = whole.look(there)
            new_slope = new_g @ d
            enough = new_cost <= cost + 1e-4 * t * slope + 1e-7 * abs(cost)
            if enough and abs(new_slope) <= -0.9 * slope:
                break
            if enough and new_slope < 0:
                low = (t, new_cost, new_slope)
            else:
                high = (t, new_cost, new_slope)
            t = 4 * t if high is None else cubic(low, high)
        pairs = [*pairs, (there - w, new_g - g)][-memory:]
        w, cost, g = there, new_cost, new_g
    return w


def cubic(a, b):
    """Nocedal and Wright, 3.59: the foot of the cubic through two points, at least a tenth from either."""
    (ta, fa, da), (tb, fb, db) = a, b
    d1 = da + db - 3 * (fa - fb) / (ta - tb)
    d2 = numpy.sign(tb - ta) * (d1 ** 2 - da * db) ** 0.5 if d1 ** 2 >= da * db else numpy.nan
    t = tb - (tb - ta) * (db + d2 - d1) / (db - da + 2 * d2)
    return (ta + tb) / 2 if numpy.isnan(t) else min(max(t, ta + 0.1 * (tb - ta)), tb - 0.1 * (tb - ta))
