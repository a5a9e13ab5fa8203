"""Settings -> backends -> services: everything that adapters, commands and the worker call."""

from datetime import timedelta
from urllib.parse import urlsplit

from vitrine.accounts import Accounts, SignInPolicy
from vitrine.accounts import revokers as account_revokers
from vitrine.accounts.administration import AccountAdministration
from vitrine.accounts.credential_revocation import CredentialRevocation
from vitrine.accounts.events import AccountClosed
from vitrine.accounts.groups.service import Groups
from vitrine.accounts.groups.templates import Templates
from vitrine.accounts.identity_providers.service import IdentityProviders
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.mail_texts import MailComposer
from vitrine.accounts.management import UserManagement
from vitrine.accounts.mfa import MultiFactor
from vitrine.accounts.passkeys import Passkeys
from vitrine.accounts.passwords import Passwords
from vitrine.accounts.recipient_lists import RecipientLists
from vitrine.accounts.recipient_lists import store as recipient_list_store
from vitrine.accounts.registration.events import RegistrationPolicyChanged
from vitrine.accounts.registration.service import Registration
from vitrine.accounts.registration.sign_up import SignUp, SignUpForm
from vitrine.accounts.sessions import Sessions
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
from vitrine.edge.limits import Limit, RequestLimits
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
from vitrine.jobs import Jobs
from vitrine.library import counts, structure_store
from vitrine.library.bulk import BulkOperations
from vitrine.library.bundles import Bundles
from vitrine.library.bundles import store as bundle_store
from vitrine.library.bundles.selection import Selection
from vitrine.library.changes import Changes
from vitrine.library.history import History
from vitrine.library.hot_folders import HotFolders
from vitrine.library.ingest import Ingest
from vitrine.library.originals import Originals
from vitrine.library.overlays.copies import Overlays
from vitrine.library.presentation import Presentation
from vitrine.library.quarantine.service import Quarantine
from vitrine.library.records import Records
from vitrine.library.removal import Removal
from vitrine.library.reports import Reports, uses
from vitrine.library.reports.searches import SearchCounts
from vitrine.library.reports.views import ViewCounts
from vitrine.library.rules import Rules
from vitrine.library.rules.search import RuleSearch
from vitrine.library.sharing import quotas as download_quotas
from vitrine.library.sharing.downloads import Downloads
from vitrine.library.sharing.quotas import DownloadQuotas
from vitrine.library.sharing.signed_addresses import SignedAddresses
from vitrine.library.stories.covers import Covers
from vitrine.library.stories.service import Stories
from vitrine.library.stories.views import StoryViews
from vitrine.library.structure.services import StructureServices
from vitrine.library.structure_administration import StructureAdministration
from vitrine.library.substitution import Substitution
from vitrine.library.terms.service import Terms
from vitrine.library.upload_queue import UploadQueue
from vitrine.media.probe import Limits
from vitrine.media.sandbox import Sandbox
from vitrine.media.service import Media
from vitrine.media.storage import open_store
from vitrine.notifications import Notifications, broadcasts
from vitrine.oauth import OAuth, deprecated_features, scope_limits, scopes
from vitrine.oauth import revokers as token_revokers
from vitrine.oauth import store as tokens
from vitrine.oauth.delegation import Delegations
from vitrine.oauth.developer_tokens import DeveloperTokens
from vitrine.oauth.inactive_accounts import InactiveAccounts
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
from vitrine.platform.supervision import Supervisor
from vitrine.search import Indexer, Search
from vitrine.search.tantivy_index import EmbeddedIndex
from vitrine.settings import Settings


def open_database(settings: Settings) -> Database:
    """The database with the newest schema."""
    url = settings.database_url
    fast = settings.fast_paths
    database = Database(url) if url else Database.in_folder(settings.data_dir, fast_paths=fast)
    migrate.upgrade(database)
    return database


