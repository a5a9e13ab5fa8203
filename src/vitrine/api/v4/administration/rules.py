"""Rules of a databox: changes that are made to records whenever they meet criteria."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from vitrine.accounts import Actor
from vitrine.api.v4.administration.common import SCOPE, databox_id, members, permit_structure, tag
from vitrine.api.v4.content import answer, moment, nothing, require_tag
from vitrine.api.v4.idempotency import change
from vitrine.api.v4.paging import listed, page_of
from vitrine.api.v4.route import V4Route
from vitrine.api.v4.schemas import (
    FLAG,
    MOMENT,
    NUMBER,
    PERHAPS_MOMENT,
    PERHAPS_NUMBER,
    PERHAPS_TEXT,
    TEXT,
    Schema,
    full_object_of,
    list_of,
    named,
    object_of,
)
from vitrine.api.v4.schemas import page_of as page_schema
from vitrine.edge import bearer, listing, long_read, read, services_of, write
from vitrine.library.rules import Rules
from vitrine.library.rules import service as rules_service
from vitrine.library.rules.model import Action, Candidate, DateOf, DateTest, Rule, Run, TextTest
from vitrine.platform.database import UnitOfWork

MOST_SHOWN = 100
_BITS: Schema = {"type": "object", "additionalProperties": FLAG, "description": "by the number of the bit"}
_DATE = {
    **object_of(
        test={"enum": [test.value for test in DateTest], "description": "older or younger than days; passed: no days"},
        days={**NUMBER, "description": "counted back from today, in the time zone of the server"},
        of={"enum": [of.value for of in DateOf], "description": "of the record; else give field_id"},
        field_id={**NUMBER, "description": "a field of the type date"},
    ),
    "required": ["test"],
}
_TEXT = object_of(field_id=NUMBER, test={"enum": [test.value for test in TextTest]}, text=TEXT)
_TEXT_REQUIRED = {**_TEXT, "required": ["field_id", "test", "text"]}
_ATTRIBUTES: dict[str, Schema] = {
    "name": TEXT,
    "criteria": {
        **object_of(base_ids=list_of(NUMBER), status=_BITS, dates=list_of(_DATE), texts=list_of(_TEXT_REQUIRED)),
        "description": "all of them hold; without base_ids: every collection in use but the bin",
    },
    "action": {
        **object_of(
            base_id={**NUMBER, "description": "the collection to move to"}, status=_BITS,
            delete={**FLAG, "description": "to the bin where there is one; nothing else then"},
        ),
        "description": "what is done to the records",
    },
    "enabled": {**FLAG, "description": "it acts in the name of who changed it last"},
    "interval_minutes": {"type": "integer", "minimum": 15, "maximum": 44_640},
}  # fmt: skip
_PLACE = full_object_of(base_id=NUMBER, status={**NUMBER, "description": "all bits as a number"})
_PERHAPS_PLACE: Schema = {"type": ["object", "null"], "description": "base_id and status; null: deleted for good"}
COMPONENTS: dict[str, Schema] = {
    "RuleRun": full_object_of(
        run_id=NUMBER, rule_id=NUMBER, by_hand=FLAG,
        state={"enum": ["waiting", "changing", "done", "ended"], "description": "ended: outcome says why"},
        looked_at=NUMBER, matched=NUMBER, changed=NUMBER,
        refused={"type": "integer", "description": "records on which a right is missing"},
        held={"type": "integer", "description": "records that it changed too often, or somebody changed back"},
        has_more={**FLAG, "description": "the next run goes on where this one stopped"},
        outcome=PERHAPS_TEXT,
        operation_id={**PERHAPS_NUMBER, "description": "the operation that changes the records"},
        created=MOMENT, ended=PERHAPS_MOMENT,
    ),
    "RuleRunPage": page_schema(named("RuleRun")),
    "Rule": full_object_of(
        rule_id=NUMBER, databox_id=NUMBER, **_ATTRIBUTES,
        next_run=PERHAPS_MOMENT,
        ended={**PERHAPS_TEXT, "description": "code of why it was switched off by itself"},
        last_run={"oneOf": [named("RuleRun"), {"type": "null"}]}, created=MOMENT, updated=MOMENT,
    ),
    "RulePage": page_schema(named("Rule")),
    "RuleChanges": object_of(**_ATTRIBUTES),
    "RuleDryRun": full_object_of(
        looked_at=NUMBER, matched=NUMBER, refused=NUMBER, held=NUMBER,
        is_complete={**FLAG, "description": "false: there may be more than were counted"},
        records={
            **list_of(full_object_of(databox_id=NUMBER, record_id=NUMBER, before=_PLACE, after=_PERHAPS_PLACE)),
            "description": f"the first {MOST_SHOWN}",
        },
    ),
}  # fmt: skip


def _rules(request: Request) -> Rules:
    return services_of(request).library.rules


def _number(request: Request) -> int:
    return int(request.path_params["rule_id"])


def _tag(rule: Rule) -> str:
    return tag(rule.revision, rule.databox_id, rule.id)


def _run(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.id, "rule_id": run.rule_id, "by_hand": run.by_hand, "state": run.state,
        "looked_at": run.looked_at, "matched": run.matched, "changed": run.changed,
        "refused": run.refused + run.failed, "held": run.held, "has_more": run.has_more, "outcome": run.outcome,
        "operation_id": run.operation_id, "created": moment(run.created), "ended": moment(run.ended),
    }  # fmt: skip


def _rule(rule: Rule, last: Run | None) -> dict[str, Any]:
    return {
        "rule_id": rule.id, "databox_id": rule.databox_id, **rules_service.shown(rule),
        "next_run": moment(rule.next_run), "ended": rule.ended, "last_run": None if last is None else _run(last),
        "created": moment(rule.created), "updated": moment(rule.updated),
    }  # fmt: skip


def _shown(request: Request, work: UnitOfWork, actor: Actor, rule: Rule, status: int = 200) -> Response:
    headers = {"ETag": _tag(rule)}
    if status == 201:
        headers["Location"] = f"/api/v4/databoxes/{rule.databox_id}/rules/{rule.id}"
    last = _rules(request).runs(work, actor, rule)
    return answer(_rule(rule, last[0] if last else None), status, headers)


async def every(request: Request) -> Response:
    """At most 100 of a databox."""
    rules, box, page = _rules(request), databox_id(request), page_of(request, int)
    (after,) = page.after or (0,)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rows = rules.page(work, actor, box, after=after, limit=page.limit + 1)
        last = rules.last_runs(work, rows)
        return listed(request, rows, page, lambda rule: (rule.id,), lambda rule: _rule(rule, last.get(rule.id)))

    return await listing(request, bearer, call, rows=page.limit)


async def make(request: Request) -> Response:
    rules, box, given = _rules(request), databox_id(request), await members(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        return _shown(request, work, actor, rules.add(work, actor, box, given), 201)

    return await change(request, call)


async def show(request: Request) -> Response:
    rules, box, number = _rules(request), databox_id(request), _number(request)
    return await read(
        request, bearer, lambda work, actor: _shown(request, work, actor, rules.get(work, actor, box, number))
    )


async def set_rule(request: Request) -> Response:
    """Of criteria and action the whole is replaced. A run that is under way is not finished."""
    rules, box, number, given = _rules(request), databox_id(request), _number(request), await members(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(rules.get(work, actor, box, number)), required=True)
        return _shown(request, work, actor, rules.change(work, actor, box, number, given))

    return await write(request, bearer, call)


async def delete(request: Request) -> Response:
    rules, box, number = _rules(request), databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        require_tag(request, _tag(rules.get(work, actor, box, number)))
        rules.delete(work, actor, box, number)
        return nothing()

    return await write(request, bearer, call)


async def dry_run(request: Request) -> Response:
    """What it would do now in your name: how many records, and the first of them before and after."""
    rules, box, number = _rules(request), databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        action = rules.get(work, actor, box, number).action
        finding = rules.dry_run(work, actor, box, number)
        bin_ = services_of(request).library.records.structure(work).bin_of(box)
        bin_id = None if bin_ is None else bin_.id
        records = [
            {"databox_id": box, "record_id": candidate.number,
             "before": {"base_id": candidate.collection_id, "status": candidate.status},
             "after": _after(action, candidate, bin_id)}
            for candidate in finding.records[:MOST_SHOWN]
        ]  # fmt: skip
        value = {
            "looked_at": finding.looked_at, "matched": len(finding.records), "refused": finding.refused,
            "held": finding.held, "is_complete": finding.is_over, "records": records,
        }  # fmt: skip
        return answer(value)

    return await long_read(request, bearer, call)


def _after(action: Action, candidate: Candidate, bin_id: int | None) -> dict[str, Any] | None:
    if action.delete:
        is_final = bin_id is None or candidate.collection_id == bin_id
        return None if is_final else {"base_id": bin_id, "status": candidate.status}
    status = candidate.status
    for bit, on in action.status.items():
        status = status | 1 << int(bit) if on else status & ~(1 << int(bit))
    return {"base_id": candidate.collection_id if action.base_id is None else action.base_id, "status": status}


async def runs(request: Request) -> Response:
    """Of the last 30 days, newest first."""
    rules, box, number, page = _rules(request), databox_id(request), _number(request), page_of(request, int)
    before = page.after[0] if page.after else None

    def call(work: UnitOfWork, actor: Actor) -> Response:
        rule = rules.get(work, actor, box, number)
        rows = rules.runs(work, actor, rule, before=before, limit=page.limit + 1)
        return listed(request, rows, page, lambda run: (run.id,), _run)

    return await listing(request, bearer, call, rows=page.limit)


async def start(request: Request) -> Response:
    """202, in your name, whether the rule is on or not; the address tells how far the run is."""
    rules, box, number = _rules(request), databox_id(request), _number(request)

    def call(work: UnitOfWork, actor: Actor) -> Response:
        run = rules.start(work, actor, box, number)
        location = f"/api/v4/databoxes/{box}/rules/{number}/runs/{run.id}"
        return answer(_run(run), 202, {"Location": location})

    return await change(request, call)


async def show_run(request: Request) -> Response:
    rules, box, number = _rules(request), databox_id(request), _number(request)
    run_id = int(request.path_params["run_id"])
    return await read(request, bearer, lambda work, actor: answer(_run(rules.run(work, actor, box, number, run_id))))


def _permit(request: Request, work: UnitOfWork, actor: Actor) -> None:
    _rules(request).get(work, actor, databox_id(request), _number(request))


_BOX = "/databoxes/{databox_id:int}/rules"
_ITEM = _BOX + "/{rule_id:int}"
_EXAMPLE = {
    "name": "Tell what is old",
    "criteria": {"dates": [{"of": "created", "test": "older", "days": 365}]},
    "action": {"delete": True},
}
ROUTES = (
    V4Route(_BOX, "GET", every, "The rules of a databox", SCOPE, named("RulePage"), is_list=True),
    V4Route(_BOX, "POST", make, "Make a rule; it is off until it is enabled", SCOPE, named("Rule"),
            named("RuleChanges"), 201, permit=permit_structure, example=_EXAMPLE),
    V4Route(_ITEM, "GET", show, "One rule and its last run", SCOPE, named("Rule")),
    V4Route(_ITEM, "PATCH", set_rule, "Change a rule, or switch it on or off", SCOPE, named("Rule"),
            named("RuleChanges"), guard="required", permit=_permit, example={"interval_minutes": 60}),
    V4Route(_ITEM, "DELETE", delete, "Delete a rule; what it did stays", SCOPE, status=204, guard="accepted"),
    V4Route(_ITEM + "/dry-run", "GET", dry_run, "What a rule would do now, without doing it", SCOPE,
            named("RuleDryRun")),
    V4Route(_ITEM + "/runs", "GET", runs, "What a rule did", SCOPE, named("RuleRunPage"), is_list=True),
    V4Route(_ITEM + "/runs", "POST", start, "Run a rule now", SCOPE, named("RuleRun"), status=202),
    V4Route(_ITEM + "/runs/{run_id:int}", "GET", show_run, "One run of a rule", SCOPE, named("RuleRun")),
)  # fmt: skip
