"""The composition root: settings -> backends -> services -> the ASGI application and the worker."""

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
from vitrine.accounts import Accounts, SignInPolicy
from vitrine.accounts import revokers as account_revokers
from vitrine.accounts.administration import AccountAdministration
from vitrine.accounts.credential_revocation import CredentialRevocation
from vitrine.accounts.events import AccountClosed
from vitrine.accounts.groups.service import Groups
from vitrine.accounts.groups.templates import Templates
from vitrine.accounts.identity_providers.service import IdentityProviders
from vitrine.accounts.mail import SEND, AccountMail, MailHandler
from vitrine.accounts.mail_texts import MailComposer
from vitrine.accounts.management import UserManagement
from vitrine.accounts.mfa import MultiFactor
from vitrine.accounts.passkeys import Passkeys
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.registration.events import RegistrationPolicyChanged
from vitrine.accounts.registration.service import Registration
from vitrine.accounts.registration.sign_up import SignUp, SignUpForm
from vitrine.accounts.sessions import Sessions
from vitrine.api import oauthv2, root, syndication, v1, v4
from vitrine.api.cors import Cors
from vitrine.applications import ApplicationRegistration, Applications, Policy, usage_rollup
from vitrine.applications import revokers as application_revokers
from vitrine.applications.client_secrets import ClientSecrets
from vitrine.applications.consents import Consents
from vitrine.applications.documents import ApplicationDocuments
from vitrine.applications.events import ScopesLimited
from vitrine.applications.lifecycle import ApplicationLifecycle
from vitrine.applications.people import ApplicationPeople
from vitrine.baskets import BasketElements, Baskets, BasketSharing, BasketVotes
from vitrine.baskets import maintenance as basket_maintenance
from vitrine.edge import health
from vitrine.edge.connections.guard import ConnectionGuard
from vitrine.edge.connections.limits import ConnectionLimits
from vitrine.edge.fast.dispatcher import Dispatcher
from vitrine.edge.fast.responses import SendComplete
from vitrine.edge.limits import Limit, RequestLimits
from vitrine.edge.metrics import Counts, Metrics
from vitrine.edge.middleware import Outermost
from vitrine.edge.proxies import Proxies, is_in, networks
from vitrine.edge.quotas import Quota, Quotas
from vitrine.edge.services import (
    AccountServices,
    ApplicationServices,
    BasketServices,
    FeedServices,
    LibraryServices,
    OAuthServices,
    RateLimits,
    Services,
)
from vitrine.embed import Embeds
from vitrine.feeds import Entries, FeedAddresses, Feeds, Syndication
from vitrine.feeds import revokers as feed_revokers
from vitrine.feeds.notices import NOTIFY, EntryNotices, NoticeHandler
from vitrine.files.shortcut import small_permalink
from vitrine.jobs import Jobs, Lane, Worker
from vitrine.library import counts, structure_store
from vitrine.library.bulk import BULK, BulkOperations
from vitrine.library.changes import Changes
from vitrine.library.history import History
from vitrine.library.ingest import Ingest
from vitrine.library.jobs import MAKE_RENDITIONS, RenditionMaker
from vitrine.library.originals import Originals
from vitrine.library.overlays.copies import Overlays
from vitrine.library.presentation import Presentation
from vitrine.library.quarantine.service import Quarantine
from vitrine.library.records import Records
from vitrine.library.removal import Removal
from vitrine.library.sharing.downloads import Downloads
from vitrine.library.sharing.signed_addresses import SignedAddresses
from vitrine.library.stories.covers import Covers
from vitrine.library.stories.service import Stories
from vitrine.library.stories.views import StoryViews
from vitrine.library.structure.services import StructureServices
from vitrine.library.structure.task_runner import TaskRunner
from vitrine.library.structure.tasks import STRUCTURE_TASK
from vitrine.library.structure_administration import StructureAdministration
from vitrine.library.substitution import Substitution
from vitrine.library.sweep import SWEEP, Sweeper
from vitrine.library.terms.service import Terms
from vitrine.library.upload_queue import PULL, UploadQueue
from vitrine.media.probe import Limits
from vitrine.media.sandbox import Sandbox
from vitrine.media.service import Media
from vitrine.media.storage import open_store
from vitrine.notifications import Notifications
from vitrine.oauth import OAuth, deprecated_features, scope_limits, scopes
from vitrine.oauth import revokers as token_revokers
from vitrine.oauth import store as tokens
from vitrine.oauth.delegation import Delegations
from vitrine.oauth.developer_tokens import DeveloperTokens
from vitrine.oauth.notices import Notices
from vitrine.oauth.personal_tokens import PersonalTokens
from vitrine.oauth.scope_limits import ScopeLimits
from vitrine.operations.maintenance import Maintenance
from vitrine.operations.tasks import Tasks
from vitrine.platform import migrate
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database
from vitrine.platform.deferred_writes import DeferredWrites, Fold
from vitrine.platform.fetch import Fetcher
from vitrine.platform.mail import transport_of
from vitrine.platform.supervision import Supervisor
from vitrine.search import Indexer, Search
from vitrine.search.indexer import INDEX, REBUILD
from vitrine.search.tantivy_index import EmbeddedIndex
from vitrine.settings import Settings

