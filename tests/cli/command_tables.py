"""Small tables for the command's tests: one of classes, one of numbers."""
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
