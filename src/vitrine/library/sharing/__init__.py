"""Documents shared outside the library (contract 04 sections 1 to 4).

`permalinks` never expire and are switched on and off, `signed_addresses` open one file for a while, `downloads` puts
several files into one archive.
"""
