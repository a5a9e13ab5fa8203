"""Files that wait for a decision because a check failed (contract 06 section 15).

`checks` holds the checks and the policies that switch them on; ingest runs them. `service` lists the waiting files and
carries out what people decide.
"""
