"""Fixtures of the command's tests."""
import random

import pytest

import command_line


@pytest.fixture
def downhill(tmp_path):
    """The command in an empty folder that holds xor.csv."""
    made = command_line.Downhill(tmp_path)
    made.write("xor.csv", command_line.XOR)
    return made


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


@pytest.fixture
def trees(downhill):
    """The command, with a model of classes trained: trees.csv, trees.safetensors."""
    downhill.write("trees.csv", classes_table())
    downhill("train", "trees.csv", "--epochs", 60)
    return downhill


@pytest.fixture
def houses(downhill):
    """The command, with a model of numbers trained: houses.csv, houses.safetensors."""
    downhill.write("houses.csv", numbers_table())
    downhill("train", "houses.csv", "--target", "price", "--epochs", 60)
    return downhill
