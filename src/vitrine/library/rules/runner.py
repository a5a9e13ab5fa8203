"""Runs rules in the worker.

A run looks for records in reads of a bounded number of rows, then writes one operation on many records, which changes
them as it changes those that a person names. A killed run looks again from where it began: nothing was changed yet.
"""

from dataclasses import dataclass
from datetime import timedelta

from vitrine.accounts import Actor, Via
from vitrine.errors import DomainError, Unavailable
from vitrine.jobs import Job
from vitrine.library import access
from vitrine.library.bulk.service import scopes_of
from vitrine.library.errors import MayNotAdminister
from vitrine.library.model import RecordKey
from vitrine.library.rules import checks, jobs, store
from vitrine.library.rules.events import RuleRan
from vitrine.library.rules.jobs import RUN_RULE, RUN_RULES_DUE
from vitrine.library.rules.model import Rule, Run
from vitrine.library.rules.search import Finding
from vitrine.library.rules.service import Rules
from vitrine.oauth.delegation import AuthorityEnded
from vitrine.platform import audit, logging, supervision
from vitrine.platform.database import Database, UnitOfWork

__all__ = ["RUN_RULE", "RUN_RULES_DUE", "RuleRunner"]
log = logging.get("vitrine.library")
MOST_LOOKED_AT = 100_000  # rows of one run
MOST_MATCHED = 5_000  # records of one run, or a page more
MOST_DUE = 100
SOON = timedelta(minutes=1)  # where a run stopped before the end


@dataclass(frozen=True, slots=True)
class RuleRunner:
    database: Database
    rules: Rules

    def look_for_due(self, _job: Job) -> None:
        """Handler of `rules.due`: write a run down for each rule whose time has come and whose last run is over."""
        with self.database.write() as work:
            due = store.due(work, MOST_DUE)
            last = store.last_runs(work, [rule.id for rule in due])
            for rule in due:
                interval = timedelta(minutes=rule.interval_minutes)
                if rule.id in last and last[rule.id].is_unfinished:
                    store.note(work, rule.id, {"next_run": work.now + SOON})
                    continue
                store.note(work, rule.id, {"next_run": work.now + interval})
                run_id = store.add_run(work, rule.id, rule.delegation_id, by_hand=False)
                jobs.queue_run(work, self.rules.jobs, run_id)
            jobs.watch(work, self.rules.jobs)

    def __call__(self, job: Job) -> None:
        """Handler of `rules.run`."""
        run_id = int(job.payload["run_id"])
        started = self._begun(run_id)
        if started is None:
            return
        rule, run, finding = started
        try:
            while not _is_enough(finding):
                with self.database.read() as work:
                    actor = self._actor(work, rule, run)
                    self.rules.search.step(work, actor, rule, finding)
                supervision.beat()
            self._finish(rule, run, finding)
        except Unavailable:
            raise  # a locked database ends by itself: the job tries again
        except DomainError as refusal:
            self._refuse(rule, run, refusal)

    def _begun(self, run_id: int) -> tuple[Rule, Run, Finding] | None:
        """The run, and where it goes on; None if it is over, or its rule gone."""
        with self.database.read() as work:
            run = store.get_run(work, run_id)
            rule = None if run is None or run.is_over else store.get(work, run.rule_id)
        return None if run is None or rule is None else (rule, run, Finding(cursor=rule.cursor))

    def _actor(self, work: UnitOfWork, rule: Rule, run: Run) -> Actor:
        """In whose name the run acts, with the rights of this moment. Raises AuthorityEnded, MayNotAdminister, or what
        the checks of a new rule raise."""
        if run.delegation_id is None:
            raise AuthorityEnded("Nobody stands for this rule any more.", why=f"rule {rule.id}")
        if run.by_hand and rule.updated > run.created:  # whoever started it read another rule
            raise AuthorityEnded("The rule was changed after this run was begun.", why=f"rule {rule.id}")
        actor = self.rules.bulk.delegations.actor(work, run.delegation_id, scopes_of(delete=rule.action.delete))
        if actor.via is not Via.COMMAND and not access.edits_structure(actor, rule.databox_id):
            raise MayNotAdminister("Whoever stands for this rule may no longer change the structure.")
        structure = self.rules.editor.records.structure(work)
        checks.require_usable(structure, rule.databox_id, rule.criteria, rule.action)
        if rule.action.base_id is not None:
            checks.require_target(work, self.rules.bulk.changes, actor, rule.action)
        return actor

    def _refuse(self, rule: Rule, run: Run, refusal: DomainError) -> None:
        """Switch the rule off where it cannot run for who stands for it: a person has to look at it. A rule that was
        changed in the meantime has nothing to do with this run."""
        with self.database.write() as work:
            store.end_run(work, run.id, {"outcome": refusal.code})
            latest = store.get(work, rule.id)
            if latest is not None and latest.enabled and not run.by_hand and latest.delegation_id == run.delegation_id:
                store.update(work, rule.id, {"enabled": False, "next_run": None, "ended": refusal.code})
                if latest.delegation_id is not None:
                    self.rules.bulk.delegations.end(work, latest.delegation_id)
            self._tell(work, rule, run, Finding(), refusal.code)
        log.warning("rule.ended", rule=rule.id, why=refusal.code)

    def _finish(self, rule: Rule, run: Run, finding: Finding) -> None:
        """Write the operation down, and what the run did."""
        with self.database.write() as work:
            current = store.get_run(work, run.id)
            if current is None or current.is_over:
                return  # another worker was faster, or the rule is deleted
            actor = self._actor(work, rule, current)
            keys = [RecordKey(rule.databox_id, record.number) for record in finding.records]
            operation_id = None
            if keys:
                begun = self.rules.bulk.begin(work, actor, keys, rule.action.change(), current.delegation_id)
                operation_id = begun.id
            values = {
                "looked_at": finding.looked_at, "matched": len(keys), "refused": finding.refused, "held": finding.held,
                "has_more": not finding.is_over, "operation_id": operation_id,
            }  # fmt: skip
            store.end_run(work, run.id, values)
            latest = store.get(work, rule.id)
            if latest is not None and latest.revision == rule.revision:
                soon = {} if finding.is_over or not latest.enabled else {"next_run": work.now + SOON}
                store.note(work, rule.id, {"cursor": finding.cursor, **soon})
            self._tell(work, rule, run, finding, None)

    @staticmethod
    def _tell(work: UnitOfWork, rule: Rule, run: Run, finding: Finding, ended: str | None) -> None:
        matched = len(finding.records)
        work.emit(RuleRan(rule.databox_id, rule.id, run.id, matched, finding.refused, finding.held, ended))
        if ended is not None or finding.held:
            details = {"run": run.id, "held": finding.held, "ended": ended}
            audit.write(work, None, "rule.ran", f"databox {rule.databox_id} rule {rule.id}", details)


def _is_enough(finding: Finding) -> bool:
    return finding.is_over or finding.looked_at >= MOST_LOOKED_AT or len(finding.records) >= MOST_MATCHED
