"""Stories: records that group other records of their databox in an order (contract 06 section 11).

A story is a row of `records` like any other, with collection, fields, status, UUID and links, but without a document.
`service.Stories` makes and changes them, `covers` keeps the pictures that a story takes from its cover, `views` shows
them to one person.
"""
