"""The fixture of the tests of recovery."""
import os
import shutil
import tempfile

import pytest

from descents import Descents


@pytest.fixture
def descents(tmp_path):
    """The command in an empty folder, in memory where there is room: thousands of checkpoints are synced here."""
    memory = "/dev/shm"
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 64 << 20
    folder = tempfile.mkdtemp(prefix="downhill-", dir=memory if roomy else tmp_path)
    try:
        yield Descents(tmp_path.__class__(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
