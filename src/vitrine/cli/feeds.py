"""feed: publications, and who publishes in them."""

from pathlib import Path
from typing import Any

import click

from vitrine.accounts import COMMAND
from vitrine.cli.instance import data_option, instance
from vitrine.cli.output import json_option, print_result
from vitrine.feeds import FeedId
from vitrine.library.model import CollectionId


@click.group()
def feed() -> None:
    """Feeds: publications that people read here, and with feed readers."""


@feed.command("add")
@click.argument("title")
@click.option("--owner", required=True, help="Login of the person who manages it and publishes in it.")
@click.option("--subtitle", default="", help="A sentence about it.")
@click.option("--public", is_flag=True, help="Everybody reads it; previews of its records open without a token.")
@click.option("--collection", "base_id", type=int, help="Only people with access to this collection read it.")
@data_option
@json_option
def add_feed(
    title: str, owner: str, subtitle: str, public: bool, base_id: int | None, data: Path, as_json: bool
) -> None:
    """Create a feed."""
    with instance(data) as services, services.database.write() as work:
        user = services.accounts.users.find(work, owner)
        added = services.feeds.registry.add(
            work,
            COMMAND,
            title=title,
            subtitle=subtitle,
            is_public=public,
            collection_id=None if base_id is None else CollectionId(base_id),
            owner_id=user.id,
        )
    address = services.settings.absolute(f"/feeds/feed/{added.id}/rss/") if public else None
    result = {"feed_id": added.id, "public": public, "base_id": base_id, "rss": address}
    print_result(result, as_json=as_json, sentence=f"Feed {added.title} was created ({added.id}).")


@feed.command("list")
@data_option
@json_option
def list_feeds(data: Path, as_json: bool) -> None:
    """All feeds, the last updated first."""
    with instance(data) as services, services.database.read() as work:
        rows: list[dict[str, Any]] = [
            {
                "feed_id": listed.feed.id,
                "title": listed.feed.title,
                "public": listed.feed.is_public,
                "base_id": listed.feed.collection_id,
                "entries": listed.feed.entries,
            }
            for listed in services.feeds.registry.all(work, COMMAND)
        ]
    lines = [
        f"{row['feed_id']}  {row['title']}  {'public' if row['public'] else 'not public'}  {row['entries']} entries"
        for row in rows
    ]
    print_result({"feeds": rows}, as_json=as_json, sentence="\n".join(lines) or "There are no feeds.")


@feed.command("publisher")
@click.argument("feed_id", type=int)
@click.argument("login")
@click.option("--remove", is_flag=True, help="They publish in it no longer.")
@click.option("--owner", is_flag=True, help="They manage it too, instead of the owner before.")
@data_option
@json_option
def publisher(feed_id: int, login: str, remove: bool, owner: bool, data: Path, as_json: bool) -> None:
    """Let a person publish in a feed, or end that."""
    if remove and owner:
        raise click.UsageError("Use --remove or --owner.")
    with instance(data) as services, services.database.write() as work:
        user = services.accounts.users.find(work, login)
        registry, number = services.feeds.registry, FeedId(feed_id)
        change = registry.remove_publisher if remove else registry.set_owner if owner else registry.add_publisher
        change(work, COMMAND, number, user.id)
    state = "publishes in it no longer" if remove else "owns it" if owner else "publishes in it"
    result = {"feed_id": feed_id, "user_id": user.id, "login": user.login, "state": state}
    print_result(result, as_json=as_json, sentence=f"Feed {feed_id}: {user.login} {state}.")


@feed.command("remove")
@click.argument("feed_id", type=int)
@data_option
@json_option
def remove_feed(feed_id: int, data: Path, as_json: bool) -> None:
    """Delete a feed with its entries; the records stay."""
    with instance(data) as services, services.database.write() as work:
        services.feeds.registry.remove(work, COMMAND, FeedId(feed_id))
    print_result({"feed_id": feed_id}, as_json=as_json, sentence=f"Feed {feed_id} was deleted.")
