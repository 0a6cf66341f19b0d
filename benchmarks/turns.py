"""Several ways to do the same, each in a process of its own, taking turns.

So nobody's idle threads or memory settings touch another, and all meet the same machine.
"""

import json
import subprocess
import sys
import time

PAUSE = 0.1  # seconds between two turns: a process's idle threads go on turning for a while


def take_turns(commands, turns):
    """Yield (way, answer) for each turn of each way.

    `commands` are {way: arguments of Python}: programs that answer every line on their standard
    input with a line of JSON.
    """
    servers = {
        way: subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for way, arguments in commands.items()
    }
    for _ in range(turns):
        for way, server in servers.items():
            server.stdin.write("turn\n")
            server.stdin.flush()
            yield way, json.loads(server.stdout.readline())
            time.sleep(PAUSE)
    for server in servers.values():
        server.communicate()
