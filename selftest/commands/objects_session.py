"""``python -m selftest.commands.objects_session keep|end ACTION …``: runs of ``objects`` that share one sign-in.

azd runs each hook in its own process, and tokens stay in memory. So one process does the work of all hooks that need
Microsoft Graph: the first one (``keep``) starts it, and a later one (``end``) has it do its work and end. Each hook
prints what that process prints. Without it, for example when azd is run again later, ``end`` signs in itself. Only a
person's sign-in is shared: another one needs no sharing.

Until the process ends, a file that only this user can read has its port and a key to it, and no token. It ends after
``end``, after a failure, and after half an hour.
"""

import argparse
import contextlib
import hashlib
import io
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from pathlib import Path
from typing import Any, Final, override

from selftest.base.cannot_run import COULD_NOT_RUN
from selftest.commands import objects
from selftest.tenant.graph.credentials import BROWSER, INTERACTIVE
from selftest.tenant.objects.connection import CREDENTIAL
from selftest.tenant.objects.intent import ENVIRONMENT

KEEP: Final = "keep"
END: Final = "end"
_SERVE: Final = "serve"
_HOST: Final = "127.0.0.1"
#: Provisioning and deployment lie between the hooks, and take minutes.
_IDLE_S: Final = 1800.0
#: On Windows: without azd's console.
_DETACHED: Final = getattr(subprocess, "DETACHED_PROCESS", 0)
_LOST: Final = "objects: the process that is signed in has ended; run the same command of azd again"


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command of ``objects``, and return its exit code."""
    how, *words = sys.argv[1:] if arguments is None else arguments
    if how == _SERVE:
        return _serve(sys.stdin.readline().strip())
    given = dict(os.environ if environ is None else environ)
    if (given.get(CREDENTIAL) or BROWSER) not in INTERACTIVE:
        return _run(words, given)
    file = _file(given)
    connection = _connect(file)
    if connection is None and how == KEEP:
        _start(file)
        connection = _connect(file)
    if connection is None:
        return _run(words, given)
    with connection:
        code = _ask(connection, {"words": words, "environ": given, "end": how == END})
    if how == END or code:
        file.unlink(missing_ok=True)
    return code


def _run(words: Sequence[str], environ: Mapping[str, str]) -> int:
    parser = argparse.ArgumentParser(prog="objects")
    objects.configure(parser)
    return objects.run(parser.parse_args(words), environ)


def _file(environ: Mapping[str, str]) -> Path:
    """Return where the port is; each environment of each checkout has its own process."""
    whose = hashlib.sha256(f"{Path.cwd()}\n{environ.get(ENVIRONMENT)}".encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"entra-selftest-{whose}.json"


def _connect(file: Path) -> Any:
    """Return a connection to the process, or None without one; each side proves to the other that it has the key."""
    try:
        with file.open(encoding="utf-8") as opened:
            if hasattr(os, "getuid") and os.fstat(opened.fileno()).st_uid != os.getuid():
                return None
            known = json.load(opened)
        return Client((_HOST, int(known["port"])), authkey=bytes.fromhex(known["key"]))
    except (OSError, EOFError, AuthenticationError, ValueError, KeyError, TypeError):
        return None


def _start(file: Path) -> None:
    """Start the process, which outlives this one."""
    key = secrets.token_hex(32)
    process = subprocess.Popen(  # noqa: S603 (this module)
        [sys.executable, "-m", "selftest.commands.objects_session", _SERVE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        creationflags=_DETACHED,
        text=True,
    )
    if process.stdin is None or process.stdout is None:
        return
    with process.stdin, process.stdout, contextlib.suppress(OSError):
        print(key, file=process.stdin, flush=True)
        known = {"port": process.stdout.readline().strip(), "key": key}
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as opened:
            json.dump(known, opened)
    process.returncode = 0  # nobody waits for it


def _ask(connection: Any, request: Mapping[str, Any]) -> int:
    """Have the process do it; print what it prints."""
    streams = {"out": sys.stdout, "err": sys.stderr}
    try:
        connection.send_bytes(json.dumps(request).encode())
        while True:
            kind, value = json.loads(connection.recv_bytes())
            if kind == "code":
                return int(value)
            print(value, end="", file=streams[kind], flush=True)
    except (OSError, EOFError):
        print(_LOST, file=sys.stderr)
        return COULD_NOT_RUN


class _Sent(io.TextIOBase):
    """A stream whose text is sent to the hook."""

    def __init__(self, connection: Any, kind: str) -> None:
        self._connection, self._kind = connection, kind

    @override
    def write(self, text: str) -> int:
        self._connection.send_bytes(json.dumps([self._kind, text]).encode())
        return len(text)


def _serve(key: str) -> int:
    """Do what the hooks ask for, one after the other, until one of them is the last, fails or goes away."""
    authkey = bytes.fromhex(key)
    # Not a socket of the file system: the path of a long folder for temporary files does not fit into its address.
    with Listener((_HOST, 0), authkey=authkey) as listener:
        print(listener.address[1], flush=True)
        while True:
            idle = threading.Timer(_IDLE_S, _stop, (listener.address, authkey))
            idle.daemon = True
            idle.start()
            with contextlib.suppress(OSError, EOFError, AuthenticationError), listener.accept() as connection:
                idle.cancel()
                if not _served(connection):
                    return 0
            idle.cancel()


def _stop(address: Any, authkey: bytes) -> None:
    with contextlib.suppress(OSError, EOFError), Client(address, authkey=authkey) as connection:
        connection.send_bytes(b"{}")


def _served(connection: Any) -> bool:
    """Run what one hook asks for; return whether another hook may come."""
    request = json.loads(connection.recv_bytes())
    if "words" not in request:
        return False
    try:
        out, err = _Sent(connection, "out"), _Sent(connection, "err")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = _run(request["words"], request["environ"])
        connection.send_bytes(json.dumps(["code", code]).encode())
    except OSError:  # the hook was interrupted
        return False
    return not (code or request["end"])


if __name__ == "__main__":
    sys.exit(main())
