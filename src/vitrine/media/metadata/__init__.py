"""Metadata embedded in files: `read` finds it in every container, `write` puts it into copies."""
