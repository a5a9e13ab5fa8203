"""Who may do what, by property: a small reference model, random worlds, and what each route shows of them.

`model.py` is written from the contract alone and imports nothing of the product's rules. `world.py` puts a random state
into a server and into the model, and changes both. Tests ask routes and compare.

To cover a part, add a test of its own: ask each row of its routes, and walk every answer with `records_in`.
"""
