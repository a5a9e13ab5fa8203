"""Registration: people ask for access to collections, and those who manage the users there decide (contract 06 section
18)."""
