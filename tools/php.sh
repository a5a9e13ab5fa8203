#!/bin/sh
# The portal's PHP snippet is run as pasted; install Debian's PHP where we may, else say how.
set -eu
command -v php >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The tests of the portal's snippets need PHP. Type: sudo apt-get install php-cli" >&2
    exit 1
fi
echo "Installing PHP ..."
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends php-cli >/dev/null
