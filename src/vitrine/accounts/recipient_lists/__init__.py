"""Lists of people to whom somebody sends documents again and again (contract 06 section 16)."""

from vitrine.accounts.recipient_lists.service import RecipientLists

__all__ = ["RecipientLists"]
