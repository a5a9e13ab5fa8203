"""The services that adapters call, made once by the composition root."""

from dataclasses import dataclass

from vitrine.accounts import Accounts
from vitrine.accounts.administration import AccountAdministration
from vitrine.accounts.groups.service import Groups
from vitrine.accounts.groups.templates import Templates
from vitrine.accounts.identity_providers.service import IdentityProviders
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.management import UserManagement
from vitrine.accounts.mfa import MultiFactor
from vitrine.accounts.passkeys import Passkeys
from vitrine.accounts.recipient_lists import RecipientLists
from vitrine.accounts.registration.service import Registration
from vitrine.accounts.registration.sign_up import SignUp
from vitrine.accounts.sessions import Sessions
from vitrine.applications import ApplicationRegistration, Applications
from vitrine.applications.client_secrets import ClientSecrets
from vitrine.applications.consents import Consents
from vitrine.applications.documents import ApplicationDocuments
from vitrine.applications.lifecycle import ApplicationLifecycle
from vitrine.applications.people import ApplicationPeople
from vitrine.baskets import BasketElements, Baskets, BasketSharing, BasketVotes
from vitrine.edge.limits import RequestLimits
from vitrine.edge.quotas import Quotas
from vitrine.embed import Embeds
from vitrine.feeds import Entries, FeedAddresses, Feeds, Syndication
from vitrine.jobs import Jobs
from vitrine.library.bulk import BulkOperations
from vitrine.library.bundles import Bundles
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
from vitrine.library.reports import Reports
from vitrine.library.rules import Rules
from vitrine.library.sharing.downloads import Downloads
from vitrine.library.sharing.quotas import DownloadQuotas
from vitrine.library.sharing.signed_addresses import SignedAddresses
from vitrine.library.stories.service import Stories
from vitrine.library.stories.views import StoryViews
from vitrine.library.structure.services import StructureServices
from vitrine.library.structure_administration import StructureAdministration
from vitrine.library.substitution import Substitution
from vitrine.library.terms.service import Terms
from vitrine.library.upload_queue import UploadQueue
from vitrine.media.service import Media
from vitrine.notifications import Notifications
from vitrine.oauth import OAuth
from vitrine.oauth.developer_tokens import DeveloperTokens
from vitrine.oauth.inactive_accounts import InactiveAccounts
from vitrine.oauth.personal_tokens import PersonalTokens
from vitrine.oauth.scope_limits import ScopeLimits
from vitrine.operations.maintenance import Maintenance
from vitrine.operations.tasks import Tasks
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database
from vitrine.platform.deferred_writes import DeferredWrites
from vitrine.platform.supervision import Supervisor
from vitrine.search import Search
from vitrine.settings import Settings


@dataclass(frozen=True, slots=True)
class AccountServices:
    users: Accounts
    sessions: Sessions
    mail: AccountMail
    mfa: MultiFactor
    passkeys: Passkeys
    identity_providers: IdentityProviders
    administration: AccountAdministration
    groups: Groups
    templates: Templates
    registration: Registration
    sign_up: SignUp
    management: UserManagement
    inactive: InactiveAccounts
    recipient_lists: RecipientLists


@dataclass(frozen=True, slots=True)
class ApplicationServices:
    registry: Applications
    portal: ApplicationRegistration
    consents: Consents
    secrets: ClientSecrets
    people: ApplicationPeople
    lifecycle: ApplicationLifecycle
    documents: ApplicationDocuments


@dataclass(frozen=True, slots=True)
class OAuthServices:
    server: OAuth
    developer_tokens: DeveloperTokens
    personal_tokens: PersonalTokens
    scope_limits: ScopeLimits


@dataclass(frozen=True, slots=True)
class LibraryServices:
    records: Records
    ingest: Ingest
    structure: StructureAdministration
    changes: Changes
    removal: Removal
    substitution: Substitution
    originals: Originals
    history: History
    bulk: BulkOperations
    rules: Rules
    bundles: Bundles
    overlays: Overlays
    presentation: Presentation
    quarantine: Quarantine
    downloads: Downloads
    quotas: DownloadQuotas
    upload_queue: UploadQueue
    signed_addresses: SignedAddresses
    administration: StructureServices
    terms: Terms
    stories: Stories
    story_views: StoryViews
    reports: Reports


@dataclass(frozen=True, slots=True)
class FeedServices:
    registry: Feeds
    entries: Entries
    addresses: FeedAddresses
    syndication: Syndication


@dataclass(frozen=True, slots=True)
class BasketServices:
    baskets: Baskets
    elements: BasketElements
    sharing: BasketSharing
    votes: BasketVotes


@dataclass(frozen=True, slots=True)
class RateLimits:
    requests: RequestLimits
    quotas: Quotas


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    vault: Vault
    supervisor: Supervisor
    deferred_writes: DeferredWrites
    limits: RateLimits
    jobs: Jobs
    accounts: AccountServices
    applications: ApplicationServices
    oauth: OAuthServices
    media: Media
    library: LibraryServices
    baskets: BasketServices
    tasks: Tasks
    maintenance: Maintenance
    hot_folders: HotFolders
    search: Search
    notifications: Notifications
    embeds: Embeds
    feeds: FeedServices
    instance_id: str
