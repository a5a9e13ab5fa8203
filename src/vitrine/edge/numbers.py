"""Numbers in addresses.

Starlette's own `int` converter takes any number of digits, and Python refuses to read more than 4300 of them: such an
address was a failure of ours instead of an address where nothing is.
"""

from starlette.convertors import Convertor, register_url_convertor

LONGEST = 40  # digits: far beyond any row, so that the answer for a mistyped id stays the one of its own route


class Number(Convertor[int]):
    regex = f"[0-9]{{1,{LONGEST}}}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


def register() -> None:
    """Make `{id:int}` of every route mean this; routes are compiled when their modules are imported."""
    register_url_convertor("int", Number())
