#!/bin/sh
# The test of deploy/nginx.conf runs nginx from Debian. Install it (not started) if possible, otherwise print the command.
set -eu
PATH="$PATH:/usr/sbin"
command -v nginx >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The tests need nginx. Run: sudo apt-get install nginx" >&2
    exit 1
fi
echo "Installing nginx ..."
apt-get update -qq
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx >/dev/null
