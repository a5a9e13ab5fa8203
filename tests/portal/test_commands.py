"""`vitrine app export` and `app import`: the same document from a shell (docs/decisions/0068)."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vitrine.accounts import User
from vitrine.applications import Profile
from vitrine.cli.main import cli
from vitrine.errors import DomainError
from vitrine.testing.server import Server


def run(server: Server, *arguments: str, text: str | None = None) -> Result:
    folder = str(server.settings.data_dir)
    return CliRunner().invoke(cli, ["app", *arguments, "--data", folder], input=text, catch_exceptions=True)


def bring(server: Server, document: Any, *more: str) -> dict[str, Any]:
    done = run(server, "import", "-", "--json", *more, text=json.dumps(document))
    assert done.exit_code == 0, (done.output, done.exception)
    result: dict[str, Any] = json.loads(done.output)
    return result


def refusal(server: Server, document: Any, *more: str) -> str:
    done = run(server, "import", "-", *more, text=document if isinstance(document, str) else json.dumps(document))
    assert isinstance(done.exception, DomainError), done.output
    return done.exception.field


def test_a_document_goes_to_another_instance_with_its_secret_and_comes_back_the_same(
    server: Server, ada: User, tmp_path: Path
) -> None:
    app = server.register(ada, profile=Profile.COMPATIBILITY)
    written = json.loads(run(server, "export", app.client_id, "--secrets").output)
    assert written["client_secret"] == app.secret
    assert "client_secret" not in json.loads(run(server, "export", str(app.application.id)).output)
    other = Server(tmp_path / "other")
    other.user("bob")
    assert refusal(other, written, "--owner", "bob") == "client_secret", "a secret is taken only when that is said"
    assert refusal(other, written, "--secrets") == "owner"
    result = bring(other, written, "--owner", "bob", "--secrets")
    assert (result["is_new"], result["client_id"]) == (True, app.client_id)
    assert json.loads(run(other, "export", app.client_id, "--secrets").output) == written
    again = bring(other, written, "--secrets")
    assert (again["is_new"], again["changed"]) == (False, {})
    other.close()


def test_a_dry_run_says_what_would_be_and_keeps_nothing(server: Server, ada: User) -> None:
    app = server.register(ada, profile=Profile.STRICT)
    document = json.loads(run(server, "export", app.client_id).output)
    changed = {**document, "publisher": "The Museum", "redirect_uris": ["https://new.example/cb"]}
    tried = bring(server, changed, "--dry-run")
    assert tried["dry_run"] is True
    assert tried["changed"]["publisher"] == {"before": "", "after": "The Museum"}
    assert set(tried["changed"]) == {"publisher", "redirect_uris"}
    assert json.loads(run(server, "export", app.client_id).output) == document
    assert set(bring(server, changed)["changed"]) == {"publisher", "redirect_uris"}
    assert json.loads(run(server, "export", app.client_id).output) == changed
    fresh = {**document, "client_id": "another-id-entirely"}
    assert bring(server, fresh, "--owner", "ada", "--dry-run")["is_new"] is True
    assert run(server, "export", "another-id-entirely").exception is not None
    assert (
        "would be registered"
        in run(server, "import", "-", "--owner", "ada", "--dry-run", text=json.dumps(fresh)).output
    )


def test_a_machine_acts_for_the_owner_that_it_is_given(server: Server, ada: User) -> None:
    document = {
        "client_id": "night-shift", "name": "Night shift", "description": "Adds.", "website": "https://n.example",
        "kind": "machine", "switches": {"acts_as_owner": True},
    }  # fmt: skip
    bring(server, document, "--owner", "ada")
    with server.services.database.read() as work:
        application = server.services.applications.registry.by_client_id(work, "night-shift")
        assert application is not None
        assert server.services.applications.registry.acting_account(work, application)[1] == ada.id
    assert bring(server, {**document, "switches": {}})["changed"]["switches"]["after"] == {}
    with server.services.database.read() as work:
        assert server.services.applications.registry.acting_account(work, application)[0] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"client_id": ""}, "client_id"),
        ({"colour": 1}, "colour"),
        ({"redirect_uris": ["nowhere"]}, "redirect_uris.0"),
        ({"client_secret": 3}, "client_secret"),
        ({"client_id": "x" * 129}, "client_id"),
    ],
)
def test_what_is_wrong_is_named(server: Server, ada: User, change: dict[str, Any], field: str) -> None:
    app = server.register(ada, profile=Profile.STRICT)
    document = {**json.loads(run(server, "export", app.client_id).output), "client_id": "new-one", **change}
    assert refusal(server, document, "--owner", "ada", "--secrets") == field


def test_what_is_no_document_is_refused_before_anything(server: Server, ada: User) -> None:
    app = server.register(ada, profile=Profile.STRICT)
    for text in ("{", "[]", "[" * 100_000, ""):
        assert refusal(server, text) == "file"
    document = {**json.loads(run(server, "export", app.client_id).output), "client_secret": "another"}
    assert refusal(server, document, "--secrets") == "client_secret", "a live secret is not replaced by a file"
    assert run(server, "export", "nothing").exit_code == 1
