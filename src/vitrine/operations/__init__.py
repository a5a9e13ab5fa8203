"""Operations on a whole instance: backup, restore, doctor, security report, imports.

Commands and administration pages call them. They print nothing: progress goes to a `Progress`, results are values, and
refusals are `DomainError`s. What needs the composed product is handed in.
"""
