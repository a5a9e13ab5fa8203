"""Two people at once on the same records, baskets, stories and feeds, in real threads against one server.

`world.py` has what is shared and says what must hold of it, `operations.py` what people do. A test draws pairs.
"""
