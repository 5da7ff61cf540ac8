"""Layers with a window against PyTorch's, in double precision: twenty steps of a net over pictures."""
import numpy
import pytest

from oracle import F, assert_close, downhill, tensors, torch

ROWS, HEIGHT, WIDTH, CHANNELS, BATCH, EPOCHS = 40, 9, 8, 3, 10, 5


def weights(generator, *shape):
    return generator.normal(0, 0.3, shape)


def conv(x, p, layer, **options):
    """Ours are [height, width, channels, outputs], PyTorch's [outputs, channels, height, width]."""
    return F.conv2d(x, p[f"{layer}.weight"].permute(3, 2, 0, 1), p[f"{layer}.bias"], **options)


def flat(x):
    """Channels are innermost in our rows."""
    return x.permute(0, 2, 3, 1).reshape(len(x), -1)


def dense(x, p, layer):
    return x @ p[f"{layer}.weight"] + p[f"{layer}.bias"]


def residual(x, p):
    inner = F.gelu(conv(x, p, "layer2", padding="same"))
    inner = inner + F.silu(conv(inner, p, "layer3"))
    return x + conv(inner, p, "layer4", padding="same")


# The net's text, its weights' shapes, and the same in PyTorch's functions.
NETS = {
    "plain": ("conv 5 3x3 tanh, maxpool 2, 6 silu", [(3, 3, 3, 5), (45, 6), (6, 4)],
              lambda x, p: dense(F.silu(dense(flat(F.max_pool2d(torch.tanh(conv(x, p, "layer1")), 2)), p, "layer2")), p, "layer3")),
    "same": ("conv 4 5x5 same gelu, conv 6 3x3 same silu, avgpool all", [(5, 5, 3, 4), (3, 3, 4, 6), (6, 4)],
             lambda x, p: dense(F.silu(conv(F.gelu(conv(x, p, "layer1", padding="same")), p, "layer2", padding="same"))
                                .mean((2, 3)), p, "layer3")),
    "stride": ("conv 6 3x2 stride 2 softplus, conv 6 2x2 groups 3 tanh, maxpool 2 stride 1", [(3, 2, 3, 6), (2, 2, 2, 6), (24, 4)],
               lambda x, p: dense(flat(F.max_pool2d(torch.tanh(conv(F.softplus(conv(x, p, "layer1", stride=2)), p, "layer2",
                                                                    groups=3)), 2, 1)), p, "layer3")),
    "depthwise": ("conv 3 3x3 groups 3 same relu, conv 8 1x1 tanh, avgpool 3x4 stride 2", [(3, 3, 1, 3), (1, 1, 3, 8), (96, 4)],
                  lambda x, p: dense(flat(F.avg_pool2d(torch.tanh(conv(F.relu(conv(x, p, "layer1", padding="same", groups=3)), p,
                                                                       "layer2")), (3, 4), 2)), p, "layer3")),
    "residual": ("conv 4 3x3 tanh, [conv 6 3x3 same gelu, [conv 6 1x1 silu], conv 4 3x3 same identity], avgpool all",
                 [(3, 3, 3, 4), (3, 3, 4, 6), (1, 1, 6, 6), (3, 3, 6, 4), (4, 4)],
                 lambda x, p: dense(residual(torch.tanh(conv(x, p, "layer1")), p).mean((2, 3)), p, "layer5")),
}


def normal(x, p, layer):
    """Batch normalisation, whose means and variances follow."""
    return F.batch_norm(x, p[f"{layer}.mean"], p[f"{layer}.variance"], p[f"{layer}.weight"], p[f"{layer}.bias"], training=True)


NETS["normal"] = ("conv 6 3x3 identity, batchnorm tanh, maxpool 2, 7 identity, batchnorm silu",
                  [(3, 3, 3, 6), (6,), (54, 7), (7,), (7, 4)],
                  lambda x, p: dense(F.silu(normal(dense(flat(F.max_pool2d(torch.tanh(normal(conv(x, p, "layer1"), p, "layer2")),
                                                                           2)), p, "layer3"), p, "layer4")), p, "layer5"))
NETS["scale"] = ("scale, conv 4 3x3 tanh, scale silu, avgpool all", [(3,), (3, 3, 3, 4), (4,), (4, 4)],
                 lambda x, p: dense(F.silu(torch.tanh(conv(x * p["layer1.weight"][:, None, None], p, "layer2"))
                                           * p["layer3.weight"][:, None, None]).mean((2, 3)), p, "layer4"))


def swish(x, p, layer):
    return x * torch.sigmoid(p[f"{layer}.weight"].reshape((-1,) + (1,) * (x.dim() - 2)) * x)