def make_services(
    settings: Settings,
    database: Database | None = None,
    *,
    decoders: int = 2,
    passwords: Passwords | None = None,
    sandbox: Sandbox | None = None,
) -> Services:
    """Everything, on the backends that *settings* name. Without a *sandbox* it is a new one of so many *decoders*.
    Threads start with the server or the worker."""
    database = database or open_database(settings)
    supervisor = Supervisor(database.release_thread)
    vault = Vault.in_folder(settings.data_dir)
    jobs = Jobs()
    sandbox = sandbox or Sandbox(children=decoders, memory_bytes=settings.media_memory_bytes, supervisor=supervisor)
    media = _media(settings, sandbox)
    accounts = _accounts(settings, database, vault, jobs, passwords or Passwords())
    applications = _applications(settings, accounts, vault)
    library = _library(settings, database, vault, jobs, media, Delegations(accounts.users))
    services = Services(
        settings=settings,
        database=database,
        vault=vault,
        supervisor=supervisor,
        deferred_writes=DeferredWrites(
            database,
            tokens.record_last_use,
            accounts.sessions.touch,
            deprecated_features.add,
            usage_rollup.add,
            folds=(Fold(counts.has_unfolded, counts.fold),),
        ),
        accounts=accounts,
        limits=_limits(settings),
        jobs=jobs,
        applications=applications,
        oauth=_oauth(settings, database, vault, accounts, applications.registry),
        media=media,
        library=library,
        baskets=_baskets(settings, library.records, accounts.users),
        tasks=Tasks(),
        maintenance=Maintenance(database),
        hot_folders=HotFolders(library.ingest, library.bulk.delegations, settings.hot_folder_roots, settings.data_dir),
        search=Search(
            EmbeddedIndex(settings.data_dir / "index"), library.records, SearchCounts(settings.search_journal_days > 0)
        ),
        notifications=Notifications(accounts.users, accounts.mail),
        embeds=Embeds(settings, library.records, accounts.users, library.signed_addresses),
        feeds=_feeds(settings, library.records, accounts.users, media),
        instance_id=vault.instance_id(),
    )
    services.deferred_writes.register(library.reports.view_counts.kind())
    services.deferred_writes.register(services.search.counts.kind())
    _listen(services)
    return services


def indexer(services: Services) -> Indexer:
    return Indexer(services.database, services.search.index, services.library.records, services.jobs)


def _listen(services: Services) -> None:
    """What follows from events, in the order in which it is called."""
    database = services.database
    indexer(services).listen()
    services.library.stories.covers.listen(database)
    services.notifications.listen(database)
    broadcasts.listen(database, services.jobs)
    database.listen(ScopesLimited, scope_limits.apply_limit)
    database.listen(RegistrationPolicyChanged, lambda work, _event: structure_store.increase_version(work))
    database.listen(AccountClosed, feed_revokers.forget_person)
    database.listen(AccountClosed, lambda work, event: uses.forget_person(work, event.user_id))
    database.listen(AccountClosed, basket_maintenance.account_closed)
    database.listen(AccountClosed, lambda work, event: download_quotas.forget_person(work, event.user_id))
    database.listen(AccountClosed, lambda work, event: bundle_store.forget_person(work, event.user_id))
    database.listen(AccountClosed, lambda work, event: recipient_list_store.forget_person(work, event.user_id))


# -- one function for each part of `Services` --------------------------------------------------------------------------


def _media(settings: Settings, sandbox: Sandbox) -> Media:
    return Media(
        store=open_store(settings.blobs_url, settings.data_dir),
        sandbox=sandbox,
        limits=Limits(max_pixels=settings.media_max_pixels),
        scratch_root=settings.data_dir / "scratch",
        max_bytes=settings.upload_max_bytes,
    )


def _users(settings: Settings, database: Database, vault: Vault, passwords: Passwords) -> Accounts:
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
    return Accounts(database, passwords, vault, revocation, policy)


def _accounts(
    settings: Settings, database: Database, vault: Vault, jobs: Jobs, passwords: Passwords
) -> AccountServices:
    users = _users(settings, database, vault, passwords)
    sessions = Sessions(users)
    mfa = MultiFactor(users, sessions, settings.title)
    mail = AccountMail(users, jobs, MailComposer(settings.title, settings.base_url.rstrip("/"), settings.zone))
    registration = Registration(mail, settings.registration_automatic)
    administration = AccountAdministration(users, mail, settings.account_closing)
    unused_days = settings.account_inactive_days
    form = SignUpForm.of(settings.sign_up, settings.sign_up_fields, settings.terms_url)
    return AccountServices(
        users=users,
        sessions=sessions,
        mail=mail,
        mfa=mfa,
        passkeys=Passkeys(mfa, settings.origin),
        identity_providers=IdentityProviders(users, sessions, mail, settings.base_url, settings.sign_in_providers),
        administration=administration,
        groups=Groups(),
        templates=Templates(),
        registration=registration,
        sign_up=SignUp(users, mail, registration, form, users.puzzles),
        management=UserManagement(users, mail, registration),
        inactive=InactiveAccounts(
            administration,
            timedelta(days=unused_days) if unused_days else None,
            timedelta(days=settings.account_inactive_warning_days),
        ),
        recipient_lists=RecipientLists(users),
    )


