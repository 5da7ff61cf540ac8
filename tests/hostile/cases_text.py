"""Hostile text: CSV files and recipes."""
import os
import threading

from corpus import case
from files import model

MIB = 1 << 20


def of_csv(name, rule, content, says, words=("info", "f.csv"), **more):
    beside = more.pop("beside", {})
    case(name, rule, lambda: {"f.csv": content() if callable(content) else content, **beside}, list(words), says, **more)


def of_answers(name, rule, content, says, **more):
    """The same where a model needs numbers."""
    of_csv(name, rule, content, says, words=("predict", "m.safetensors", "f.csv"), beside={"m.safetensors": model()}, **more)


def of_recipe(name, rule, content, says):
    case(name, rule, lambda: {"f.recipe": content() if callable(content) else content, "d.csv": "x,y\n1,2\n3,4\n"},
         ["train", "d.csv", "--recipe", "f.recipe"], says, code=2)


def pipe(megabytes):
    """A pipe that somebody writes letters to; they stop when nobody reads any more. The sanitizers get a few only."""
    def made(hostile):
        path = hostile.folder / "pipe"
        os.mkfifo(path)

        def write():
            try:
                with open(path, "wb") as file:
                    for _ in range(70 if hostile.sanitized else megabytes):
                        file.write(b"x" * MIB)
            except BrokenPipeError:
                pass
        threading.Thread(target=write, daemon=True).start()
        return path
    return made


of_csv("csv-sound", "a sound file is read", "a,b\n1,2\n3,4\n", "format    csv", code=0)
of_csv("csv-empty", "a file has rows", "", "f.csv: has no rows")
of_csv("csv-blank-lines", "that aren't blank", "\n \n\n" * 1000, "f.csv: has no rows")
of_csv("csv-names-alone", "besides its names", "a,b\n", "has a header and no rows")
case("csv-1gb-line", "a row is at most --limit-line long, whatever comes in", dict, ["info", "-"],
    ["standard input: at byte 0", "--limit-line"], stdin=pipe(1024), incoming=70 * MIB)
case("csv-endless-line", "and as soon as that is sure", dict, ["info", "-"],
    ["standard input: at byte 0", "--limit-line"], stdin=pipe(1 << 20), incoming=70 * MIB)
of_csv("csv-65mb-line", "a row is at most --limit-line long", lambda: b"1," + b"2" * (65 * MIB), ["f.csv:1:", "--limit-line"])
of_csv("csv-65mb-row-in-quotes", "also over many lines of quotes", lambda: b'a,b\n1,"' + b"xxxxxxx\n" * (9 * MIB) + b'"\n',
    ["f.csv:", "--limit-line"])
of_csv("csv-65mb-of-doubled-quotes", "before doubled quotes are undone", lambda: b'a,b\n1,"' + b'""' * (34 * MIB) + b'"\n',
    ["f.csv:2:", "--limit-line"])
of_csv("csv-17mb-of-names", "a row of names is at most --limit-header long", lambda: b"a" * (17 * MIB) + b",b\n1,2\n",
    ["f.csv:1:1:", "--limit-header"])
of_csv("csv-million-columns", "columns are at most --limit-columns", lambda: b"1," * 1000000 + b"1\n",
    ["f.csv:1:131073", "--limit-columns"])
of_csv("csv-10-million-columns", "and there may be many more", lambda: b"1," * 10000000 + b"1\n",
    ["f.csv:1:131073", "--limit-columns"])
of_csv("csv-quote-never-closed", "a quote is closed", 'a,b\n1,"2\n3,4\n', ["f.csv:2:3:", "never closed"])
of_csv("csv-quote-never-closed-late", "wherever it opens", lambda: "a,b\n" + "1,2\n" * 100000 + '1,"',
    ["f.csv:100002:3:", "never closed"])
of_csv("csv-text-behind-quote", "nothing stands behind a closing quote", 'a,b\n1,"2"x\n', ["f.csv:2:6:", "closing quote"])
of_csv("csv-ragged-short", "rows have as many cells as the first", "a,b\n1,2\n3\n",
    ["f.csv:3:1:", "1 cell where the first row has 2"])
