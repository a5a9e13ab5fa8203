"""What administrators of databoxes and collections change: fields, status bits, recipes, collections, terms of use.

Each change asks its right on the very databox or collection, increases the version of the structure (which makes every
process read it again), writes an audit line and emits `StructureChanged`. Work on many records that follows from a
change is a task: a row with its progress, and a job that goes on where it stopped (docs/decisions/0142).
"""