NETS["bends"] = ("prelu, conv 6 3x3 identity, swish, maxpool 2, 7 identity, prelu, 6 identity, swish tanh",
                 [(3,), (3, 3, 3, 6), (6,), (54, 7), (7,), (7, 6), (6,), (6, 4)],
                 lambda x, p: dense(torch.tanh(swish(dense(F.prelu(dense(flat(F.max_pool2d(swish(conv(F.prelu(x, p["layer1.weight"]),
                                                                                                   p, "layer2"), p, "layer3"), 2)),
                                                                        p, "layer4"), p["layer5.weight"]), p, "layer6"),
                                                     p, "layer7")), p, "layer8"))


def periodic(x, p, layer):
    """Waves of every channel, which lie where it lay."""
    last = x.movedim(1, -1)
    angle = 2 * torch.pi * last[..., None] * p[f"{layer}.weight"]
    return torch.cat([angle.sin(), angle.cos()], -1).flatten(-2).movedim(-1, 1)


NETS["periodic"] = ("periodic 5 0.2, conv 6 3x3 tanh, periodic 2, maxpool 2, 7 tanh, periodic 17 0.1",
                    [("periodic", 3, 5), (3, 3, 30, 6), ("periodic", 6, 2), (216, 7), ("periodic", 7, 17), (238, 4)],
                    lambda x, p: dense(periodic(torch.tanh(dense(flat(F.max_pool2d(periodic(torch.tanh(conv(
                        periodic(x, p, "layer1"), p, "layer2")), p, "layer3"), 2)), p, "layer4")), p, "layer5"), p, "layer6"))


def lines(x, p, layer):
    """Layer normalisation, over the channels of a pixel."""
    last = x.movedim(1, -1)
    return F.layer_norm(last, last.shape[-1:], p[f"{layer}.weight"], p[f"{layer}.bias"]).movedim(-1, 1)


NETS["lines"] = ("layernorm, conv 6 3x3 identity, layernorm gelu, maxpool 2, 7 tanh, layernorm",
                 [(3,), (3, 3, 3, 6), (6,), (54, 7), (7,), (7, 4)],
                 lambda x, p: dense(lines(torch.tanh(dense(flat(F.max_pool2d(F.gelu(lines(conv(lines(x, p, "layer1"), p, "layer2"), p,
                                                                                         "layer3")), 2)), p, "layer4")),
                                          p, "layer5"), p, "layer6"))


def start_of(generator, name, shapes):
    start = {}
    for i, shape in enumerate(shapes, 1):
        if shape[0] == "periodic":
            start[f"layer{i}.weight"] = weights(generator, *shape[1:])
            continue
        start[f"layer{i}.weight"] = weights(generator, *shape) + (len(shape) == 1)
        if len(shape) > 1 or name in ("normal", "lines"):
            start[f"layer{i}.bias"] = weights(generator, shape[-1])
        if len(shape) == 1 and name == "normal":
            start[f"layer{i}.mean"] = weights(generator, *shape)
            start[f"layer{i}.variance"] = 1 + abs(weights(generator, *shape))
    return {key: value.astype("f4") for key, value in start.items()}


@pytest.mark.parametrize("name", NETS)
def test_net(tmp_path, name):
    text, shapes, forward = NETS[name]
    rate = 0.0003 if name == "periodic" else 0.05  # frequencies have large gradients: longer steps blow rounding up
    generator = numpy.random.default_rng(5)
    pictures = generator.integers(0, 256, (ROWS, HEIGHT, WIDTH, CHANNELS), dtype=numpy.uint8)
    labels = generator.integers(0, 4, ROWS)
    numpy.savez(tmp_path / "data.npz", x=pictures, y=labels)
    start = start_of(generator, name, shapes)
    tensors.save_file(start, tmp_path / "start.safetensors")
    downhill(tmp_path, "train", "data.npz", "--net", text, "--rule", "sgd", "--rate", rate, "--batch", BATCH, "--epochs", EPOCHS,
             "--order", "file", "--valid", 0, "--start", "start.safetensors", "--out", "m.safetensors")
    got = tensors.load_file(tmp_path / "m.safetensors")

    p = {key: torch.tensor(value, dtype=torch.float64) for key, value in start.items()}
    trained = [value.requires_grad_() for key, value in p.items() if key.endswith(("weight", "bias"))]
    x = torch.tensor(pictures / 255.0)
    x = ((x - x.mean()) / x.std(unbiased=False)).permute(0, 3, 1, 2)
    optimiser = torch.optim.SGD(trained, lr=rate)
    for _ in range(EPOCHS):
        for begin in range(0, ROWS, BATCH):
            optimiser.zero_grad()
            F.cross_entropy(forward(x[begin:begin + BATCH], p), torch.tensor(labels[begin:begin + BATCH])).backward()
            optimiser.step()
    assert_close(got, {key: value.detach().numpy() for key, value in p.items()}, 5e-6, least=0.1)
    assert max(abs(got[key] - start[key]).max() for key in start) > 0.02
