"""Factories and suites for the tests of every capability; never imported by the product."""
