"""Demonstration data: a service provider's week, as long as wanted, the same for the same seed.

`names` holds the words, `world` the tenants, agents, policies and machines, `week` what happens.
Everything is made in the API's own shape and goes the way of an import.
"""
