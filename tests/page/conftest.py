"""The fixture of the tests of the page's server."""
import pytest

import command_line
from served import Pages


@pytest.fixture
def pages(tmp_path):
    """Commands that serve, in an empty folder that holds xor.csv."""
    made = Pages(tmp_path)
    made.write("xor.csv", command_line.XOR)
    try:
        yield made
    finally:
        made.close()
