"""Terms of use of a databox: texts by language in versions, and who accepted which of them when (06 section 18)."""
