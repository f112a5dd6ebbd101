"""What gunicorn is told for the floor: all that the service's is, but the loop beside requests."""

from app import serving

UPKEEP = ("post_worker_init", "worker_exit")
"""Hooks of the service's own loop, which expires leases."""
locals().update({name: value for name, value in serving.options().items() if name not in UPKEEP})
