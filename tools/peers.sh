#!/bin/sh
# Install what `make bench` compares us with into the given folder: django-oauth-toolkit, node-oidc-provider and
# Directus (some minutes). The versions are those of the figures in docs/guides/operators.md.
# Then: BENCH_PEERS=folder make bench
set -eu
mkdir -p "$1/directus" "$1/oidc"
[ -x "$1/django/bin/gunicorn" ] || python3 -m venv "$1/django"
"$1/django/bin/pip" install --quiet Django==5.2.19 django-oauth-toolkit==3.4.1 gunicorn==27.0.1
cd "$1/oidc"
[ -d node_modules/oidc-provider ] || npm install oidc-provider@9.13.3 --no-audit --no-fund
cd "$1/directus"
[ -d node_modules/directus ] || npm install directus@11.3.5 --no-audit --no-fund
