"""Over HTTP: a page against the floor, and how many pages a second by threads and processes."""

import time
from statistics import median
from threading import Thread
from typing import Any

from benches import pages, servers
from benches.floor import PAGE
from benches.scale.place import Place

ROUNDS = 5
CLIENTS, SECONDS, WARM = 8, 2.5, 50
"""Connections, each of which asks again as soon as it has its answer; for how long."""
THREADS = [(1, threads) for threads in (2, 4, 8, 16)]
PROCESSES = [(workers, 4) for workers in (1, 2, 4)]


def page(place: Place) -> dict[str, Any]:
    """Milliseconds of processor time of the worker for a page of 100, and of the floor's."""
    rounds = pages.measured(place.url, place.room, ROUNDS)
    return {
        "service": round(median(ours for ours, _ in rounds), 3),
        "floor": round(median(theirs for _, theirs in rounds), 3),
        "ratio": round(median(ours / theirs for ours, theirs in rounds), 3),
    }


def rate(server: servers.Server) -> float:
    """Pages a second that all clients together are given."""
    counted, until = [0] * CLIENTS, time.monotonic() + SECONDS

    def ask(number: int) -> None:
        with server.line() as sent:
            while time.monotonic() < until:
                sent.get(PAGE)
                counted[number] += 1

    clients = [Thread(target=ask, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return sum(counted) / SECONDS


def throughput(place: Place) -> dict[str, Any]:
    """Pages of 100 a second; the clients share the cores with the service."""
    rows = []
    for workers, threads in dict.fromkeys((*THREADS, *PROCESSES)):
        more = {"TASKS_THREADS": str(threads)}
        with servers.serving(servers.OURS, place.url, place.room, workers, more) as server:
            servers.admit(server, place.url)
            server.ask(PAGE, WARM)
            rows.append({"workers": workers, "threads": threads, "rate": round(rate(server), 1)})
    return {"clients": CLIENTS, "rates": rows}
