"""Alembic's entry point. It uses the connection that `platform.migrate` passes, never one of its own."""

from alembic import context

from vitrine.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=False)
context.run_migrations()
