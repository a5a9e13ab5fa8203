"""Fetch the test corpus and exiftool from Debian packages into var/corpus."""

import sys

from vitrine.testing import corpus


def main() -> int:
    if all(file.path.exists() for file in corpus.manifest_files()) and (corpus.FOLDER / corpus.ORACLE).exists():
        return 0
    print("Fetching the corpus of the tests (about 150 MB, once) ...")
    try:
        print(f"{corpus.fetch()} files of the corpus are in place.")
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
