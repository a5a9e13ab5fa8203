"""The ASGI application and the worker, on the services of `vitrine.composition`."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from vitrine import files, housekeeping, web
from vitrine.accounts.mail import SEND, MailHandler
from vitrine.api import oauthv2, root, syndication, v1, v4
from vitrine.api.cors import Cors
from vitrine.composition import indexer, make_services
from vitrine.edge import health
from vitrine.edge.connections.guard import ConnectionGuard
from vitrine.edge.connections.limits import ConnectionLimits
from vitrine.edge.fast.dispatcher import Dispatcher
from vitrine.edge.fast.responses import SendComplete
from vitrine.edge.metrics import Counts, Metrics
from vitrine.edge.middleware import Outermost
from vitrine.edge.proxies import Proxies, is_in, networks
from vitrine.edge.services import Services
from vitrine.files.shortcut import small_permalink
from vitrine.jobs import Lane, Worker
from vitrine.jobs.tasks import HOT_FOLDERS
from vitrine.library.bulk import BULK
from vitrine.library.bundles.preparing import MAIL, PREPARE, BundleMailer, BundlePreparation
from vitrine.library.jobs import MAKE_RENDITIONS, RenditionMaker
from vitrine.library.rules import RUN_RULE, RUN_RULES_DUE, RuleRunner
from vitrine.library.structure.task_runner import TaskRunner
from vitrine.library.structure.tasks import STRUCTURE_TASK
from vitrine.library.sweep import SWEEP, Sweeper
from vitrine.library.upload_queue import PULL
from vitrine.notifications.broadcasts import TELL, Broadcaster
from vitrine.platform.mail import Translate, Transport, transport_of
from vitrine.search.indexer import INDEX, REBUILD
from vitrine.settings import Settings

INDEX_BATCH = 200


def make_worker(services: Services) -> Worker:
    """The one process that decodes (in children) and writes the index."""
    works = indexer(services)
    works.ensure()
    rules = RuleRunner(services.database, services.library.rules)
    return Worker(
        database=services.database,
        handlers={
            MAKE_RENDITIONS.name: RenditionMaker(services.database, services.library.records, services.media),
            SWEEP.name: Sweeper(services.database, services.media),
            STRUCTURE_TASK.name: TaskRunner(
                services.database,
                services.library.records,
                services.media,
                services.jobs,
                services.library.administration.tasks.emptying,
            ),
            SEND.name: mail_handler(services),
            TELL.name: Broadcaster(services.database, services.notifications, services.jobs),
            PULL.name: services.library.upload_queue,
            BULK.name: services.library.bulk,
            RUN_RULE.name: rules,
            RUN_RULES_DUE.name: rules.look_for_due,
            PREPARE.name: BundlePreparation(services.database, services.media, services.library.bundles, services.jobs),
            MAIL.name: bundle_mailer(services),
        },
        batch_handlers={INDEX.name: works.apply, REBUILD.name: works.rebuild},
        lanes=(
            Lane("media", threads=services.settings.worker_media_children),
            Lane("index", batch=INDEX_BATCH),
            Lane("rebuild"),
            Lane("structure"),
            Lane("upkeep"),
            Lane("mail"),
            Lane("uploads"),
            Lane("bulk"),
            Lane("rules"),
            Lane("downloads"),
        ),
        place=f"{socket.gethostname()[:20]}:{str(services.settings.data_dir.resolve())[-48:]}",
        supervisor=services.supervisor,
    )


def start_worker(services: Services) -> Worker:
    """Start everything that a worker does, supervised; `services.supervisor.stop()` ends it."""
    worker = make_worker(services)
    worker.start()
    services.supervisor.start("maintenance", partial(housekeeping.run, services))
    watcher = housekeeping.hot_folder_watcher(services, worker.owner)
    services.supervisor.start(HOT_FOLDERS, watcher.run, hung_after=timedelta(minutes=15))
    return worker


def mail_handler(services: Services) -> MailHandler:
    composer = services.accounts.mail.composer
    sender = services.settings.sender
    return MailHandler(services.database, composer, transport(services), sender, words(services), services.vault)


def bundle_mailer(services: Services) -> BundleMailer:
    composer, bundles = services.accounts.mail.composer, services.library.bundles
    sender = services.settings.sender
    return BundleMailer(services.database, bundles, composer, transport(services), sender, words(services))


def transport(services: Services) -> Transport:
    return transport_of(services.settings.smtp_url, services.settings.data_dir / "outbox")


def words(services: Services) -> Translate:
    """Messages of mails in the language of their reader, else of the instance."""
    settings = services.settings

    def translate(language: str, message: str) -> str:
        supported = language if language in web.LANGUAGES else settings.default_language
        return web.catalogue(supported).gettext(message)

    return translate


def connection_limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        connections=settings.connections_max,
        per_address=settings.connections_per_address,
        target_bytes=settings.request_target_max_bytes,
        header_bytes=settings.request_headers_max_bytes,
        headers=settings.request_headers_max,
        head_s=settings.request_head_seconds,
        idle_s=settings.keep_alive_seconds,
        body_s=settings.request_stall_seconds,
        response_s=settings.response_stall_seconds,
        min_rate=settings.transfer_min_rate,
    )


class AsgiApplication:
    """The ASGI application; `services` and `routes` are for tests and commands that share its process."""

    def __init__(self, services: Services) -> None:
        self.services = services
        settings = services.settings
        apis = [*v1.routes(), *oauthv2.routes(), *v4.routes()] if settings.api_enabled else []
        often = [*apis, *root.ROUTES, *files.ROUTES]
        self.routes = [*often, *syndication.ROUTES, *health.ROUTES, *web.routes()]
        inner = Starlette(
            routes=self.routes,
            exception_handlers=web.EXCEPTION_HANDLERS,
            lifespan=self._lifespan,
        )
        inner.router.redirect_slashes = False
        request_counts = Counts() if settings.metrics_from else None
        inner.state.whole = self
        inner.state.readiness = health.Readiness(services)
        proxies = Proxies(networks(settings.trusted_proxies), settings.forwarded_headers)
        # Read by `edge.connections.protocol`.
        self.connection_guard = ConnectionGuard(
            connection_limits(settings), is_exempt=lambda address: is_in(address, proxies.trusted)
        )
        inner.state.metrics = Metrics(services, request_counts or Counts(), self.connection_guard)
        # Only where a short read runs in the event loop.
        self.paths_without_task = ("/permalink/",) if services.database.has_fast_paths else ()
        routed = Dispatcher(often, inner, web.EXCEPTION_HANDLERS) if settings.fast_paths else inner
        self._app = Outermost(
            Cors(routed, services),
            services,
            proxies=proxies,
            https=settings.is_https,
            counts=request_counts,
            fast_paths=settings.fast_paths,
            shortcut=partial(small_permalink, services),
            closed=Cors(web.MaintenanceGate(routed), services),
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        supervisor, database = self.services.supervisor, self.services.database
        self.services.maintenance.refresh()  # a closed server is closed from its first request on
        threads = [
            supervisor.start("deferred-writes", self.services.deferred_writes.run),
            supervisor.start("maintenance-switch", self.services.maintenance.watch),
        ]
        if database.is_sqlite:
            threads.append(supervisor.start("checkpoints", database.run_checkpoints))
        yield
        supervisor.stop(threads)
        self.services.deferred_writes.close()
        self.services.media.close()
        self.services.search.index.close()
        self.services.database.close()

    def respond_without_task(self, scope: Scope, send: SendComplete) -> bool:
        """For `edge.fast.protocol`: answer a plain HTTP request without a task, or give False."""
        return self._app.respond_without_task(scope, send)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def create_app(settings: Settings) -> AsgiApplication:
    return AsgiApplication(make_services(settings))


def write_private(path: Path, value: object) -> None:
    """A small JSON file that only its owner may read, never half-written."""
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_text(json.dumps(value, indent=2) + "\n")
    fresh.replace(path)
