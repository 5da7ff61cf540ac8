"""Fixtures of the page's tests: the command, and commands that serve."""
import pytest

import command_line
from served import Pages


@pytest.fixture
def downhill(tmp_path):
    """The command in an empty folder that holds xor.csv."""
    made = command_line.Downhill(tmp_path)
    made.write("xor.csv", command_line.XOR)
    return made


@pytest.fixture
def pages(tmp_path):
    """Commands that serve, in an empty folder that holds xor.csv."""
    made = Pages(tmp_path)
    made.write("xor.csv", command_line.XOR)
    try:
        yield made
    finally:
        made.close()
