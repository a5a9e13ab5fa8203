"""What can be wrong with a query (contract 05 section 10). Each refusal says where, what and how to write it right."""

from vitrine.errors import Invalid


class QueryRefused(Invalid):
    """A query that cannot be run. *at* is the place of the fault, in characters from the beginning of the query (0 is
    the first); *problem* says what is wrong there, *remedy* what would be right. `detail` is the contract's sentence
    where it has one."""

    code = "query_refused"

    def __init__(self, detail: str, *, at: int, problem: str, remedy: str) -> None:
        super().__init__(detail, why=f"{problem} (at {at})", field="query")
        self.at = at
        self.problem = problem
        self.remedy = remedy


class QuerySyntaxError(QueryRefused):
    """The text is no query (05 section 10: unparsable)."""

    code = "query_not_valid"

    def __init__(self, at: int, problem: str, remedy: str) -> None:
        super().__init__("Provided query is not valid", at=at, problem=problem, remedy=remedy)


class QueryTooLarge(QueryRefused):
    """The query is longer, deeper or richer in clauses than a search may be."""

    code = "query_too_large"

    def __init__(self, at: int, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}", at=at, problem=problem, remedy=remedy)


class UnavailableField(QueryRefused):
    """A term is restricted to a field that does not exist or is not searched."""

    code = "query_field_not_available"

    def __init__(self, at: int, name: str, remedy: str) -> None:
        super().__init__(
            "Query narrowed to non available fields", at=at, problem=f'No field "{name}" is searched.', remedy=remedy
        )


class UnknownName(QueryRefused):
    """A comparison, technical name or flag names something that no searched databox has."""

    code = "query_name_unknown"

    def __init__(self, what: str, at: int, name: str, remedy: str) -> None:
        sentence = f'{what} "{name}" does not exist'
        super().__init__(sentence, at=at, problem=f"{sentence}.", remedy=remedy)


class BadKeyValue(QueryRefused):
    """A value that its key cannot have, for example a place without a distance."""

    code = "query_value_not_valid"

    def __init__(self, key: str, at: int, value: str, remedy: str) -> None:
        sentence = f'Value "{value}" for key "{key}" is not valid.'
        super().__init__(sentence, at=at, problem=sentence, remedy=remedy)
