"""The demonstration instance: real media, people, applications."""

from vitrine.cli.demo.filling import fill

__all__ = ["fill"]
