"""The regular work of a worker: delete what has expired, and sweep orphaned bytes."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from vitrine.accounts import links
from vitrine.accounts import store as accounts_store
from vitrine.accounts.identity_providers import store as identity_provider_store
from vitrine.accounts.registration import store as registration_store
from vitrine.accounts.sessions import SESSION_ACTIONS
from vitrine.applications import portal_store, usage
from vitrine.baskets import maintenance as basket_maintenance
from vitrine.edge.services import Services
from vitrine.errors import Unavailable
from vitrine.jobs import task_store
from vitrine.jobs.tasks import MAINTENANCE
from vitrine.library import census, journal, version_store
from vitrine.library.bulk import service as bulk_operations
from vitrine.library.bundles import store as bundle_store
from vitrine.library.reports import searches, uses, views
from vitrine.library.rules import jobs as rule_jobs
from vitrine.library.rules import service as rules
from vitrine.library.sharing import quotas as download_quotas
from vitrine.library.structure import task_store as structure_task_store
from vitrine.library.sweep import SWEEP
from vitrine.notifications import store as notification_store
from vitrine.oauth import delegation, deprecated_features
from vitrine.oauth import store as tokens
from vitrine.oauth.idle_tokens import delete_idle
from vitrine.operations.file_import import FileImport
from vitrine.operations.hot_folders import Watcher
from vitrine.platform import audit, idempotency, logging
from vitrine.platform.expiry import Expiry, delete_expired
from vitrine.platform.supervision import SupervisedThread

INTERVAL, RETRY = timedelta(hours=1), timedelta(seconds=30)
log = logging.get("vitrine.worker")


def run(services: Services, thread: SupervisedThread) -> None:
    """Supervised: the worker's regular jobs. Delete expired sessions and tokens in small batches, and sweep orphaned
    bytes."""
    is_over = False
    while not is_over:
        pause = RETRY
        try:
            if not services.database.reading(lambda work: task_store.is_stopped(work, MAINTENANCE)):
                purge(services, thread.over)
                with services.database.write() as work:
                    services.jobs.add(work, SWEEP, {}, key="all")
                    rule_jobs.watch(work, services.jobs)
                    task_store.record_runs(work, {MAINTENANCE: work.now})
                pause = INTERVAL
        except Unavailable as failure:  # a locked database or a full disk ends by itself; the worker goes on
            log.warning("maintenance.retry", why=failure.why)
        services.media.sandbox.end_idle()
        is_over = thread.wait(pause.total_seconds())


def hot_folder_watcher(services: Services, owner: str) -> Watcher:
    """What looks after hot folders in the worker *owner*."""
    library, settings = services.library, services.settings
    files = FileImport(services.database, library.ingest, library.quarantine, library.changes)
    roots, seconds = settings.hot_folder_roots, settings.hot_folder_seconds
    return Watcher(services.database, files, services.hot_folders, roots, seconds, owner)


def expiries(services: Services) -> tuple[Expiry, ...]:
    """Everything that expires: sessions, codes, tokens, counts, links, deleted applications, lines of the request
    log."""
    settings = services.settings
    return (
        *accounts_store.EXPIRIES,
        *tokens.EXPIRIES,
        *delegation.EXPIRIES,
        *deprecated_features.EXPIRIES,
        *links.EXPIRIES,
        *registration_store.EXPIRIES,
        *notification_store.EXPIRIES,
        *identity_provider_store.EXPIRIES,
        *portal_store.expiries(),
        *structure_task_store.EXPIRIES,
        *rules.EXPIRIES,
        *bulk_operations.EXPIRIES,
        *download_quotas.EXPIRIES,
        *bundle_store.EXPIRIES,
        journal.expiry(timedelta(days=settings.record_history_days)),
        uses.expiry(settings.use_journal_days),
        searches.expiry(settings.search_journal_days),
        *views.expiries(settings.view_journal_days, settings.view_journal_rows),
        *audit.expiries(SESSION_ACTIONS, timedelta(days=settings.session_journal_days)),
        version_store.expiry(timedelta(days=settings.original_versions_days)),
        *idempotency.EXPIRIES,
        *usage.Retention(settings.request_log_days, settings.request_log_rows).expiries(),
    )


def purge(services: Services, stop: threading.Event) -> None:
    """Delete what has expired, until nothing is left, and count the library. Of tokens without an end and of records a
    bounded number is looked at, after those of the last call. One step that fails is logged and does not keep the
    others from being done. Raises Unavailable."""
    steps: list[Callable[[], object]] = [
        *(partial(delete_expired, services.database, expiry, stop) for expiry in expiries(services)),
        partial(delete_idle, services.database, stop),
        partial(services.accounts.inactive.run, services.database, stop),
        partial(census.run, services.database, stop),
        partial(basket_maintenance.run, services.database, stop),
    ]
    for step in steps:
        try:
            step()
        except Unavailable:
            raise
        except Exception:
            log.exception("maintenance.purge_failed")
