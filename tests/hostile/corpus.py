"""The corpus: one named case a rule. docs/hostile-files.md lists them; test_corpus.py runs them."""
import dataclasses
import importlib
import typing

import files

# What a model is asked about.
ROWS = "x,y\n1,2\n3,4\n"


@dataclasses.dataclass
class Case:
    """Files, a command line about them, and what it must come to: words of the one line that refuses, or of the answer."""
    name: str
    rule: str
    files: typing.Callable
    words: list
    says: tuple
    code: int = 65
    stdin: typing.Callable = None  # makes what standard input is, and
    incoming: int = 0              # how many bytes come from there


CASES = {}


def everything():
    """All cases, in the order of the tables that publish them."""
    for module in ("cases_model", "cases_arrays", "cases_packed", "cases_text"):
        importlib.import_module(module)
    return CASES


def case(name, rule, made, words, says, **more):
    assert name not in CASES, name
    said = (says,) if isinstance(says, str) else tuple(says)
    CASES[name] = Case(name, rule, made if callable(made) else lambda: made, words, said, **more)


def model_case(title, rule, content, says, **more):
    """A case of a model that is asked to answer, unless the words say otherwise."""
    beside = more.pop("beside", {})
    case(title, rule, lambda: {"m.safetensors": content() if callable(content) else content, "d.csv": ROWS, **beside},
         more.pop("words", ["predict", "m.safetensors", "d.csv"]), says, **more)


def entry(**parts):
    """A change of the header of a model: the first tensor's entry."""
    def change(header):
        header["layer1.weight"].update(parts)
    return change


def text_of(change):
    """A model whose header is changed as text."""
    made = files.model()
    length = int.from_bytes(made[:8], "little")
    return files.safetensors(change(made[8:8 + length].decode()), made[8 + length:])
