"""Data for runs that take no time: a few steps an epoch, the last one short."""
import random
import struct


def classes(rows=61, seed=1):
    """Three kinds that numbers and a colour tell apart, with missing cells and names that need quotes."""
    draw = random.Random(seed)
    lines = ["width,height,colour,kind"]
    for i in range(rows):
        kind = i % 3
        width = "" if i % 11 == 3 else f"{kind * 2 + draw.gauss(0, 0.8):.4f}"
        colour = "" if i % 13 == 5 else ["red", "green", '"dark, green"'][draw.randrange(3) if i % 2 else kind]
        lines.append(f"{width},{draw.gauss(kind, 0.8):.4f},{colour},{['ash', 'birch', 'cedar'][kind]}")
    return "\n".join(lines) + "\n"


def numbers(rows=61, seed=2, scale=1.0):
    draw = random.Random(seed)
    lines = ["a,b,y"]
    for _ in range(rows):
        a, b = draw.uniform(-1, 1), draw.uniform(-1, 1)
        lines.append(f"{a:.4f},{b:.4f},{(a * b + 0.3 * a + draw.gauss(0, 0.05)) * scale:.6g}")
    return "\n".join(lines) + "\n"


def weighed():
    """The classes, with a weight before each row."""
    lines = classes().splitlines()
    return "\n".join([f"w,{lines[0]}", *(f"{i % 4 / 2},{line}" for i, line in enumerate(lines[1:]))]) + "\n"


def counts(rows=61, seed=5):
    draw = random.Random(seed)
    lines = ["a,b,y"]
    for _ in range(rows):
        a, b = draw.uniform(-1, 1), draw.uniform(-1, 1)
        lines.append(f"{a:.4f},{b:.4f},{int(draw.expovariate(1 / (8 + 4 * a - 3 * b)))}")
    return "\n".join(lines) + "\n"


def places(rows=61, seed=6):
    """A place of 20, sometimes missing, and a letter: each has a part of y."""
    draw = random.Random(seed)
    lines = ["place,c,a,y"]
    for i in range(rows):
        place, letter, a = draw.randrange(20), draw.choice("stu"), draw.uniform(-1, 1)
        lines.append(f"{'' if i % 9 == 4 else f'p{place}'},{letter},{a:.4f},{place % 7 + ord(letter) % 3 + a + draw.gauss(0, 0.1):.4f}")
    return "\n".join(lines) + "\n"


def noise(rows=80, seed=3):
    """Nothing to learn: validation gets worse soon, and patience runs out."""
    draw = random.Random(seed)
    return "a,b,y\n" + "".join(f"{draw.random():.4f},{draw.random():.4f},{draw.choice('no yes'.split())}\n" for _ in range(rows))


def images(rows=45, side=6, seed=4):
    """IDX bytes of pictures and of their labels."""
    draw = random.Random(seed)
    labels = bytes(draw.randrange(3) for _ in range(rows))
    pixels = bytearray()
    for label in labels:
        pixels += bytes(min(255, draw.randrange(120) + 100 * (i % 3 == label)) for i in range(side * side))
    return (struct.pack(">IIII", 0x803, rows, side, side) + bytes(pixels), struct.pack(">II", 0x801, rows) + labels)
