#!/bin/sh
# Installs what `make bench` measures us against, into the folder given: django-oauth-toolkit, node-oidc-provider (in
# memory and on SQLite) and Directus (some minutes). Their versions are those of the figures in docs/guides/operators.md.
# Then: BENCH_PEERS=folder make bench
set -eu
mkdir -p "$1/directus" "$1/oidc"
[ -x "$1/django/bin/gunicorn" ] || python3 -m venv "$1/django"
"$1/django/bin/pip" install --quiet Django==5.2.19 django-oauth-toolkit==3.4.1 gunicorn==27.0.1
cd "$1/oidc"
[ -d node_modules/oidc-provider ] || npm install oidc-provider@9.13.3 --no-audit --no-fund
# It has to be compiled where npm has no binary of it; without it the peer that persists is left out.
[ -d node_modules/better-sqlite3 ] || npm install better-sqlite3@12 --no-audit --no-fund ||
    echo "better-sqlite3 could not be installed: node-oidc-provider is measured in memory only." >&2
cd "$1/directus"
[ -d node_modules/directus ] || npm install directus@11.3.5 --no-audit --no-fund
