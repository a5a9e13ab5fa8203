#!/bin/sh
# The benchmarks load the server with wrk. Install it if possible, otherwise print the command.
set -eu
command -v wrk >/dev/null 2>&1 && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "The benchmarks need wrk. Run: sudo apt-get install wrk" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq wrk >/dev/null
