"""Fill an empty instance with people, collections, applications and documents, listed in demo.json for scripts."""

from pathlib import Path
from typing import Any

from vitrine import app, composition
from vitrine.accounts import COMMAND, Actor, CollectionGrant, User, Via
from vitrine.accounts.rights import ALL_DATABOX_RIGHTS, ALL_RIGHTS, CONTRIBUTOR
from vitrine.applications import Application, Draft, Profile, Switch
from vitrine.cli.demo import showcase
from vitrine.cli.demo.media import DemoFile, prepare
from vitrine.edge.services import Services
from vitrine.library import store
from vitrine.library.ingest import Added
from vitrine.library.model import Collection, CollectionId
from vitrine.platform import logging
from vitrine.platform.crypto import random_base62
from vitrine.platform.database import Database, UnitOfWork
from vitrine.settings import Settings

log = logging.get("vitrine.demo")
COLLECTIONS = {
    "Photographs": {"fr": "Photographies", "en": "Photographs"},
    "Portraits": {"fr": "Portraits", "en": "Portraits"},
    "Science": {"fr": "Sciences", "en": "Science"},
    "Films": {"fr": "Films", "en": "Films"},
}
CALLBACK = "http://127.0.0.1:8001/callback"
CONSOLE_CALLBACK = "http://127.0.0.1:8001/console/callback"
DEMO_FILE = "demo.json"


def fill(settings: Settings, database: Database) -> None:
    """Create the demonstration in an instance without accounts. Missing documents are added at every start, so an
    interrupted first start is completed by the next."""
    services = composition.make_services(settings, database)
    try:
        folder = settings.data_dir
        with database.read() as work:
            is_empty = services.accounts.users.is_empty(work)
        if not is_empty and not (folder / DEMO_FILE).exists():
            return  # a real instance: never changed
        files = prepare(folder / "downloads", folder / "demo-files", services.media, print)
        if is_empty:
            _people(services)
        _documents(services, files)
        showcase.fill(services, files, showcase.read(services))
        _write_records(services)
    finally:
        services.media.close()


def _people(services: Services) -> None:
    """Create everything but the documents in one transaction, completely or not at all."""
    passwords = {name: random_base62(14) for name in ("admin", "ada")}
    with services.database.write() as work:
        admin = services.accounts.users.add_first_administrator(
            work,
            login="admin",
            password=passwords["admin"],
            email="admin@localhost",
            first_name="Iris",
            last_name="Admin",
        )
        user = services.accounts.users.add(
            work,
            COMMAND,
            login="ada",
            password=passwords["ada"],
            email="ada@localhost",
            first_name="Ada",
            last_name="Martin",
        )
        box = services.library.structure.add_databox(work, COMMAND, "Museum", {"fr": "Musée", "en": "Museum"})
        bases = [
            services.library.structure.add_collection(work, COMMAND, box.id, name, dict(names))
            for name, names in COLLECTIONS.items()
        ]
        for base in bases:
            services.accounts.users.grant(work, COMMAND, admin.id, CollectionGrant(base.id, box.id, ALL_RIGHTS))
            services.accounts.users.grant(work, COMMAND, user.id, CollectionGrant(base.id, box.id, CONTRIBUTOR))
        services.accounts.users.grant_databox(work, COMMAND, admin.id, box.id, ALL_DATABOX_RIGHTS)
        document = {
            "base_url": services.settings.base_url,
            "admin": {"login": "admin", "password": passwords["admin"], **_console(services, work, admin)},
            "user": {"login": "ada", "password": passwords["ada"]},
            **_applications(services, work, user),
            "databox_id": box.id,
            "base_ids": {base.name: base.id for base in bases},
            "records": [],
        }
        # Written before the commit: without its passwords the instance would be useless.
        app.write_private(services.settings.data_dir / DEMO_FILE, document)


def _actor(services: Services, work: UnitOfWork, user: User) -> Actor:
    return services.accounts.users.actor_of(work, services.accounts.users.get(work, user.id), Via.COMMAND)


def _console(services: Services, work: UnitOfWork, admin: User) -> dict[str, str]:
    actor = _actor(services, work, admin)
    draft = Draft("Console", "The administrator's own scripts.", services.settings.base_url, "web", CONSOLE_CALLBACK)
    application = services.applications.registry.create(work, actor, draft)
    return _credentials(services, work, actor, application)


