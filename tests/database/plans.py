"""How a database would execute a statement, as the sentences of its planner."""

from typing import Any

import sqlalchemy as sa

from vitrine.platform.database import UnitOfWork


def plan_of(work: UnitOfWork, statement: sa.ClauseElement, **values: Any) -> str:
    """The plan, one step a line. Tables of tests are small, and PostgreSQL reads a small table whole even if it has an
    index: that is switched off, so a sequential scan remains only where no index serves."""
    if work.driver is None:
        work.db.exec_driver_sql("SET LOCAL enable_seqscan = off")
    sql = str(statement.compile(work.db, compile_kwargs={"literal_binds": True}))
    explain = "EXPLAIN " if work.driver is None else "EXPLAIN QUERY PLAN "
    place = 0 if work.driver is None else 3
    return "\n".join(str(row[place]) for row in work.db.exec_driver_sql(explain + sql.replace("%", "%%"), values))


def scans_of(plan: str, table: str) -> list[str]:
    """The steps that read all of *table*, or all of one of its indexes."""
    marks = (f"SCAN {table}", f"Seq Scan on {table}")
    return [step.strip() for step in plan.splitlines() if any(f"{mark} " in f"{step} " for mark in marks)]
