#!/bin/sh
# Installs what `make bench` measures us against, into the folder given: django-oauth-toolkit and Directus (some minutes).
# Then: BENCH_PEERS=folder make bench
set -eu
mkdir -p "$1/directus"
[ -x "$1/django/bin/gunicorn" ] || python3 -m venv "$1/django"
"$1/django/bin/pip" install --quiet Django==5.2.19 django-oauth-toolkit==3.4.1 gunicorn==27.0.1
cd "$1/directus"
[ -d node_modules/directus ] || npm install directus --no-audit --no-fund