INDEX_BATCH = 200


def open_database(settings: Settings) -> Database:
    """The database with the newest schema."""
    url = settings.database_url
    fast = settings.fast_paths
    database = Database(url) if url else Database.in_folder(settings.data_dir, fast_paths=fast)
    migrate.upgrade(database)
    return database


def make_media(settings: Settings, sandbox: Sandbox) -> Media:
    return Media(
        store=open_store(settings.blobs_url, settings.data_dir),
        sandbox=sandbox,
        limits=Limits(max_pixels=settings.media_max_pixels),
        scratch_root=settings.data_dir / "scratch",
        max_bytes=settings.upload_max_bytes,
    )


def make_services(
    settings: Settings,
    database: Database | None = None,
    *,
    decoders: int = 2,
    passwords: Passwords | None = None,
    sandbox: Sandbox | None = None,
) -> Services:
    """Everything that adapters and commands call, on the backends that *settings* name. Without a *sandbox* it is a new
    one of so many *decoders*. Threads start with the server or the worker."""
    database = database or open_database(settings)
    supervisor = Supervisor(database.release_thread)
    vault = Vault.in_folder(settings.data_dir)
    policy = SignInPolicy(
        session=timedelta(days=settings.session_days),
        recent_auth=timedelta(minutes=settings.fresh_sign_in_minutes),
        failures=settings.sign_in_failures,
        wait=timedelta(minutes=settings.sign_in_wait_minutes),
        failures_before_puzzle=settings.sign_in_failures_before_puzzle,
    )
    revokers = {
        **account_revokers.REVOKERS,
        **application_revokers.REVOKERS,
        **token_revokers.REVOKERS,
        **feed_revokers.REVOKERS,
    }
    revocation = CredentialRevocation(revokers, token_revokers.developer_tokens)
    accounts = Accounts(database, passwords or Passwords(), vault, revocation, policy)
    sessions = Sessions(accounts)
    mfa = MultiFactor(accounts, sessions, settings.title)
    consents = Consents(accounts)
    applications = Applications(accounts, sessions, consents, vault)
    portal = ApplicationRegistration(applications, settings.application_approval)
    jobs = Jobs()
    account_mail = AccountMail(
        accounts, jobs, MailComposer(settings.title, settings.base_url.rstrip("/"), settings.zone)
    )
    delegations = Delegations(accounts)
    registration = Registration(account_mail, settings.registration_automatic)
    records = Records()
    sandbox = sandbox or Sandbox(children=decoders, memory_bytes=settings.media_memory_bytes, supervisor=supervisor)
    media = make_media(settings, sandbox)
    substitution = Substitution(records, media, jobs)
    changes, removal = Changes(records), Removal(records, jobs)
    originals = Originals(changes, jobs)
    history = History(changes, removal, substitution, originals)
    ingest = Ingest(records, media, jobs, Fetcher(settings.fetch_max_bytes))
    stories = Stories(records, ingest, removal, Covers(records))
    overlays = Overlays(database, records, media, settings.zone)
    signed = SignedAddresses(vault)
    terms = Terms(records, settings.terms_required_for_download)
    index = EmbeddedIndex(settings.data_dir / "index")
    administration = StructureServices.of(records, media, jobs, delegations)
    services = Services(
        settings=settings,
        database=database,
        vault=vault,
        supervisor=supervisor,
        deferred_writes=DeferredWrites(
            database,
            tokens.record_last_use,
            sessions.touch,
            deprecated_features.add,
            usage_rollup.add,
            folds=(Fold(counts.has_unfolded, counts.fold),),
        ),
        accounts=AccountServices(
            users=accounts,
            sessions=sessions,
            mail=account_mail,
            mfa=mfa,
            passkeys=Passkeys(mfa, settings.origin),
            identity_providers=IdentityProviders(
                accounts, sessions, account_mail, settings.base_url, settings.sign_in_providers
            ),
            administration=AccountAdministration(accounts, account_mail, settings.account_closing),
            groups=Groups(),
            templates=Templates(),
            registration=registration,
            sign_up=SignUp(
                accounts,
                account_mail,
                registration,
                SignUpForm.of(settings.sign_up, settings.sign_up_fields, settings.terms_url),
                accounts.puzzles,
            ),
            management=UserManagement(accounts, account_mail, registration),
        ),
        limits=RateLimits(
            requests=RequestLimits(
                token=Limit("token", settings.token_requests),
                authorize=Limit("authorize", settings.authorize_requests),
                user_code=Limit("user-code", settings.user_code_attempts),
            ),
            quotas=Quotas(
                Quota("application", settings.application_calls),
                Quota("account", settings.account_calls),
                Quota("token", settings.token_calls),
            ),
        ),
        jobs=jobs,
        applications=ApplicationServices(
            registry=applications,
            portal=portal,
            consents=consents,
            secrets=ClientSecrets(applications),
            people=ApplicationPeople(applications),
            lifecycle=ApplicationLifecycle(applications),
            documents=ApplicationDocuments(portal, frozenset(scopes.BY_NAME)),
        ),
        oauth=OAuthServices(
            server=OAuth(
                database,
                accounts,
                applications,
                vault,
                Policy(settings.deprecated_features),
                Notices(accounts, account_mail),
                settings.origin,
                idle_limit=timedelta(days=settings.token_idle_days),
            ),
            developer_tokens=DeveloperTokens(applications),
            personal_tokens=PersonalTokens(applications),
            scope_limits=ScopeLimits(applications),
        ),
        media=media,
        library=LibraryServices(
            records=records,
            ingest=ingest,
            structure=StructureAdministration(records, jobs),
            changes=changes,
            removal=removal,
            substitution=substitution,
            originals=originals,
            history=history,
            bulk=BulkOperations(database, jobs, changes, removal, history, delegations),
            overlays=overlays,
            presentation=Presentation(records, media, administration.tasks),
            quarantine=Quarantine(database, records, media, ingest.add_unchecked, substitution.replace_original),
            downloads=Downloads(records, overlays, terms),
            upload_queue=UploadQueue(
                database,
                delegations,
                ingest,
                jobs,
                vault,
                ingest.fetcher,
                frozenset(host.strip().lower() for host in settings.upload_queue_hosts),
                settings.upload_queue_collection,
            ),
            signed_addresses=signed,
            administration=administration,
            terms=terms,
            stories=stories,
            story_views=StoryViews(records, stories),
        ),
        baskets=BasketServices(
            baskets=Baskets(records, accounts),
            elements=BasketElements(records),
            sharing=BasketSharing(records, accounts),
            votes=BasketVotes(accounts, timedelta(days=settings.vote_days), settings.vote_reminder_percent),
        ),
        tasks=Tasks(),
        maintenance=Maintenance(database),
        search=Search(index, records),
        notifications=Notifications(accounts, account_mail),
        embeds=Embeds(settings, records, accounts, signed),
        feeds=feed_services(settings, records, accounts, media, jobs),
        instance_id=vault.instance_id(),
    )
    indexer(services).listen()
    stories.covers.listen(database)
    services.notifications.listen(database)
    database.listen(ScopesLimited, scope_limits.apply_limit)
    database.listen(RegistrationPolicyChanged, lambda work, _event: structure_store.increase_version(work))
    database.listen(AccountClosed, feed_revokers.forget_person)
    database.listen(AccountClosed, basket_maintenance.account_closed)
    return services


