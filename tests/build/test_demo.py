"""The demo, cut down to one pass over the images: it must learn, show its results and leave its files."""
import json
import re

import pytest

from support import ROOT, build, run


def test_demo(tmp_path):
    build("gcc")
    done = run([ROOT / "tools/demo", "--epochs", "1"], DEMO_OUT=str(tmp_path))
    rows = [json.loads(line) for line in (tmp_path / "fashion.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows
    assert (tmp_path / "fashion.safetensors").stat().st_size > 4 * 784 * 128
    accuracy = re.search(r"accuracy\D*([0-9.]+)\s*(%?)", done.stdout[done.stdout.index("eval"):])
    assert float(accuracy[1]) / (100 if accuracy[2] else 1) > 0.8
    assert re.search(r"^prediction,", done.stdout, re.MULTILINE)
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.long
@pytest.mark.serial
def test_whole_demo():
    """What `make demo` promises: 0.885 on the test images, in five minutes."""
    build("gcc")
    run([ROOT / "tools/demo"], timeout=300)
    said = run([ROOT / "build/downhill", "eval", "--json", "build/demo/fashion.safetensors",
                "/usr/share/datasets/fashion-mnist"]).stdout
    assert json.loads(said)["accuracy"] >= 0.885
