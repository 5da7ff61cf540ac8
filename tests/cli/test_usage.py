"""Wrong command lines: exit 2, one clear line, the nearest right word."""
import pytest

from command_line import USAGE

pytestmark = pytest.mark.quick

WRONG = [
    (["tran", "xor.csv"], "did you mean train?"),
    (["frobnicate"], "there is no verb 'frobnicate'"),
    (["--verison"], "did you mean --version?"),
    (["--rate", "3"], "a verb comes first"),
    (["train"], "DATA is missing"),
    (["eval"], "MODEL DATA is missing"),
    (["eval", "xor.safetensors"], "DATA is missing"),
    (["train", "xor.csv", "more.csv"], "one word too many: 'more.csv'"),
    (["train", "xor.csv", "--epoch", "3"], "did you mean --epochs?"),
    (["train", "xor.csv", "--thread=3"], "did you mean --threads?"),
    (["train", "xor.csv", "--frobnicate"], "see: downhill help train"),
    (["train", "xor.csv", "-q"], "no flag -q"),
    (["train", "xor.csv", "--rate"], "--rate needs a value"),
    (["train", "xor.csv", "--out", "--json"], "--out needs a value"),
    (["train", "xor.csv", "--json=yes"], "--json takes no value"),
    (["train", "xor.csv", "--rate", "fast"], "rate"),
    (["train", "xor.csv", "--rate", "-1"], "rate"),
    (["train", "xor.csv", "--rate", "nan"], "rate"),
    (["train", "xor.csv", "--batch", "0"], "batch"),
    (["train", "xor.csv", "--batch", "2.5"], "batch"),
    (["train", "xor.csv", "--momentum", "1"], "momentum"),
    (["train", "xor.csv", "--seed", "18446744073709551616"], "seed"),
    (["train", "xor.csv", "--cost", "sqared"], "did you mean 'squared'?"),
    (["train", "xor.csv", "--rule", "adm"], "did you mean 'adam'?"),
    (["train", "xor.csv", "--net", "8 relu, 4 rleu"], "relu"),
    (["train", "xor.csv", "--net", "8 relu,, 4 relu"], "character"),
    (["train", "xor.csv", "--threads", "0"], "--threads 0"),
    (["train", "xor.csv", "--threads", "many"], "--threads many"),
    (["train", "xor.csv", "--isa", "mmx"], "scalar"),
    (["train", "xor.csv", "--delimiter", "xx"], "delimiter 'xx'"),
    (["train", "xor.csv", "--header", "maybe"], "header"),
    (["train", "-", "--test", "-"], "read once only"),
    (["eval", "m", "xor.csv", "--rate", "1"], "train has"),
    (["find-rat", "xor.csv"], "did you mean find-rate?"),
    (["find-rate"], "DATA is missing"),
    (["find-rate", "xor.csv", "--out", "m"], "train has"),
    (["find-rate", "xor.csv", "--rule", "adm"], "did you mean 'adam'?"),
    (["find-rate", "xor.csv", "--svg", "a", "--log", "a"], "where the log goes"),
    (["find-rate", "-", "--valid", "-"], "read once only"),
    (["find-rate", "xor.csv", "--rule", "rprop"], "there is no rate to find"),
    (["race", "xor.csv", "--rules", "adm,sgd"], "did you mean 'adam'?"),
    (["race", "xor.csv", "--rules", "frobnicate"], "there are sgd, momentum"),
    (["race", "xor.csv", "--rules", "sgd, adam, sgd"], "sgd stands there twice"),
    (["race", "xor.csv", "--rules", "sgd,,adam"], "nothing stands between two commas"),
    (["race", "xor.csv", "--rules", ""], "nothing stands"),
    (["race", "xor.csv", "--rules", "sgd 0.1 0.2"], "at most a rate"),
    (["race", "xor.csv", "--rules", "sgd fast"], "rate"),
    (["race", "xor.csv", "--rules", "sgd ../x"], "rate"),
    (["race", "xor.csv", "--rules", "sgd 1e9"], "rate"),
    (["race", "xor.csv", "--rule", "sgd"], "--rules LIST"),
    (["race", "xor.csv", "--to", "low"], "--to low"),
    (["race", "xor.csv", "--to", "inf"], "--to inf"),
    (["race", "xor.csv", "--test", "xor.csv"], "train has"),
    (["race", "xor.csv", "--checkpoint-every", "often"], "--checkpoint-every often"),
    (["check", "m", "xor.csv", "--out", "x"], "has"),
    (["predict", "xor.safetensors", "xor.csv", "--out", "xor.csv"], "is an input, too"),
]


@pytest.mark.parametrize("words, said", WRONG, ids=[" ".join(words) for words, _ in WRONG])
def test_wrong(downhill, words, said):
    assert said in downhill.refuse(USAGE, *words)


def test_position_of_a_wrong_layer(downhill):
    said = downhill.refuse(USAGE, "train", "xor.csv", "--net", "8 relu, 4 rleu")
    assert "character 11" in said and "did you mean 'relu'?" in said


def test_recipe_errors_name_the_line(downhill):
    downhill.write("bad.recipe", "# a comment\nrate=0.1\nratte=0.2\n")
    said = downhill.refuse(USAGE, "train", "xor.csv", "--recipe", "bad.recipe")
    assert "bad.recipe:3" in said and "rate" in said
    downhill.write("twice.recipe", "rate=0.1\nrate=0.2\n")
    assert "twice.recipe:2" in downhill.refuse(USAGE, "train", "xor.csv", "--recipe", "twice.recipe")


def test_both_forms_and_the_end_of_flags(downhill):
    downhill.write("--odd.csv", (downhill.folder / "xor.csv").read_text())
    downhill("train", "--epochs", "3", "--seed=4", "--", "--odd.csv")
    assert (downhill.folder / "--odd.safetensors").exists()
    assert "seed=4" in downhill("info", "--", "--odd.safetensors").stdout


def test_a_later_flag_beats_an_earlier_one_and_flags_beat_the_recipe(downhill):
    downhill.write("r.recipe", "seed=7\nepochs=5\nrule=sgd\n")
    downhill("train", "xor.csv", "--seed", "8", "--recipe", "r.recipe", "--seed", "9")
    text = downhill("info", "xor.safetensors").stdout
    assert "seed=9" in text and "rule=sgd" in text and "epochs=5" in text


def test_terminal_codes_in_names_are_not_repeated(downhill):
    said = downhill.refuse(USAGE, "\033[31mtrain")
    assert "?[31mtrain" in said
