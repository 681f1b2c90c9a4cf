"""`python -m tastemaker VERB`: the command, where the interpreter is what is at hand."""

from tastemaker.cli import console

console()