of_csv("csv-ragged-long", "no more, no less", "a,b\n1,2\n3,4,5\n", ["f.csv:3:5:", "3 cells where the first row has 2"])
of_csv("csv-zero-byte", "text holds no zero byte", b"a,b\n1,\0\n", ["f.csv:2:3:", "a zero byte"])
of_csv("csv-all-zero-bytes", "even where nothing else is there", lambda: bytes(10 * MIB), ["f.csv:1:1:", "a zero byte"])
of_csv("csv-latin-1", "text is UTF-8", b"a,b\n1,caf\xe9\n", ["f.csv:2:6:", "0xe9 is no UTF-8"])
of_csv("csv-utf8-overlong", "in its shortest form", b"a,b\n1,\xc0\xaf\n", ["f.csv:2:3:", "is no UTF-8"])
of_csv("csv-utf8-surrogate", "without surrogates", b"a,b\n1,\xed\xb0\x80\n", ["f.csv:2:3:", "is no UTF-8"])
of_csv("csv-utf8-beyond", "up to U+10FFFF", b"a,b\n1,\xf4\x90\x80\x80\n", ["f.csv:2:3:", "is no UTF-8"])
of_csv("csv-utf8-cut-off", "whole", b"a,b\n1,\xe2\x82", ["f.csv:2:3:", "is no UTF-8"])
of_csv("csv-utf16", "UTF-16 is told", "a,b\n1,2\n".encode("utf-16"), ["f.csv:1:1:", "UTF-16"])
of_csv("csv-bom", "a byte order mark is skipped", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", "    1  a", code=0)
of_csv("csv-line-ends", "lines end in LF, CRLF or CR", b"a,b\r1,2\r\n3,4\n", "rows      2", code=0)
of_csv("csv-infinity", "a number is finite", "a,b\n1,2\n3,-Infinity\n", ["f.csv:3:3:", "is no finite number"])
of_csv("csv-1e999", "also when it is written as one", "a,b\n1,2\n3,1e999\n", ["f.csv:3:3:", "is no finite number"])
of_csv("csv-400-digits", "a number has as many digits as it likes, if it is finite", "a,b\n1,2\n3," + "9" * 400 + "\n",
    ["f.csv:3:3:", "is no finite number"])
of_csv("csv-400-digits-behind-the-point", "and is read exactly", "a,b\n1,2\n3,0." + "3" * 400 + "\n", "0.333333 .. 2", code=0)
of_csv("csv-exponent-of-400-digits", "its exponent, too", "a,b\n1,2\n3,1e" + "9" * 400 + "\n",
    ["f.csv:3:3:", "is no finite number"])
of_csv("csv-1e-999", "too small a number is 0", "a,b\n1,2\n3,1e-999\n", "0 .. 2", code=0)
of_csv("csv-megabyte-of-digits", "digits without end take no time", lambda: "a,b\n1,2\n3,0." + "7" * MIB + "\n",
    "0.777778 .. 2", code=0)
of_csv("csv-slow-numbers", "numbers that are hard to read take little",
    lambda: "a,b\n" + "1.7976931348623157e308,2.2250738585072011e-308\n" * 8000, "rows      8,000", code=0)
of_answers("csv-hex-float", "a number is decimal", "x\n0x1p3\n", ["f.csv:2:1:", "where the model needs a number"])
of_answers("csv-locale-comma", "its point is a point", "x;z\n1,5;2\n", ["f.csv:2:1:", "where the model needs a number"])
of_answers("csv-thousands", "it has no thousands separators", "x;z\n1'000;2\n",
    ["f.csv:2:1:", "where the model needs a number"])
of_answers("csv-underscore", "nor underscores", "x\n1_000\n", ["f.csv:2:1:", "where the model needs a number"])
of_answers("csv-arabic-digits", "its digits are ASCII", "x\n\u0661\n", ["f.csv:2:1:", "where the model needs a number"])
of_answers("csv-number-in-blanks", "blanks around it are cut off", "x,z\n 1.5 ,2\n", "prediction", code=0)
of_csv("csv-formula", "a formula is text, and never run", "a,b\n=cmd|'/c calc'!A1,2\n@SUM(1),3\n", "category", code=0)
of_csv("csv-terminal-codes", "what drives terminals is not repeated", "a\x1b]0;owned\x07,b\n\x1b[31m,2\nx,3\n", "a?]0;owned?",
    code=0)
of_csv("csv-name-twice", "names that come again get their number", "a,a,a (2)\n1,2,3\n4,5,6\n", "a (2)", code=0)
of_csv("csv-names-of-names", "however they are made to clash",
    lambda: ",".join(["a"] + ["a" + " (3)" * i for i in range(1500)]) + "\n" + ",".join(["1"] * 1501) + "\n", "rows      1",
    code=0)
of_csv("csv-65536-columns", "as many columns as there may be take no time", lambda: (",".join(["1"] * 65536) + "\n") * 3,
    "rows      3", code=0)

of_recipe("recipe-key-twice", "a key stands once", "rate=1\nnet=4 tanh\nrate=2\n", ["f.recipe:3:", "'rate' stands there twice"])
of_recipe("recipe-key-unknown", "keys are known", "rate=1\nratte=2\n", ["f.recipe:2:", "unknown key 'ratte'"])
of_recipe("recipe-key-of-400-letters", "and short", "r" * 400 + "=1\n", ["f.recipe:1:", "too long"])
of_recipe("recipe-value-of-3000-letters", "values are, too", "net=" + "4 tanh," * 500 + "\n", ["f.recipe:1:", "too long"])
of_recipe("recipe-1gb-line", "a recipe is at most a megabyte", 1 << 30, ["f.recipe: is longer than 1 MiB, at byte"])
of_recipe("recipe-2mb-of-comments", "comments included", lambda: "# again\n" * (256 << 10),
    ["f.recipe: is longer than 1 MiB, at byte"])
of_recipe("recipe-zero-byte", "it holds no zero byte", b"rate=1\nseed=\0001\n", ["f.recipe:2:", "zero byte"])
of_recipe("recipe-bad-utf8", "it is UTF-8", b"target=caf\xe9\n", ["f.recipe:1:", "byte 4 is no UTF-8"])
of_recipe("recipe-no-value", "a line is key=value", "rate\n", ["f.recipe:1:", "key=value"])
of_recipe("recipe-empty-word", "an empty value is no word", "task=\n", ["f.recipe:1:", "unknown word ''"])
of_recipe("recipe-negative", "values are within bounds", "rate=-1\n", ["f.recipe:1:", "out of bounds"])
of_recipe("recipe-batch-0", "of their knob", "batch=0\n", ["f.recipe:1:", "out of bounds"])
of_recipe("recipe-1e999", "and finite", "rate=1e999\n", ["f.recipe:1:", "is no number"])
of_recipe("recipe-nan", "and numbers", "rate=nan\n", ["f.recipe:1:", "is no number"])
of_recipe("recipe-hex-float", "decimal ones", "rate=0x1p3\n", ["f.recipe:1:", "is no number"])
of_recipe("recipe-locale-comma", "with a point", "rate=0,5\n", ["f.recipe:1:", "is no number"])
of_recipe("recipe-seed-beyond-64-bits", "that fit into 64 bits", "seed=18446744073709551616\n", ["f.recipe:1:", "seed"])
of_recipe("recipe-400-digits", "whatever their length", "epochs=" + "9" * 400 + "\n", ["f.recipe:1:", "epochs"])
of_recipe("recipe-fraction-of-rows", "whole where they count", "batch=2.5\n", ["f.recipe:1:", "is no whole number"])
of_recipe("recipe-layers", "a net has at most 64 layers", "net=" + "1 tanh," * 64 + "1 tanh\n",
    ["f.recipe:1:", "more than 64 layers"])
of_recipe("recipe-units", "of at most 1,048,576 units", "net=1048577 tanh\n", ["f.recipe:1:", "1 to 1048576 units"])
