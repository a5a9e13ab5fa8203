"""Rules of a databox: made, changed and tried out by who may change its structure (`bas_modify_struct`).

A rule belongs to its databox and stays when its maker goes. While it is on it acts in the name of who changed it last,
with the rights that they have at each run, and never with more: it is switched off when that name no longer stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vitrine.accounts import Actor
from vitrine.errors import Conflict, Invalid
from vitrine.jobs import Jobs
from vitrine.library.bulk import BulkOperations
from vitrine.library.model import DataboxId
from vitrine.library.rules import checks, jobs, store
from vitrine.library.rules.errors import NoSuchRule, RuleUnderWay
from vitrine.library.rules.events import RuleChanged
from vitrine.library.rules.model import INTERVALS, MOST_RULES, Action, Criteria, Rule, Run, stored
from vitrine.library.rules.search import Finding, RuleSearch
from vitrine.library.structure.checks import boolean, known_only, label_of, require_revision, whole_number
from vitrine.library.structure.editor import StructureEditor
from vitrine.platform import audit
from vitrine.platform.database import UnitOfWork

ATTRIBUTES = ("name", "criteria", "action", "enabled", "interval_minutes")
DAY = 24 * 60
MOST_LOOKED_AT = 20_000  # rows of a dry run
MOST_SHOWN = 1_000  # records that a dry run counts
KEPT = timedelta(days=30)  # as the operations
EXPIRIES = (store.expiry(KEPT),)


@dataclass(frozen=True, slots=True)
class Rules:
    editor: StructureEditor
    search: RuleSearch
    bulk: BulkOperations
    jobs: Jobs

    # -- reading -------------------------------------------------------------------------------------------------

    def page(self, work: UnitOfWork, actor: Actor, databox: DataboxId, *, after: int, limit: int) -> list[Rule]:
        self.editor.permit_structure(work, actor, databox)
        return store.page(work, databox, after=after, limit=limit)

    def get(self, work: UnitOfWork, actor: Actor, databox: DataboxId, rule_id: int) -> Rule:
        """Raises NoSuchRule, and what `permit_structure` raises."""
        self.editor.permit_structure(work, actor, databox)
        rule = store.get(work, rule_id)
        if rule is None or rule.databox_id != databox:
            raise NoSuchRule(f"This databox has no rule {rule_id}.", field="rule_id")
        return rule

    def runs(
        self, work: UnitOfWork, actor: Actor, rule: Rule, *, before: int | None = None, limit: int = 1
    ) -> list[Run]:
        """Newest first. *rule* is one that `get` gave to this actor."""
        return store.runs(work, rule.id, before=before, limit=limit)

    def last_runs(self, work: UnitOfWork, rules: Sequence[Rule]) -> dict[int, Run]:
        """The newest run of each of a page of rules."""
        return store.last_runs(work, [rule.id for rule in rules])

    def run(self, work: UnitOfWork, actor: Actor, databox: DataboxId, rule_id: int, run_id: int) -> Run:
        rule = self.get(work, actor, databox, rule_id)
        run = store.get_run(work, run_id)
        if run is None or run.rule_id != rule.id:
            raise NoSuchRule(f"This rule has no run {run_id}.", field="run_id")
        return run

    def dry_run(self, work: UnitOfWork, actor: Actor, databox: DataboxId, rule_id: int) -> Finding:
        """What a run in the name of the actor would find now; nothing is changed. It looks at MOST_LOOKED_AT rows and
        counts MOST_SHOWN records, or one page more: `is_over` says whether that was everything."""
        rule = self.get(work, actor, databox, rule_id)
        self._permit(work, actor, rule.databox_id, rule.criteria, rule.action)
        finding = Finding()
        while not finding.is_over and finding.looked_at < MOST_LOOKED_AT and len(finding.records) < MOST_SHOWN:
            self.search.step(work, actor, rule, finding)
        return finding

    # -- changing ------------------------------------------------------------------------------------------------

    def add(self, work: UnitOfWork, actor: Actor, databox: DataboxId, given: Mapping[str, Any]) -> Rule:
        """A new rule is off unless *given* says otherwise. Raises Invalid, MayNotChange or MayNotAdd."""
        self.editor.permit_structure(work, actor, databox)
        columns = self._columns(work, actor, databox, given, None)
        if store.count(work, databox) >= MOST_RULES:
            raise Conflict(f"A databox has at most {MOST_RULES} rules.", field="databox_id")
        rule_id = store.add(work, {"databox_id": databox, **columns})
        return self._saved(work, actor, databox, rule_id, "rule.created", {})

    def change(
        self,
        work: UnitOfWork,
        actor: Actor,
        databox: DataboxId,
        rule_id: int,
        given: Mapping[str, Any],
        *,
        expected: int | None = None,
    ) -> Rule:
        """Attributes that are not given stay; of `criteria` and `action` the whole is replaced. From now on the rule
        acts in the name of the actor; what an earlier run has begun is not finished."""
        before = self.get(work, actor, databox, rule_id)
        require_revision(before.revision, expected)
        columns = self._columns(work, actor, databox, given, before)
        store.update(work, rule_id, {**columns, "cursor": None, "ended": None})
        if before.delegation_id is not None:
            self.bulk.delegations.end(work, before.delegation_id)
        return self._saved(work, actor, databox, rule_id, "rule.changed", shown(before))

    def delete(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, rule_id: int, *, expected: int | None = None
    ) -> None:
        """What an earlier run has begun is not finished; what it did stays, and can be taken back."""
        before = self.get(work, actor, databox, rule_id)
        require_revision(before.revision, expected)
        store.delete(work, rule_id)
        if before.delegation_id is not None:
            self.bulk.delegations.end(work, before.delegation_id)
        audit.write(work, actor, "rule.deleted", f"databox {databox} rule {rule_id}", shown(before))
        work.emit(RuleChanged(databox, rule_id, actor.user_id, shown(before), {}))

    def start(self, work: UnitOfWork, actor: Actor, databox: DataboxId, rule_id: int) -> Run:
        """Run a rule now, whether it is on or not, in the name of the actor. Raises RuleUnderWay."""
        rule = self.get(work, actor, databox, rule_id)
        self._permit(work, actor, databox, rule.criteria, rule.action)
        last = store.runs(work, rule_id, before=None, limit=1)
        if last and last[0].is_unfinished:
            raise RuleUnderWay("The last run of this rule is not over yet.", field="rule_id")
        run_id = store.add_run(work, rule_id, self.bulk.delegations.add(work, actor), by_hand=True)
        jobs.queue_run(work, self.jobs, run_id)
        audit.write(work, actor, "rule.started", f"databox {databox} rule {rule_id}", {"run": run_id})
        return self.run(work, actor, databox, rule_id, run_id)

    # -- checks --------------------------------------------------------------------------------------------------

    def _permit(self, work: UnitOfWork, actor: Actor, databox: DataboxId, criteria: Criteria, action: Action) -> None:
        checks.require_usable(self.editor.records.structure(work), databox, criteria, action)
        checks.require_scopes(actor, action)
        checks.require_rights(work, self.bulk.changes, actor, criteria, action)

    def _columns(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, given: Mapping[str, Any], before: Rule | None
    ) -> dict[str, Any]:
        known_only(given, ATTRIBUTES)
        kept = {"name": "", "criteria": {}, "action": {}, "enabled": False, "interval_minutes": DAY}
        if before is not None:
            kept = shown(before)
        wanted = checks.changed_only(given, kept)
        name = label_of(wanted["name"], field="name")
        if not name:
            raise Invalid("A rule needs a name.", field="name")
        criteria = checks.read(Criteria, wanted["criteria"], "criteria")
        action = checks.read(Action, wanted["action"], "action")
        self._permit(work, actor, databox, criteria, action)
        enabled = boolean(wanted["enabled"], field="enabled")
        interval = whole_number(wanted["interval_minutes"], *INTERVALS, field="interval_minutes")
        delegation = self.bulk.delegations.add(work, actor, lasting=True) if enabled else None
        return {
            "name": name, "criteria": stored(criteria), "action": stored(action), "enabled": enabled,
            "interval_minutes": interval, "delegation_id": delegation, "next_run": work.now if enabled else None,
        }  # fmt: skip

    def _saved(
        self, work: UnitOfWork, actor: Actor, databox: DataboxId, rule_id: int, action: str, before: dict[str, Any]
    ) -> Rule:
        rule = store.get(work, rule_id)
        assert rule is not None
        jobs.watch(work, self.jobs, after=jobs.NOW)
        audit.write(work, actor, action, f"databox {databox} rule {rule_id}", shown(rule))
        work.emit(RuleChanged(databox, rule_id, actor.user_id, before, shown(rule)))
        return rule


def shown(rule: Rule) -> dict[str, Any]:
    """The attributes of a rule as they are sent."""
    return {
        "name": rule.name, "criteria": stored(rule.criteria), "action": stored(rule.action), "enabled": rule.enabled,
        "interval_minutes": rule.interval_minutes,
    }  # fmt: skip
