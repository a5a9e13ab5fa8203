"""What a viewer needs to know of a document, and oEmbed answers."""

from vitrine.embed.service import Embeds, Target, Viewer

__all__ = ["Embeds", "Target", "Viewer"]
