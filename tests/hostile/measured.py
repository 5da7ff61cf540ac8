"""Runs commands for the hostile tests and measures them: a line of JSON in, a line of JSON out.

A process of its own, and a small one: the peak memory that the system tells of a child begins with that of its parent.
"""
import json
import os
import resource
import sys


def run(words, folder, stdin, stdout, stderr, environment, address_space):
    child = os.fork()
    if child == 0:
        try:
            os.chdir(folder)
            for number, (path, flags) in enumerate([(stdin, os.O_RDONLY), (stdout, os.O_WRONLY), (stderr, os.O_WRONLY)]):
                os.dup2(os.open(path, flags), number)
            if address_space:
                resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.execve(words[0], words, environment)
        finally:
            os._exit(127)
    _, status, usage = os.wait4(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "peak": usage.ru_maxrss * 1024,
            "seconds": usage.ru_utime + usage.ru_stime}


for line in sys.stdin:
    print(json.dumps(run(**json.loads(line))), flush=True)
