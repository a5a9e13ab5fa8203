#!/bin/sh
# The portal's PHP snippet is run as pasted, with Debian's PHP. Install it if possible, otherwise print the command.
set -eu
command -v php >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The tests of the portal's snippets need PHP. Run: sudo apt-get install php-cli" >&2
    exit 1
fi
echo "Installing PHP ..."
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends php-cli >/dev/null
