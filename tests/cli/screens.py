"""A terminal that keeps what is drawn: cursor up, erasing, and the two ways that terminals have with lines too wide for them."""


class Screen:
    """Rows of cells as a terminal would show them; knows what the command may use, and no more."""

    def __init__(self, columns, rows=40, reflows=True):
        self.columns, self.rows, self.reflows = columns, rows, reflows
        self.history, self.lines = [], [[]]
        self.wrapped = [False]  # whether a row goes on in the next one
        self.x = self.y = 0
        self.rest = ""

    def resize(self, columns, rows):
        """Rows too wide are wrapped, those that were wrapped before are joined; the cursor stays at its character."""
        if self.reflows and columns != self.columns:
            lines, wrapped, place = [], [], None
            i = 0
            while i < len(self.lines):
                whole, at = list(self.lines[i]), self.x if i == self.y else None
                while self.wrapped[i]:
                    i += 1
                    at = len(whole) + self.x if i == self.y else at
                    whole += self.lines[i]
                cut = [whole[k:k + columns] for k in range(0, len(whole), columns)] or [[]]
                if at is not None:
                    row = min(at // columns, len(cut) - 1)
                    place = at - row * columns, len(lines) + row
                lines += cut
                wrapped += [True] * (len(cut) - 1) + [False]
                i += 1
            self.lines, self.wrapped, (self.x, self.y) = lines, wrapped, place
        self.columns, self.rows = columns, rows
        self.scroll()

    def scroll(self):
        while len(self.lines) > self.rows:
            if self.y == 0:
                # Where there is no room below the cursor, rows there are lost.
                del self.lines[self.rows:], self.wrapped[self.rows:]
                break
            self.history.append(self.lines.pop(0))
            self.wrapped.pop(0)
            self.y -= 1

    def down(self, wraps):
        self.wrapped[self.y] = wraps
        self.y += 1
        if self.y == len(self.lines):
            self.lines.append([])
            self.wrapped.append(False)
        self.scroll()

    def feed(self, seen):
        seen, i = self.rest + seen, 0
        self.rest = ""
        while i < len(seen):
            character = seen[i]
            if character == "\033":
                end = next((k for k in range(i + 2, len(seen)) if seen[k].isalpha()), None)
                if end is None:
                    self.rest = seen[i:]
                    return self
                assert seen[i + 1] == "[", repr(seen[i:i + 10])
                self.control(seen[end], seen[i + 2:end])
                i = end
            elif character == "\r":
                self.x = 0
            elif character == "\n":
                self.down(False)
            else:
                self.put(character)
            i += 1
        return self

    def control(self, kind, number):
        if kind == "A":
            self.y = max(0, self.y - int(number))
        elif kind == "K" and not number:
            del self.lines[self.y][self.x:]
            self.wrapped[self.y] = False
        elif kind == "J" and not number:
            del self.lines[self.y][self.x:]
            del self.lines[self.y + 1:], self.wrapped[self.y + 1:]
            self.wrapped[self.y] = False
        else:
            assert kind == "m", (kind, number)

    def put(self, character):
        assert character.isprintable(), repr(character)
        if self.x >= self.columns:
            self.down(True)
            self.x = 0
        line = self.lines[self.y]
        line += [" "] * (self.x - len(line))
        line[self.x:self.x + 1] = [character]
        self.x += 1

    def visible(self):
        """What isn't scrolled away."""
        return ["".join(line).rstrip() for line in self.lines]

    def text(self):
        """Everything, what has scrolled away first."""
        return ["".join(line).rstrip() for line in self.history + self.lines]