def _limits(settings: Settings) -> RateLimits:
    return RateLimits(
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
    )


def _applications(settings: Settings, accounts: AccountServices, vault: Vault) -> ApplicationServices:
    consents = Consents(accounts.users)
    registry = Applications(accounts.users, accounts.sessions, consents, vault)
    portal = ApplicationRegistration(registry, settings.application_approval)
    return ApplicationServices(
        registry=registry,
        portal=portal,
        consents=consents,
        secrets=ClientSecrets(registry),
        people=ApplicationPeople(registry),
        lifecycle=ApplicationLifecycle(registry),
        documents=ApplicationDocuments(portal, frozenset(scopes.BY_NAME)),
    )


def _oauth(
    settings: Settings, database: Database, vault: Vault, accounts: AccountServices, applications: Applications
) -> OAuthServices:
    return OAuthServices(
        server=OAuth(
            database,
            accounts.users,
            applications,
            vault,
            Policy(settings.deprecated_features),
            Notices(accounts.users, accounts.mail),
            settings.origin,
            idle_limit=timedelta(days=settings.token_idle_days),
        ),
        developer_tokens=DeveloperTokens(applications),
        personal_tokens=PersonalTokens(applications),
        scope_limits=ScopeLimits(applications),
    )


def _library(
    settings: Settings, database: Database, vault: Vault, jobs: Jobs, media: Media, delegations: Delegations
) -> LibraryServices:
    records = Records()
    substitution = Substitution(records, media, jobs)
    changes, removal = Changes(records), Removal(records, jobs)
    originals = Originals(changes, jobs)
    history = History(changes, removal, substitution, originals)
    ingest = Ingest(records, media, jobs, Fetcher(settings.fetch_max_bytes))
    stories = Stories(records, ingest, removal, Covers(records))
    overlays = Overlays(database, records, media, settings.zone)
    terms = Terms(records, settings.terms_required_for_download)
    quotas = DownloadQuotas(records, settings.zone)
    administration = StructureServices.of(records, media, jobs, delegations)
    bulk = BulkOperations(database, jobs, changes, removal, history, delegations)
    hosts = frozenset(host.strip().lower() for host in settings.upload_queue_hosts)
    return LibraryServices(
        records=records,
        ingest=ingest,
        structure=StructureAdministration(records, jobs),
        changes=changes,
        removal=removal,
        substitution=substitution,
        originals=originals,
        history=history,
        bulk=bulk,
        rules=Rules(administration.databoxes.editor, RuleSearch(records, settings.zone), bulk, jobs),
        bundles=Bundles(
            Selection(records, overlays),
            terms,
            quotas,
            delegations,
            jobs,
            delegations.people,
            timedelta(hours=settings.download_link_hours),
            settings.zone,
        ),
        overlays=overlays,
        presentation=Presentation(records, media, administration.tasks),
        quarantine=Quarantine(database, records, media, ingest.add_unchecked, substitution.replace_original),
        downloads=Downloads(records, overlays, terms, quotas),
        quotas=quotas,
        upload_queue=UploadQueue(
            database, delegations, ingest, jobs, vault, ingest.fetcher, hosts, settings.upload_queue_collection
        ),
        signed_addresses=SignedAddresses(vault),
        administration=administration,
        terms=terms,
        stories=stories,
        story_views=StoryViews(records, stories),
        reports=Reports(records, ViewCounts(urlsplit(settings.base_url).hostname or "")),
    )


def _baskets(settings: Settings, records: Records, accounts: Accounts) -> BasketServices:
    return BasketServices(
        baskets=Baskets(records, accounts),
        elements=BasketElements(records),
        sharing=BasketSharing(records, accounts),
        votes=BasketVotes(accounts, timedelta(days=settings.vote_days), settings.vote_reminder_percent),
    )


def _feeds(settings: Settings, records: Records, accounts: Accounts, media: Media) -> FeedServices:
    registry = Feeds(records, accounts, media)
    entries = Entries(registry, records, accounts, settings.feed_mails_max)
    return FeedServices(
        registry=registry,
        entries=entries,
        addresses=FeedAddresses(registry, accounts),
        syndication=Syndication(registry, entries, records),
    )
