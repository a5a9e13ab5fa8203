"""The tasks of the worker as administrators see them: one for each lane of jobs, and
the threads that have no jobs: the hourly maintenance and the hot folders.

A task may be stopped. Its row says so, and every worker reads it in the statement that looks for a job: what is running
is finished, nothing else begins, in any process. The numbers are those of contract 02 section 5.19 and never change.
"""

from dataclasses import dataclass
from datetime import datetime

MAINTENANCE = "maintenance"
HOT_FOLDERS = "hot-folders"
THREADS = frozenset({MAINTENANCE, HOT_FOLDERS})  # tasks that are a thread of their own and no lane of jobs


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """*lane* is the name of a lane of jobs, or of the supervised thread; *period_s* is 0 where it runs all the time."""

    number: int
    lane: str
    title: str
    period_s: int = 0


TASKS = (
    TaskDefinition(1, "media", "Make renditions"),
    TaskDefinition(2, "index", "Keep the search index current"),
    TaskDefinition(3, "rebuild", "Rebuild the search index"),
    TaskDefinition(4, "upkeep", "Sweep files without a record", 3600),
    TaskDefinition(5, "mail", "Send mails"),
    TaskDefinition(6, MAINTENANCE, "Delete what has expired", 3600),
    TaskDefinition(7, "uploads", "Fetch documents that an uploader announced"),
    TaskDefinition(8, "bulk", "Change many records"),
    TaskDefinition(9, "structure", "Apply changes of the structure to records"),
    TaskDefinition(10, "rules", "Apply rules to records", 60),
    TaskDefinition(11, "downloads", "Prepare downloads of several documents"),
    TaskDefinition(12, HOT_FOLDERS, "Take files from hot folders"),
)
BY_NUMBER = {task.number: task for task in TASKS}


@dataclass(frozen=True, slots=True)
class TaskRow:
    """What is stored of a task. *title* is None until somebody changed it; an *autostarts* task is started again by
    each worker that starts."""

    lane: str
    title: str | None
    is_stopped: bool
    autostarts: bool
    last_run: datetime | None
    created: datetime
    updated: datetime
