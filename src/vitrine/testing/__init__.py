"""Factories and test suites shared by all capabilities; never imported by the product."""
