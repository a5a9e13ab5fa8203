"""Databoxes, collections and their records: structure, values, files, rights on them, and how they come and go.

Services: `records` reads, `ingest` adds, `changes` edits values, `substitution` replaces files, `removal` deletes and
restores, `structure_administration` and `presentation` set up collections. `overlays`, `quarantine` and `sharing` are
areas of their own. SQL is in the `*store` modules only.
"""
