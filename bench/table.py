"""What was measured as Markdown tables, and the tables' way into pages: between two marker comments, the whole file or nothing."""
import dataclasses
import os
import statistics

OURS = "Downhill"


@dataclasses.dataclass
class Series:
    """One contender in one case: microseconds a step, a figure a turn. Without figures it failed."""
    case: str
    column: str  # whose it is: OURS or a rival's column
    way: str  # how it was asked, where there is more than one way
    threads: int
    turns: list = dataclasses.field(default_factory=list)
    fractions: list = dataclasses.field(default_factory=list)  # ours: of the FMA peak measured beside it

    @property
    def median(self):
        return statistics.median(self.turns)


def figure(value):
    """Three digits, and never fewer than the whole ones: 0.472, 4.02, 1,709."""
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def ratio(value):
    return f"{value:,.{1 if value < 10 else 0}f}x" if value >= 1 else f"{value:.2f}x"


def best(series, case, column):
    """The fastest way and thread count of a column in a case; None where it can't or failed."""
    found = [one for one in series if (one.case, one.column) == (case, column) and one.turns]
    return min(found, key=lambda one: one.median, default=None)


def cell(series, case, column):
    """A rival's best time and how many times ours that is."""
    theirs = best(series, case, column)
    if theirs is None:
        return "failed" if any((one.case, one.column) == (case, column) for one in series) else ""
    return f"{figure(theirs.median)} ({ratio(theirs.median / best(series, case, OURS).median)})"


def own_cells(series, case, counts):
    """Our median at each thread count, and the part of the peak that one thread reached."""
    mine = {one.threads: one for one in series if (one.case, one.column) == (case, OURS)}
    return [figure(mine[count].median) for count in counts] + [f"{statistics.median(mine[1].fractions):.0%}"]


def markdown(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def names(values):
    """Each value once, in the order of its first time."""
    return list(dict.fromkeys(values))


def threads_of_ours(series):
    return sorted({one.threads for one in series if one.column == OURS})


def main_table(series):
    columns = names(one.column for one in series if one.column != OURS)
    counts = threads_of_ours(series)
    header = ["case"] + [f"Downhill, {count} thread{'s' * (count > 1)}" for count in counts] + ["of peak"] + columns
    return markdown(header, [[case, *own_cells(series, case, counts), *(cell(series, case, column) for column in columns)]
                             for case in names(one.case for one in series)])


def turns_table(series):
    """Everybody's median and spread: what the main table was chosen from."""
    rows = []
    for one in series:
        who = one.column + (f", {one.way}" if one.way else "")
        spread = [figure(one.median), figure(min(one.turns)), figure(max(one.turns))] if one.turns else ["failed", "", ""]
        rows.append([one.case, who, str(one.threads), *spread])
    return markdown(["case", "who", "threads", "median", "least", "most"], rows)


def short_table(series, net_of):
    """Ours, the fastest rival and PyTorch: what the README shows."""
    rows = []
    for case in names(one.case for one in series):
        columns = names(one.column for one in series if one.column != OURS)
        raced = [column for column in columns if best(series, case, column)]
        first = min(raced, key=lambda column: best(series, case, column).median)
        rows.append([f"{case}: {net_of(case)}", figure(best(series, case, OURS).median),
                     f"{first} {cell(series, case, first)}", cell(series, case, "PyTorch")])
    return markdown(["case", "Downhill", "fastest rival", "PyTorch"], rows)


def put_between(text, name, new):
    """The text with what stands between `<!-- name begin -->` and `<!-- name end -->` replaced."""
    begin, end = f"<!-- {name} begin -->\n", f"<!-- {name} end -->"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"the page needs one line '{begin.strip()}' and, after it, one line '{end}'")
    return text[:text.index(begin) + len(begin)] + new.rstrip("\n") + "\n" + text[text.index(end):]


def rewrite(pages):
    """{path: text}: all pages are written beside the old ones first, then take their places."""
    for path, text in pages.items():
        beside(path).write_text(text, encoding="utf-8")
    for path in pages:
        os.replace(beside(path), path)


def beside(path):
    return path.with_name(path.name + ".new")
