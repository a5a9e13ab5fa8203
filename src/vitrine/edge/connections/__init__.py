"""Bounds on connections, before any request reaches the application (docs/decisions/0110).

- `limits`: the numbers;
- `guard`: how many connections there are, which of them have stalled, what was refused and why;
- `protocol`: uvicorn's protocol within these bounds; `edge.fast` adds to it, and both ways of HTTP share it.
"""
