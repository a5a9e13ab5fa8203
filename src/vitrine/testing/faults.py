"""Faults that tests inject into what runs."""

import ctypes

from vitrine.platform.supervision import SELF, Supervisor


class InjectedFault(BaseException):
    """Ends a thread from outside. No handler of ordinary failures catches it."""


def kill_thread(supervisor: Supervisor, name: str) -> None:
    """Raise InjectedFault in a supervised thread, which must run; one that waits is woken."""
    identifier = supervisor.thread(name)
    assert identifier is not None, f"{name} does not run"
    changed = ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(identifier), ctypes.py_object(InjectedFault))
    assert changed == 1, f"{name} has just ended"
    if name == SELF:
        supervisor._changed.set()
    else:
        supervisor._threads[name].wake()
