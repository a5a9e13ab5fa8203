#!/bin/sh
# The browser tests drive Debian's Chromium. Install it if possible, otherwise print the command.
set -eu
command -v chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The browser tests need Chromium. Run: sudo apt-get install chromium" >&2
    exit 1
fi
echo "Installing Chromium ..."
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
