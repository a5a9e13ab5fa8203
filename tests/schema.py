"""What the tests with schemathesis share: a call of every operation of a document, again and again."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

TOLD = [not_a_server_error, status_code_conformance, content_type_conformance]
CHECKS = [*TOLD, response_schema_conformance]


def call_all(
    document: Any, examples: int, call: Callable[[Any], None], *, order: Callable[[Any], int] | None = None
) -> int:
    """*call* with *examples* cases of every operation, sorted by *order*; how many operations there are."""
    # A failure is printed as a curl command: making it smaller would take minutes.
    profile = settings(
        max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None,
        phases=[Phase.explicit, Phase.generate],
    )  # fmt: skip
    operations = [operation.ok() for operation in document.get_all_operations()]
    for operation in sorted(operations, key=order) if order else operations:
        profile(given(case=operation.as_strategy())(call))()
    return len(operations)
