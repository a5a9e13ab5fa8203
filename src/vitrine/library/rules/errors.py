"""Refusals of rules."""

from vitrine.errors import Conflict, NotFound


class NoSuchRule(NotFound):
    code = "no_such_rule"


class RuleUnderWay(Conflict):
    """The last run of this rule is not over yet."""

    code = "rule_under_way"