def _applications(services: Services, work: UnitOfWork, user: User) -> dict[str, Any]:
    actor = _actor(services, work, user)
    web = services.applications.registry.create(
        work,
        actor,
        Draft(
            "Field Notes",
            "Shows the museum's photographs beside field reports.",
            "http://127.0.0.1:8001/",
            "web",
            CALLBACK,
        ),
        Profile.COMPATIBILITY,
    )
    for switch in (Switch.PASSWORD_GRANT, Switch.IMPLICIT):
        web = services.applications.registry.set_switch(work, actor, web.id, switch, on=True)
    strict = services.applications.registry.create(
        work,
        actor,
        Draft(
            "Exhibition",
            "Prepares exhibitions from the library.",
            "http://127.0.0.1:8001/exhibition",
            "web",
            "http://127.0.0.1:8001/exhibition/callback",
        ),
        Profile.STRICT,
    )
    public = services.applications.registry.create(
        work,
        actor,
        Draft(
            "Guide",
            "Tells visitors about what they see.",
            "http://127.0.0.1:8001/guide",
            "web",
            "http://127.0.0.1:8001/guide/callback",
        ),
        Profile.PUBLIC,
    )
    desktop = services.applications.registry.create(
        work,
        actor,
        Draft("Press kit", "Fills press folders from the desktop.", "http://127.0.0.1:8001/press", "desktop"),
    )
    blog = services.applications.registry.create(
        work,
        actor,
        Draft(
            "Museum blog",
            "Shows pictures beside articles; signs people in by an old plugin that sends no secret.",
            "http://127.0.0.1:8001/blog",
            "web",
            "http://127.0.0.1:8001/blog/callback",
        ),
        Profile.COMPATIBILITY,
    )
    for switch, is_on in ((Switch.PASSWORD_GRANT, True), (Switch.SECRET_REQUIRED, False)):
        blog = services.applications.registry.set_switch(work, actor, blog.id, switch, on=is_on)
    applications = {
        "web_app": web, "desktop_app": desktop, "strict_app": strict, "public_app": public, "optional_secret_app": blog,
    }  # fmt: skip
    return {name: _credentials(services, work, actor, application) for name, application in applications.items()}


def _credentials(services: Services, work: UnitOfWork, actor: Actor, application: Application) -> dict[str, str]:
    return {
        "client_id": application.client_id,
        "client_secret": services.applications.secrets.for_command(work, application),
        "redirect_uri": application.callback,
        "developer_token": services.oauth.developer_tokens.renew(work, actor, application),
    }


def _documents(services: Services, files: list[DemoFile]) -> None:
    """Add missing documents as Ada."""
    with services.database.read() as work:
        ada = services.accounts.users.find(work, "ada")
        actor = _actor(services, work, ada)
        bases = {
            collection.name: collection for collection in services.library.records.structure(work).collections.values()
        }
        existing_names = _existing_names(services, work)
    missing = [file for file in files if file.path.name not in existing_names]
    if missing:
        print(f"Adding {len(missing)} documents to the demonstration …")
    for file in missing:
        _add(services, actor, file.path, bases[file.collection])


def _existing_names(services: Services, work: UnitOfWork) -> set[str]:
    records = services.library.records.page(
        work, COMMAND, [record_id for batch in store.iterate_id_batches(work) for record_id in batch]
    )
    return {record.record.original_name or "" for record in records}


def _add(services: Services, actor: Actor, path: Path, base: Collection) -> None:
    arrival = services.library.ingest.take(path, path.name)
    with services.database.write() as work:
        outcome = services.library.ingest.add(work, actor, arrival, CollectionId(base.id), force=True)
    assert isinstance(outcome, Added)


def _write_records(services: Services) -> None:
    demo_file, document = services.settings.data_dir / DEMO_FILE, showcase.read(services)
    with services.database.read() as work:
        records = showcase.listed(services, work)
    if document["records"] != records or document["base_url"] != services.settings.base_url:
        app.write_private(demo_file, {**document, "base_url": services.settings.base_url, "records": records})
