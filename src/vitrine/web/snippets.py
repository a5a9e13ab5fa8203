"""First programs for an application, with its own values, that run as pasted (a test runs them).

Plain text: templates escape it. The token comes from the environment, so that no page and no file holds it.
"""

from shlex import quote
from urllib.parse import quote as in_address

from vitrine.applications import OUT_OF_BAND, Application

_SEARCH = "/api/v1/search/?query=&record_type=image&per_page=1"
_CURL = """answer=$(curl -sS -f -H "Authorization: Bearer $VITRINE_TOKEN" \\
  {address}) &&
link=$(printf '%s' "$answer" | tr -d '\\\\' |
  grep -o '"url":"[^"]*/permalink/[^"]*"' | head -n 1 | cut -d '"' -f 4) &&
echo "<!doctype html><title>Photograph</title><img src='$link' alt=''>" > photograph.html &&
echo "$link"
"""
_PYTHON = """import json, os, urllib.request

asked = urllib.request.Request(
    "{address}",
    headers={{"Authorization": "Bearer " + os.environ["VITRINE_TOKEN"]}},
)
record = json.load(urllib.request.urlopen(asked))["response"]["results"]["records"][0]
link = record["thumbnail"]["permalink"]["url"]
with open("photograph.html", "w") as page:
    page.write(f'<!doctype html><title>Photograph</title><img src="{{link}}" alt="">')
print(record["title"])
"""
_JAVASCRIPT = """// node photograph.mjs
import {{ writeFile }} from "node:fs/promises";

const answer = await fetch("{address}", {{
  headers: {{ Authorization: `Bearer ${{process.env.VITRINE_TOKEN}}` }},
}});
if (!answer.ok) throw new Error(`${{answer.status}} ${{answer.statusText}}`);
const [record] = (await answer.json()).response.results.records;
const link = record.thumbnail.permalink.url;
await writeFile("photograph.html", `<!doctype html><title>Photograph</title><img src="${{link}}" alt="">`);
console.log(record.title);
"""
_PHP = """<?php // php photograph.php
$context = stream_context_create(["http" => ["header" => "Authorization: Bearer " . getenv("VITRINE_TOKEN")]]);
$answer = @file_get_contents("{address}", false, $context);
if ($answer === false) {{
    fwrite(STDERR, ($http_response_header[0] ?? "no answer") . "\\n");
    exit(1);
}}
$record = json_decode($answer, true)["response"]["results"]["records"][0];
$link = $record["thumbnail"]["permalink"]["url"];
file_put_contents("photograph.html", "<!doctype html><title>Photograph</title><img src=\\"$link\\" alt=\\"\\">");
echo $record["title"], "\\n";
"""


def first_photograph(server: str) -> dict[str, str]:
    """By language: a program that finds a photograph and writes `photograph.html` with it."""
    address = server + _SEARCH
    return {
        "curl": _CURL.format(address=quote(address)),
        "Python": _PYTHON.format(address=address),
        "JavaScript": _JAVASCRIPT.format(address=address),
        "PHP": _PHP.format(address=address),
    }


def authorize(server: str, application: Application) -> str:
    back = in_address(application.callback or OUT_OF_BAND, safe="")
    asked = f"response_type=code&client_id={in_address(application.client_id, safe='')}&redirect_uri={back}"
    return f"{server}/api/oauthv2/authorize?{asked}&code_challenge_method=S256&code_challenge=CHALLENGE&state=STATE"


def exchange(server: str, application: Application) -> str:
    secret = ' \\\n  -d client_secret="$CLIENT_SECRET"' if application.switches.profile in _WITH_SECRET else ""
    return (
        f"curl {quote(server + '/api/oauthv2/token')} \\\n"
        '  -d grant_type=authorization_code -d code="$CODE" -d code_verifier="$VERIFIER" \\\n'
        f"  --data-urlencode {quote('redirect_uri=' + (application.callback or OUT_OF_BAND))} \\\n"
        f"  --data-urlencode {quote('client_id=' + application.client_id)}{secret}"
    )


def alone(server: str, application: Application) -> str:
    """For a machine: a token by its secret alone (RFC 6749 section 4.4)."""
    return (
        f"curl {quote(server + '/api/oauthv2/token')} \\\n"
        f'  -u {quote(application.client_id)}:"$CLIENT_SECRET" \\\n'
        '  -d grant_type=client_credentials -d scope="library:read search"'
    )


_WITH_SECRET = ("strict", "compatibility")
