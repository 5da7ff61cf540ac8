"""Rules that PyTorch doesn't have, from their papers' formulas, on PyTorch's parameters in double precision."""
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
