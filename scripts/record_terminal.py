#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a terminal and writes what it printed, when it printed it, as an animated SVG.

    python3 scripts/record_terminal.py -o examples/quickstart.svg --from '== Read' -- bash examples/quickstart.sh

Waiting is shortened to --pause seconds, and where a page asks for less motion the end is shown alone. The picture has a
background of its own, so that it can be read on light and on dark pages. The folder in which it runs is left out of what
is shown.
"""

import argparse
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
import unicodedata
from xml.sax.saxutils import escape

CHARACTER = 8.4  # of 14 px, in a font of one width
LINE = 19
MARGIN = 14
STYLES = {"1": "b", "2": "d", "31": "r", "32": "g", "33": "y", "36": "c"}
CSS = """
text{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#d8dee9;white-space:pre}
.b{font-weight:bold;fill:#fff}.d{fill:#9aa5b8}.r{fill:#ff7b72}.g{fill:#7ee787}.y{fill:#e3b341}.c{fill:#76e3ea}
"""


def run(command, columns, rows):
    """The command's output with the seconds at which each piece came, and its exit code."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(columns))
        os.environ.pop("NO_COLOR", None)
        os.execvp(command[0], command)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    begun = time.monotonic()
    pieces = []
    while True:
        select.select([terminal], [], [])
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            piece = b""
        if not piece:
            break
        pieces.append((time.monotonic() - begun, piece))
    return pieces, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def width_of(character):
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


class Screen:
    """The lines that a terminal shows for what it is sent: of cells (character, style), with the time of their end."""

    def __init__(self, columns):
        self.columns = columns
        self.lines = []  # (seconds, cells)
        self.cells = []
        self.at = 0
        self.style = ""

    def feed(self, seconds, text):
        for token in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.", text, re.DOTALL):
            if token.startswith("\x1b["):
                self.control(token)
            elif token == "\r":
                self.at = 0
            elif token == "\n":
                self.end_line(seconds)
            elif token >= " ":
                self.put(seconds, token)

    def control(self, token):
        if token[-1] == "K":
            del self.cells[self.at:]
        elif token[-1] == "m":
            for code in token[2:-1].split(";"):
                self.style = STYLES.get(code, "" if code in ("", "0") else self.style)

    def put(self, seconds, character):
        if sum(width_of(c) for c, _ in self.cells[:self.at]) + width_of(character) > self.columns:
            self.end_line(seconds)
        self.cells[self.at:self.at + 1] = [(character, self.style)]
        self.at += 1

    def end_line(self, seconds):
        self.lines.append((seconds, self.cells))
        self.cells = []
        self.at = 0


def spans(cells):
    """The line as SVG: a span for each run of one style."""
    text, begun = "", 0
    while begun < len(cells):
        end = begun
        while end < len(cells) and cells[end][1] == cells[begun][1]:
            end += 1
        # Spaces that no program that shows pictures takes for one.
        run_text = escape("".join(c for c, _ in cells[begun:end])).replace(" ", "\u00a0")
        style = cells[begun][1]
        text += f'<tspan class="{style}">{run_text}</tspan>' if style else run_text
        begun = end
    return text


def moments(lines, pause):
    """When each line is shown, with no wait longer than `pause`."""
    shown, clock, before = [], 0.0, lines[0][0]
    for seconds, _ in lines:
        clock += min(max(seconds - before, 0.04), pause)
        before = seconds
        shown.append(clock)
    return shown


def svg(lines, columns, rows, pause, hold):
    shown = moments(lines, pause)
    total = shown[-1] + hold
    width = round(columns * CHARACTER + 2 * MARGIN)
    height = rows * LINE + 2 * MARGIN
    frames, last_percent = [], None
    for i, seconds in enumerate(shown):
        percent = f"{100 * seconds / total:.2f}"
        if percent == last_percent:
            frames.pop()
        frames.append(f"{percent}%{{transform:translateY({(rows - 1 - i) * LINE}px)}}")
        last_percent = percent
    end = (rows - len(lines)) * LINE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'role="img" xml:space="preserve" aria-label="A recorded terminal">',
        f"<style>{CSS.strip()}\n@keyframes s{{0%{{transform:translateY({rows * LINE}px)}}{''.join(frames)}"
        f"100%{{transform:translateY({end}px)}}}}\n"
        f"#t{{animation:s {total:.1f}s steps(1,end) infinite}}\n"
        "@media(prefers-reduced-motion:reduce){#t{animation:none}}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>',
        f'<clipPath id="w"><rect x="0" y="{MARGIN}" width="{width}" height="{rows * LINE}"/></clipPath>',
        f'<g clip-path="url(#w)"><g transform="translate({MARGIN} {MARGIN})"><g id="t" transform="translate(0 {end})">',
    ]
    for i, (_, cells) in enumerate(lines):
        while cells and cells[-1][0] == " ":
            cells.pop()
        if not cells:
            continue
        length = sum(width_of(c) for c, _ in cells) * CHARACTER
        parts.append(f'<text y="{i * LINE + 14}" textLength="{length:.0f}">{spans(cells)}</text>')
    parts.append("</g></g></g></svg>\n")
    return "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("-o", "--output", required=True, help="the SVG file to write")
    parser.add_argument("--from", dest="begin", help="leave out the lines before the first that begins so")
    parser.add_argument("--until", help="leave out the lines from the first that begins so")
    parser.add_argument("--columns", type=int, default=100)
    parser.add_argument("--rows", type=int, default=28)
    parser.add_argument("--pause", type=float, default=1.5, help="the longest wait, in seconds")
    parser.add_argument("--hold", type=float, default=6.0, help="how long the end stays, in seconds")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()

    pieces, exit_code = run(options.command, options.columns, options.rows)
    if exit_code != 0:
        sys.stderr.write(b"".join(p for _, p in pieces).decode("utf-8", "replace"))
        sys.exit(f"{options.command[0]} ended with {exit_code}; nothing was recorded")
    screen = Screen(options.columns)
    rest = b""
    for seconds, piece in pieces:
        rest += piece
        whole = rest[:rest.rfind(b"\n") + 1]
        rest = rest[len(whole):]
        screen.feed(seconds, whole.decode("utf-8", "replace").replace(os.getcwd() + "/", ""))
    screen.feed(pieces[-1][0] if pieces else 0, rest.decode("utf-8", "replace"))
    if screen.cells:
        screen.end_line(pieces[-1][0])

    lines = screen.lines
    text_of = ["".join(c for c, _ in cells) for _, cells in lines]
    begin = next((i for i, t in enumerate(text_of) if options.begin and t.startswith(options.begin)), 0)
    end = next((i for i, t in enumerate(text_of) if options.until and t.startswith(options.until)), len(lines))
    lines = lines[begin:end]
    if not lines:
        sys.exit("the command printed nothing to record")
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(svg(lines, options.columns, options.rows, options.pause, options.hold))


if __name__ == "__main__":
    main()
