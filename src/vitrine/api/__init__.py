"""The public API: thin adapters over the services, one package a version."""
