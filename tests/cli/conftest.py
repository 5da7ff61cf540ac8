"""Fixtures of the command's tests."""
import pytest

from command_tables import classes_table, numbers_table


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
