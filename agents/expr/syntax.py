"""From text to Python's syntax tree, through a gate: only the characters, words and sizes of the language pass.

`crosses_above` and `crosses_below` between two operands become operators that bind like a comparison (spelled `in` and
`is` for the parser, in the same number of characters, so that every position stays true). Nothing is ever evaluated.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import re
from collections.abc import Iterable

from data.contracts.errors import InvalidInput

MAX_TEXT = 5_000  # characters
MAX_BRACKETS = 100  # open at once
MAX_NUMBER = 25  # characters of one number

CROSSINGS = {"crosses_above": "in", "crosses_below": "is"}
_WORDS = {"and", "or", "not", "True", "False"}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z_0-9]*)
      | (?P<string>"[ !\#-\[\]-~]{0,64}"|'[ -&(-\[\]-~]{0,64}')
      | (?P<sign><=|>=|==|!=|\*\*|//|&&|\|\||[-+*/<>()\[\],.=%&|!~^])""",
    re.VERBOSE | re.ASCII,
)
_INSTEAD = {
    "**": "a product, or exp(n * log(x))",
    "//": "/",
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not",
    "~": "not",
    "%": "a fraction: 0.05, not 5%",
    "^": "a product, or exp(n * log(x))",
}


class Source:
    """A text and where things stand in it, for messages."""

    def __init__(self, text: str) -> None:
        self.text = text

    def problem(self, problem: str, start: int, end: int | None = None) -> InvalidInput:
        """An error that names the problem, the place and what stands there."""
        shown = self.text[start : start + 1 if end is None else end]
        found = f" ({_short(shown)!r})" if shown.strip() else ""
        return InvalidInput(f"at character {start + 1}{found}: {problem}", position=start + 1, expression=self.text)

    def problem_at(self, problem: str, node: ast.expr) -> InvalidInput:
        """The same for a part of the syntax tree."""
        start, end = self.place(node)
        return self.problem(problem, start, end)

    def said(self, node: ast.expr) -> str:
        """The words of a part of the syntax tree."""
        start, end = self.place(node)
        return _short(self.text[start:end])

    def place(self, node: ast.expr) -> tuple[int, int]:
        """First character and the one after the last; the parser saw one bracket in front."""
        return node.col_offset - 1, (node.end_col_offset or node.col_offset) - 1


def read(text: str) -> tuple[ast.expr, Source]:
    """The syntax tree of a text. Raises InvalidInput for what cannot be part of an expression."""
    if not isinstance(text, str):
        raise InvalidInput(f"an expression is a text such as rsi(14) < 30, not {type(text).__name__}")
    if len(text) > MAX_TEXT:
        raise InvalidInput(f"this expression has {len(text):,} characters; {MAX_TEXT:,} are allowed: split it up")
    if not text.strip():
        raise InvalidInput("this expression is empty; write one such as rsi(14) < 30 and close > sma(200)")
    source = Source(text)
    written = _rewritten(source)
    try:
        tree = ast.parse(f"({written})", mode="eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError) as error:
        if not isinstance(error, SyntaxError) or error.offset is None:
            raise InvalidInput("this expression is nested too deeply; split it up", expression=text) from None
        raise _unreadable(source, error.offset - 2, (error.end_offset or error.offset) - 2) from None
    return tree.body, source


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint with the closest known names; empty when there is none."""
    close = difflib.get_close_matches(name.lower(), list(known), n=2, cutoff=0.6)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _rewritten(source: Source) -> str:
    text, written, at = source.text, [], 0
    open_brackets: list[tuple[str, int]] = []
    operand = False  # whether the last word ended one
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _unknown_character(source, at)
        word, kind = found.group(), found.lastgroup
        if kind == "space":
            written.append(" " * len(word))
            at = found.end()
            continue
        if kind == "number" and (len(word) > MAX_NUMBER or text[found.end() : found.end() + 1].isalpha()):
            raise source.problem("this is not a number the language knows", at, min(found.end() + 1, at + MAX_NUMBER))
        if kind == "name" and word in CROSSINGS and operand:
            written.append(CROSSINGS[word].ljust(len(word)))
            operand = False
        else:
            if kind == "name" and keyword.iskeyword(word) and word not in _WORDS:
                raise source.problem(f"{word!r} is not part of the language", at, found.end())
            if kind == "sign":
                _check_sign(source, word, at, open_brackets)
            written.append(word)
            operand = word in (")", "]") or (kind != "sign" and word not in ("and", "or", "not"))
        at = found.end()
    if open_brackets:
        bracket, at = open_brackets[-1]
        raise source.problem(f"this {bracket!r} is never closed", at)
    return "".join(written)


def _check_sign(source: Source, word: str, at: int, open_brackets: list[tuple[str, int]]) -> None:
    if word in _INSTEAD:
        raise source.problem(f"{word!r} is not part of the language; write {_INSTEAD[word]}", at, at + len(word))
    if word in ("(", "["):
        open_brackets.append((word, at))
        if len(open_brackets) > MAX_BRACKETS:
            raise source.problem(f"more than {MAX_BRACKETS} brackets are open here; split the expression up", at)
    elif word in (")", "]"):
        if not open_brackets or (open_brackets[-1][0] == "(") != (word == ")"):
            raise source.problem(f"this {word!r} closes nothing that is open", at)
        open_brackets.pop()
    elif word == "=" and not open_brackets:
        raise source.problem("write == to compare", at)


def _unknown_character(source: Source, at: int) -> InvalidInput:
    character = source.text[at]
    if character in "\"'":
        return source.problem("this text has no end, or is too long", at)
    name = "" if character.isascii() and character.isprintable() else f" (U+{ord(character):04X})"
    return source.problem(f"this character{name} is not part of the language", at)


def _unreadable(source: Source, start: int, end: int) -> InvalidInput:
    """What the parser did not understand."""
    last = len(source.text.rstrip())
    if start >= last:
        return source.problem("the expression ends too early", last)
    problem = "this cannot be read; is an operator, a comma or a bracket missing?"
    return source.problem(problem, max(start, 0), min(max(end, start + 1), last))


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= 60 else words[:57] + "..."
