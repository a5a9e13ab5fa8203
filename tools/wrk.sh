#!/bin/sh
# The benchmarks load the server with wrk; install it where we may, else say how.
set -eu
command -v wrk >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The benchmarks need wrk. Type: sudo apt-get install wrk" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk >/dev/null
