"""Loaded by every Python service of the lab (PYTHONPATH): shortens one wait, and takes one race out.

From release 17 on oslo.messaging waits for an RPC reply by sleeping half a second between looks; booting a
server makes a dozen such calls.  With this a boot takes 3.5 s in place of 10 s.

After a live migration nova-compute activates a port's binding twice, from two threads.  Where both ask at once,
Neutron's ML2 answers one with 500, and Nova calls a server broken that runs: with two cores, every fourth one.
With this they come one after the other, and the second is told that it is done (409), which Nova takes well.

Nothing else changes.
"""

import importlib.abc
import importlib.util
import sys
import threading
import time
import types
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from typing import Any


def _sleep_less(module: types.ModuleType) -> None:
    clock = types.SimpleNamespace(**vars(module.time))
    clock.sleep = lambda seconds: time.sleep(0.02 if seconds == 0.5 else seconds)
    module.time = clock  # type: ignore[attr-defined]


def _activate_in_turn(module: types.ModuleType) -> None:
    activate, turn = module.Ml2Plugin.activate, threading.Lock()

    def in_turn(self: Any, *args: Any, **more: Any) -> Any:
        with turn:
            return activate(self, *args, **more)

    module.Ml2Plugin.activate = in_turn


CHANGES = {
    "oslo_messaging._drivers.amqpdriver": _sleep_less,
    "neutron.plugins.ml2.plugin": _activate_in_turn,
}


class _Finder(importlib.abc.MetaPathFinder):
    """Finds these modules, each once, and changes them when they are loaded."""

    def __init__(self) -> None:
        self.left = dict(CHANGES)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        change = self.left.pop(fullname, None)
        if change is None:
            return None
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: types.ModuleType) -> None:
            execute(module)
            change(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _Finder())
