"""Python processes without what a new one imports first, for ten seconds.

What takes the place of ``subprocess`` in a tool that starts Python, with real
processes: they can be killed, and talk to each other.
"""
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from subprocess import PIPE, STDOUT, CompletedProcess

__all__ = ['PIPE', 'STDOUT', 'Popen', 'free_port', 'run']

_REAL = subprocess.Popen, subprocess.run
_TORCHRUN = ['-m', 'torch.distributed.run', '--standalone']


def free_port():
    """One that no other test run has."""
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


class Popen:
    """``python -m MODULE ARGS`` or ``python FILE ARGS`` in a fork.

    Args:
        command (list[str]): The interpreter, a module or a file, and its
            arguments.
        stdout (file): Takes what it prints, errors too.
        env (dict[str, str]): More variables.
    """

    def __init__(self, command, stdout, stderr=STDOUT, start_new_session=True,
                 env=None):
        assert command[0] == sys.executable and stderr == STDOUT
        sys.stdout.flush()
        self.returncode = None
        self.pid = os.fork()
        if not self.pid:
            self._run(command[1:], stdout.fileno(), env or {})

    def _run(self, argv, output, env):
        code = 1
        try:
            os.setsid()
            os.dup2(output, 1)
            os.dup2(output, 2)
            # pytest has its own, and waits for no alarm in here.
            sys.stdout = open(1, 'w', closefd=False, buffering=1)
            sys.stderr = open(2, 'w', closefd=False, buffering=1)
            signal.alarm(0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            os.environ.update(env)
            subprocess.Popen, subprocess.run = _REAL
            start, sys.argv = runpy.run_path, argv
            if argv[0] == '-m':
                start, sys.argv = runpy.run_module, argv[1:]
            try:
                start(sys.argv[0], run_name='__main__')
                code = 0
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else bool(
                    stop.code)
            except BaseException:
                sys.excepthook(*sys.exc_info())
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            # Nothing of pytest's.
            os._exit(code)

    def poll(self):
        """The exit code, or None."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout=200):
        """Wait for the end; gives the exit code."""
        deadline = time.monotonic() + timeout
        while self.poll() is None:
            if time.monotonic() > deadline:
                os.killpg(self.pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired(self.pid, timeout)
            time.sleep(0.01)
        return self.returncode


def run(command, **kwargs):
    """As ``subprocess.run`` with both outputs in one text.

    ``-m torch.distributed.run --standalone --nproc_per_node=N`` becomes N
    processes with the variables that it would set.
    """
    command, count, env = list(map(str, command)), 1, [{}]
    if command[1:4] == _TORCHRUN:
        count = int(command[4].partition('=')[2])
        del command[1:5]
        common = dict(
            MASTER_ADDR='127.0.0.1', MASTER_PORT=str(free_port()),
            WORLD_SIZE=str(count), LOCAL_WORLD_SIZE=str(count))
        env = [dict(common, RANK=str(i), LOCAL_RANK=str(i))
               for i in range(count)]
    with tempfile.TemporaryFile('w+') as output:
        processes = [Popen(command, output, env=env[i]) for i in range(count)]
        codes = [process.wait() for process in processes]
        output.seek(0)
        return CompletedProcess(command, max(map(abs, codes)), output.read())
