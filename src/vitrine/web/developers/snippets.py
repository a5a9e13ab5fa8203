"""First programs for an application, with its own values, that run as pasted (a test runs them).

Plain text: templates escape it. The token comes from the environment, so that no page and no file holds it.
"""

import json
from shlex import quote
from urllib.parse import quote as in_address

from vitrine.applications import OUT_OF_BAND, Application, ApplicationKind

_SEARCH = "/api/v1/search/?query=&record_type=image&per_page=1"
_CURL = """answer=$(curl -sS -f -H "Authorization: Bearer $VITRINE_TOKEN" \\
  {address}) &&
link=$(printf '%s' "$answer" | tr -d '\\\\' |
  grep -o '"url":"[^"]*/permalink/[^"]*"' | head -n 1 | cut -d '"' -f 4) &&
echo "<!doctype html><title>Photograph</title><img src='$link' alt=''>" > photograph.html &&
echo "$link"
"""
_PYTHON = """# python3 photograph.py
import json, os, pathlib, urllib.request

asked = urllib.request.Request(
    "{address}",
    headers={{"Authorization": "Bearer " + os.environ["VITRINE_TOKEN"]}},
)
record = json.load(urllib.request.urlopen(asked))["response"]["results"]["records"][0]
link = record["thumbnail"]["permalink"]["url"]
html = f'<!doctype html><title>Photograph</title><img src="{{link}}" alt="">'
pathlib.Path("photograph.html").write_text(html)
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

PKCE = """VERIFIER=$(openssl rand -hex 32)
CHALLENGE=$(printf %s "$VERIFIER" | openssl dgst -sha256 -binary | openssl base64 | tr '+/' '-_' | tr -d '=')
STATE=$(openssl rand -hex 16)
echo "CHALLENGE $CHALLENGE STATE $STATE"
"""
_PAGE = """<!doctype html>
<meta charset="utf-8"><title>Photograph</title>
<button id="enter">Sign in</button> <p id="said"></p>
<script type="module">
const library = %LIBRARY%;
const client = %CLIENT%;
const back = %BACK%; // this page

const say = (text) => { document.getElementById("said").textContent = text; };
const base64url = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

document.getElementById("enter").onclick = async () => {
  const verifier = random(), state = random();
  sessionStorage.setItem("sign-in", JSON.stringify({ verifier, state }));
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  location.assign(library + "/api/oauthv2/authorize?" + new URLSearchParams({
    response_type: "code", client_id: client, redirect_uri: back, state,
    code_challenge_method: "S256", code_challenge: base64url(challenge),
  }));
};

async function signedIn(code, verifier) {
  const answer = await fetch(library + "/api/oauthv2/token", { method: "POST", body: new URLSearchParams({
    grant_type: "authorization_code", client_id: client, redirect_uri: back, code, code_verifier: verifier,
  }) });
  const token = await answer.json();
  if (!answer.ok) throw new Error(`${token.error}: ${token.error_description ?? ""}`);
  return token.access_token;
}

async function photograph(token) {
  const answer = await fetch(library + "/api/v1/search/?query=&record_type=image&per_page=1", {
    headers: { Authorization: `Bearer ${token}` },
  });
  if (!answer.ok) throw new Error(`${answer.status}: was search allowed?`);
  const [record] = (await answer.json()).response.results.records;
  if (!record) throw new Error("This person can see no photograph.");
  return record;
}

async function returned(came) {
  const kept = JSON.parse(sessionStorage.getItem("sign-in") ?? "{}");
  sessionStorage.removeItem("sign-in");
  history.replaceState(null, "", location.pathname);
  if (came.has("error")) throw new Error(`${came.get("error")}: ${came.get("error_description") ?? ""}`);
  if (!kept.state || came.get("state") !== kept.state) throw new Error("This sign-in did not begin here.");
  const record = await photograph(await signedIn(came.get("code"), kept.verifier));
  const picture = new Image();
  picture.src = record.thumbnail.permalink.url;
  picture.alt = record.title;
  document.body.append(picture);
  say(record.title);
}

const came = new URLSearchParams(location.search);
if (came.has("code") || came.has("error")) returned(came).catch((fault) => say(fault.message));
</script>
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
    query = f"response_type=code&client_id={in_address(application.client_id, safe='')}&redirect_uri={back}"
    return f"{server}/api/oauthv2/authorize?{query}&code_challenge_method=S256&code_challenge=CHALLENGE&state=STATE"


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


def whole_page(server: str, application: Application, kind: ApplicationKind) -> str:
    """A page that signs a person in by PKCE and shows a photograph; "" for kinds that are no page on the web."""
    back = application.callback or ""
    if kind is not ApplicationKind.PAGE or not back.startswith(("http://", "https://")):
        return ""
    values = {"LIBRARY": server, "CLIENT": application.client_id, "BACK": back}
    text = _PAGE
    for name, value in values.items():
        text = text.replace(f"%{name}%", json.dumps(value).replace("<", "\\u003c"))
    return text
