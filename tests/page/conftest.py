"""Fixtures of the page's tests."""
import pytest

import command_line


@pytest.fixture
def downhill(tmp_path):
    """The command in an empty folder that holds xor.csv."""
    made = command_line.Downhill(tmp_path)
    made.write("xor.csv", command_line.XOR)
    return made