def feed_services(settings: Settings, records: Records, accounts: Accounts, media: Media, jobs: Jobs) -> FeedServices:
    registry = Feeds(records, accounts, media)
    entries = Entries(registry, records, accounts, EntryNotices(jobs, settings.feed_mails_max))
    return FeedServices(
        registry=registry,
        entries=entries,
        addresses=FeedAddresses(registry, accounts),
        syndication=Syndication(registry, entries, records),
    )


def indexer(services: Services) -> Indexer:
    return Indexer(services.database, services.search.index, services.library.records, services.jobs)


def make_worker(services: Services) -> Worker:
    """The one process that decodes (in children) and writes the index."""
    works = indexer(services)
    works.ensure()
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
            NOTIFY.name: NoticeHandler(services.database, services.jobs, services.accounts.mail),
            PULL.name: services.library.upload_queue,
            BULK.name: services.library.bulk,
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
        ),
        place=f"{socket.gethostname()[:20]}:{str(services.settings.data_dir.resolve())[-48:]}",
        supervisor=services.supervisor,
    )


def start_worker(services: Services) -> Worker:
    """Start everything that a worker does, supervised; `services.supervisor.stop()` ends it."""
    worker = make_worker(services)
    worker.start()
    services.supervisor.start("maintenance", partial(housekeeping.run, services))
    return worker


def mail_handler(services: Services) -> MailHandler:
    settings = services.settings

    def words(language: str, message: str) -> str:
        supported = language if language in web.LANGUAGES else settings.default_language
        return web.catalogue(supported).gettext(message)

    transport = transport_of(settings.smtp_url, settings.data_dir / "outbox")
    return MailHandler(services.database, services.accounts.mail.composer, transport, settings.sender, words)


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
        often = [
            *v1.routes(settings),
            *oauthv2.routes(settings),
            *v4.routes(settings),
            *root.ROUTES,
            *files.ROUTES,
        ]
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
