"""Runs scripts in forks of a process that has torch imported already, which takes seconds.

What a fork runs is what `python SCRIPT` runs: its folder, arguments, environment and streams are
the client's, `sitecustomize` is imported from PYTHONPATH, the script is `__main__`. Nothing but
the import of torch is shared between two scripts.
"""

from __future__ import annotations

import array
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
import types
from typing import Any


def main() -> None:
    """Serve at the socket `argv[1]` until standard input ends; a fork returns from `wait` too."""
    import numpy  # noqa: F401
    import torch._dynamo  # noqa: F401 - which the first optimizer of a process imports

    # What is here already is no garbage of a script, and nothing that it made.
    gc.collect()
    gc.freeze()
    request = wait(sys.argv[1])
    if request is not None:
        become(request)
        run_script(request["argv"][0])


def wait(path: str) -> dict[str, Any] | None:
    """Fork for each client; None in the server itself, once it is to end."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                return None
            client, _ = listener.accept()
            if os.fork() == 0:
                if os.fork() == 0:  # the one between them ends, so that nobody waits for it
                    listener.close()
                    return watched(client)
                os._exit(0)
            client.close()
            os.wait()


def watched(client: socket.socket) -> dict[str, Any]:
    """What the client asks for, in a fork whose end it is told; with the client it ends too."""
    os.setsid()
    _, rights, _, _ = client.recvmsg(1, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    streams = array.array("i", rights[0][2])
    request: dict[str, Any] = json.loads(client.makefile().readline())
    script = os.fork()
    if script == 0:
        client.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        return request
    for stream in (0, 1, 2, *streams):
        os.close(stream)

    def end_with_the_client() -> None:
        client.recv(1)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=end_with_the_client, daemon=True).start()
    _, status = os.waitpid(script, 0)
    client.sendall(str(status).encode())
    os.killpg(0, signal.SIGKILL)
    raise AssertionError("a killed process goes on")


def become(request: dict[str, Any]) -> None:
    """Take on the client's folder, environment and arguments."""
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["argv"]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.modules.pop("sitecustomize", None)
    importlib.invalidate_caches()
    importlib.import_module("sitecustomize")


def run_script(path: str) -> None:
    """Execute a file as `__main__`; what it raises ends this process as it ends any."""
    module = types.ModuleType("__main__")
    module.__file__ = os.path.abspath(path)
    sys.modules["__main__"] = module
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    exec(code, module.__dict__)


main()
