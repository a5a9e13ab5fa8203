"""Data for embedded viewers, and oEmbed responses."""

from vitrine.embed.service import Embeds, Target, Viewer

__all__ = ["Embeds", "Target", "Viewer"]
