"""Background jobs: rows inserted with the change that needs them, leased by a supervised worker, deleted when done."""

from vitrine.jobs.model import Handler, Job, JobKind
from vitrine.jobs.service import Jobs, Lane, Worker

__all__ = ["Handler", "Job", "JobKind", "Jobs", "Lane", "Worker"]
