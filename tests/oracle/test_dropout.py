"""Dropout: what drops follows from the published generator, and the descent is PyTorch's with those masks, in double precision."""
import numpy
import pytest

from oracle import Classes, Net, assert_close, downhill, of, torch, train

PURPOSE = 6
MASK32 = 2**32 - 1


def philox(counter, key):
    """Philox4x32-10 (Salmon 2011)."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [high[1] >> 32 ^ c[1] ^ k[0], high[1] & MASK32, high[0] >> 32 ^ c[3] ^ k[1], high[0] & MASK32]
        k = [(k[0] + 0x9E3779B9) & MASK32, (k[1] + 0xBB67AE85) & MASK32]
    return c


def mask(part, seed, step, layer, rows, units):
    """0, or what makes up for those, for rows of a batch, whose units are taken in groups of 128, 16 bits each."""
    drawn = philox([step & MASK32, step >> 32, PURPOSE, 2 * layer // 4], [seed & MASK32, seed >> 32])
    key = drawn[2 * layer % 4:2 * layer % 4 + 2]
    least, floats = int(part * 65536 + 0.5), rows * units
    words = numpy.array([[philox([group, 0, PURPOSE, lane], key) for lane in range(16)] for group in range(-(-floats // 128))],
                        dtype="uint64")
    halves = numpy.stack([words & 0xFFFF, words >> 16], axis=3).reshape(-1, 16, 8).transpose(0, 2, 1).reshape(-1)[:floats]
    return torch.tensor((halves.reshape(rows, units) >= least) * (65536 / (65536 - least)))


def test_masks_drop_their_part():
    for part in (0.0, 0.1, 0.5, 0.99):
        drawn = mask(part, 7, 3, 1, 400, 50).numpy()
        assert abs((drawn == 0).mean() - part) < 0.01 and drawn.mean() == pytest.approx(1, abs=0.1)
    a, b, c, d = (mask(0.5, *which, 40, 50).numpy() for which in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1)))
    for other in (b, c, d):
        assert abs((a == other).mean() - 0.5) < 0.1


class Dropping(Net):
    """5 inputs dropped, 9 tanh, 13 gelu dropped, as the text below says; the step counts on."""

    step, seed, growing, training = 0, 18446744073709551615, 0, False

    def text(self):
        return "dropout 0.1, 9 tanh, dropout 0, 13 gelu, dropout 0.35, output softmax"

    def forward(self, p, x):
        share = self.step / self.growing if self.step < self.growing else 1

        def drop(x, part, layer):
            return x * mask(part * share, self.seed, self.step, layer, *x.shape) if self.training else x
        for i, (part, layer) in enumerate(((0.1, 0), (0.0, 1)), 1):
            z = torch.nn.functional.linear(drop(x, part, layer), p[f"layer{i}.weight"], p[f"layer{i}.bias"])
            x = torch.tanh(z) if i == 1 else torch.nn.functional.gelu(z)
        z = torch.nn.functional.linear(drop(x, 0.35, 2), p["layer3.weight"], p["layer3.bias"])
        return z, torch.softmax(z, dim=1)


@pytest.mark.parametrize("batch, epochs, warmup", [(16, 4, 0), (300, 3, 0), (50, 3, 1.5)])
def test_descent(tmp_path, batch, epochs, warmup):
    """The larger batch is walked in two blocks, which must not drop the same."""
    net, data = Dropping([5, 9, 13, 3], ["tanh", "gelu", "softmax"], "cross-entropy"), Classes(tmp_path, 310, 5, 3)
    start = net.draw(seed=3)
    flags = ["--rule", "sgd", "--rate", "0.2", "--batch", batch, "--epochs", epochs, "--seed", net.seed,
             "--dropout-warmup", warmup]
    got, told = train(tmp_path, net, start, data, *flags)
    p, x, t = net.parameters(start), data.inputs(), data.targets()
    optimiser = torch.optim.SGD(list(p.values()), lr=0.2)
    net.training = True
    net.growing = warmup * -(-len(x) // batch)
    for _ in range(epochs):
        for begin in range(0, len(x), batch):
            optimiser.zero_grad()
            net.loss(p, x[begin:begin + batch], t[begin:begin + batch]).backward()
            optimiser.step()
            net.step += 1
    assert told["steps"] == net.step
    assert_close(got, of(p), 5e-6, least=0.1)
    net.training = False
    assert told["train"]["cost"] == pytest.approx(net.loss(p, x, t).item(), rel=1e-5)
    assert max(abs(got[name] - start[name]).max() for name in start) > 0.02


@pytest.mark.parametrize("net, said", [
    ("8 relu, dropout", "character 9: 'dropout' needs the part it drops, as in 'dropout 0.2', 0 to 0.99"),
    ("8 relu, dropout 1", "needs the part it drops"), ("dropout -0.1", "needs the part it drops"),
    ("dropout x", "needs the part it drops"), ("dropout 0.5 relu", "'relu' doesn't belong to a layer dropout"),
    ("layernorm 5", "'5' is no activation"),
])
def test_nets_that_cannot_be(tmp_path, net, said):
    Classes(tmp_path, 30, 5, 3)
    _, talk = downhill(tmp_path, "train", "data.csv", "--net", net, expect=2)
    assert said in talk, talk
