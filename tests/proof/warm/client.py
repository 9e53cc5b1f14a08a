"""Stands before a script in place of `python`: hands everything to the server, and ends as it did.

Started with `-I -S`, so that it costs next to nothing; see server.py.
"""

import array
import json
import os
import signal
import socket
import sys


def main() -> None:
    """Have the script in `argv[2:]` run by the server that listens at `argv[1]`."""
    request = {"argv": sys.argv[2:], "cwd": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(sys.argv[1])
        streams = array.array("i", [0, 1, 2])
        server.sendmsg([b"\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        server.sendall(json.dumps(request).encode() + b"\n")
        status = int(server.makefile().read())
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


main()
