"""Instances of many records: made fast, measured, and compared in size. See README.md in this folder."""
