"""What can be seen of a running service from outside: its log lines and its metrics.

Everything here listens to `app.signals`; the acts know nothing of it.
"""
