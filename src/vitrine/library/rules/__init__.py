"""Rules: changes that are made to records of a databox whenever they meet criteria (contract 06 section 23)."""

from vitrine.library.rules.runner import RUN_RULE, RUN_RULES_DUE, RuleRunner
from vitrine.library.rules.service import Rules

__all__ = ["RUN_RULE", "RUN_RULES_DUE", "RuleRunner", "Rules"]
