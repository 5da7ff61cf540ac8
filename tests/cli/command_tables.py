"""Small tables for the command's tests: one of classes, one of numbers, and the classics of races."""
import math
import random


def classes_table(rows=90, seed=1):
    """Three classes that two numbers and a colour tell apart."""
    draw = random.Random(seed)
    lines = ["width,height,colour,kind"]
    for i in range(rows):
        kind = i % 3
        name = ["ash", '"birch, white"', "cedar"][kind]
        colour = ["red", "green", "green"][kind]
        lines.append(f"{kind * 2 + draw.gauss(0, 0.8):.4f},{draw.gauss(kind, 0.8):.4f},{colour},{name}")
    return "\n".join(lines) + "\n"


def numbers_table(rows=120, seed=2):
    draw = random.Random(seed)
    lines = ["area,age,price"]
    for _ in range(rows):
        area, age = draw.uniform(30, 200), draw.uniform(0, 80)
        lines.append(f"{area:.3f},{age:.3f},{1000 + 30 * area - 5 * age + draw.gauss(0, 20):.3f}")
    return "\n".join(lines) + "\n"


def spirals():
    """Two spirals of 97 points each (Lang and Witbrock 1988)."""
    lines = ["x1,x2,spiral"]
    for i in range(97):
        radius, angle = 6.5 * (104 - i) / 104, i * math.pi / 16
        x, y = radius * math.sin(angle), radius * math.cos(angle)
        lines += [f"{x:.6f},{y:.6f},a", f"{-x:.6f},{-y:.6f},b"]
    return "\n".join(lines) + "\n"


def digits():
    """The 1,797 digits of 8 x 8 pixels that scikit-learn brings."""
    import sklearn.datasets  # which takes a second that only races need
    data = sklearn.datasets.load_digits()
    names = [f"p{i}" for i in range(64)] + ["digit"]
    rows = [[int(value) for value in row] + [int(digit)] for row, digit in zip(data.data, data.target)]
    return "\n".join(",".join(map(str, row)) for row in [names, *rows]) + "\n"
