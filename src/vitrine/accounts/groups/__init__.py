"""Groups of people with rights that their members have too, and templates of rights (contract 06 section 16)."""
