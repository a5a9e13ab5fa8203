#!/bin/sh
# The npm packages of the pages (the PDF viewer) are fetched at set-up, checked against package-lock.json, and served
# by us from static/vendor/, which git ignores. Pages work without them: a PDF is then a picture and a link.
set -eu
bin=$1
from=node_modules/pdfjs-dist
to=src/vitrine/web/static/vendor/pdfjs

without() {
    echo "The PDF viewer was not installed ($1): PDFs are shown as a picture and a link. To retry: make vendor"
    exit 0
}

PATH="$PATH:$(pwd)/$bin"
if ! command -v npm >/dev/null 2>&1; then
    "$bin/pip" install --quiet --disable-pip-version-check --require-hashes -r requirements/npm.txt ||
        without "npm is missing and could not be fetched"
fi
if [ ! -d "$from" ] || [ package-lock.json -nt "$from" ]; then
    npm ci --silent --ignore-scripts --omit=dev --omit=optional || without "npm could not fetch it"
fi
rm -rf "$to.new"
mkdir -p "$to.new/build"
cp "$from/LICENSE" "$to.new/"
cp "$from/build/pdf.min.mjs" "$from/build/pdf.worker.min.mjs" "$to.new/build/"
cp -R "$from/cmaps" "$from/standard_fonts" "$from/wasm" "$from/iccs" "$to.new/"
rm -rf "$to"
mv "$to.new" "$to"
