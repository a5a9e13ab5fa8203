"""The services that adapters call, made once by the composition root."""

from dataclasses import dataclass

from vitrine.accounts import Accounts
from vitrine.accounts.identity_providers.service import IdentityProviders
from vitrine.accounts.mail import AccountMail
from vitrine.accounts.mfa import MultiFactor
from vitrine.applications import Applications, Portal
from vitrine.applications.descriptions import Descriptions
from vitrine.edge.limits import RequestLimits
from vitrine.edge.quotas import Quotas
from vitrine.embed import Embeds
from vitrine.jobs import Jobs
from vitrine.library.changes import Changes
from vitrine.library.sharing.downloads import Downloads
from vitrine.library.ingest import Ingest
from vitrine.library.overlays.service import Overlays
from vitrine.library.sharing.permalinks import SignedAddresses
from vitrine.library.presentation import Presentation
from vitrine.library.quarantine.service import Quarantine
from vitrine.library.records import Records
from vitrine.library.removal import Removal
from vitrine.library.substitution import Substitution
from vitrine.library.structure_administration import StructureAdministration
from vitrine.media.service import Media
from vitrine.oauth import OAuth
from vitrine.oauth.narrowing import Narrowing
from vitrine.oauth.personal_tokens import PersonalTokens
from vitrine.platform.crypto import Vault
from vitrine.platform.database import Database
from vitrine.platform.deferred_writes import DeferredWrites
from vitrine.search import Search
from vitrine.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    database: Database
    vault: Vault
    ledger: DeferredWrites
    limits: RequestLimits
    quotas: Quotas
    jobs: Jobs
    accounts: Accounts
    letters: AccountMail
    second: MultiFactor
    external: IdentityProviders
    applications: Applications
    portal: Portal
    descriptions: Descriptions
    personal: PersonalTokens
    narrowing: Narrowing
    oauth: OAuth
    media: Media
    records: Records
    ingest: Ingest
    upkeep: StructureAdministration
    changes: Changes
    removal: Removal
    substitution: Substitution
    marks: Overlays
    presentation: Presentation
    quarantine: Quarantine
    downloads: Downloads
    signed: SignedAddresses
    search: Search
    embeds: Embeds
    instance_id: str
