"""The endpoints that are not ours: how each is started, and what this machine has to have for it."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.checkout import ROOT

FOLDER: Final = Path(__file__).parent
ENDPOINTS: Final = FOLDER / "endpoints"
BENCH_PYTHON: Final = ROOT / ".venv-bench" / "bin" / "python"
#: Where the endpoint in C# is: the folder with the program ``aspnet``.
ASPNET: Final = os.environ.get("FOREIGN_ASPNET")

#: What each endpoint can be made to do wrong, by the environment variable MISTAKE.
MISTAKES: Final = (
    "no-validation",
    "signature-only",
    "no-caller-check",
    "any-tenant",
    "expired-accepted",
    "slow",
    "wrong-reply",
    "body-before-token",
    "token-in-log",
)
CORRECT: Final = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One endpoint.

    Attributes:
        id: Its name in the tests.
        title: Its name in the table of the documentation.
        command: What starts it.
        needs: What its command needs, with how to get it.
        present: Whether that is here.
        mistakes: Which it can make.
        correct: The names of its correct versions.
        modes: The environment of a version, where that is not MISTAKE alone; ``{AUTHORITY}`` is replaced.
        by_default: Its versions that are run when FOREIGN is not set.
        https: Whether its authority must be https.
    """

    id: str
    title: str
    command: tuple[str, ...]
    needs: str
    present: bool
    mistakes: tuple[str, ...] = MISTAKES
    correct: tuple[str, ...] = (CORRECT,)
    modes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_default: tuple[str, ...] = ()
    https: bool = False

    def why_not(self, version: str) -> str | None:
        """Return why a version is not run now; None where it is."""
        if version not in self.by_default and os.environ.get("FOREIGN") != "all":
            return "FOREIGN=all runs it (make nightly)"
        return None if self.present else self.needs

    def environment(self, version: str, settings: Mapping[str, str]) -> dict[str, str]:
        """Return what makes it one of its correct versions, or makes it make a mistake."""
        mode = self.modes.get(version, {})
        return {"MISTAKE": version, **{name: value.format_map(settings) for name, value in mode.items()}}


def _node(name: str, title: str, *, by_default: tuple[str, ...] = ()) -> Program:
    return Program(
        id=name,
        title=title,
        command=("node", str(ENDPOINTS / f"{name}.mjs")),
        needs="Node and its packages: npm ci --prefix tests/foreign",
        present=shutil.which("node") is not None and (FOLDER / "node_modules").is_dir(),
        by_default=by_default,
    )


def _python(name: str, title: str, *, bench: bool = False, by_default: tuple[str, ...] = ()) -> Program:
    return Program(
        id=name,
        title=title,
        command=(str(BENCH_PYTHON) if bench else sys.executable, str(ENDPOINTS / f"{name}.py")),
        needs="the environment of the benchmarks: make .venv-bench",
        present=not bench or BENCH_PYTHON.exists(),
        by_default=by_default,
    )


def _aspnet(
    name: str,
    title: str,
    *,
    correct: tuple[str, ...],
    mistakes: tuple[str, ...],
    modes: Mapping[str, Mapping[str, str]],
    https: bool = False,
) -> Program:
    return Program(
        id=name,
        title=title,
        command=(f"{ASPNET}/aspnet",),
        needs="FOREIGN_ASPNET names the folder of the program aspnet",
        present=ASPNET is not None and Path(ASPNET, "aspnet").is_file(),
        correct=correct,
        mistakes=mistakes,
        modes=modes,
        https=https,
    )


PROGRAMS: Final = (
    _node("node_jose", "Node, jose"),
    _node("node_express", "Node, express-jwt and jwks-rsa", by_default=(CORRECT,)),
    _node("node_functions", "Node, @azure/functions and jose"),
    _python("fastapi_pyjwt", "FastAPI, PyJWT", bench=True),
    _python("fastapi_with_azure_auth", "FastAPI, fastapi-azure-auth", bench=True, by_default=(CORRECT,)),
    _python("flask_authlib", "Flask, Authlib", bench=True),
    _python("aiohttp_joserfc", "aiohttp, joserfc", by_default=(CORRECT, *MISTAKES)),
    Program(
        id="java",
        title="Java, HttpServer of the JDK",
        command=("java", str(ENDPOINTS / "Endpoint.java")),
        needs="a JDK of version 17 or newer",
        present=shutil.which("javac") is not None,
    ),
    _aspnet(
        "aspnet",
        "C#, ASP.NET and JwtBearer",
        mistakes=("no-validation", "no-caller-check"),
        correct=("strict", "hardened", "plain"),
        modes={
            "strict": {"MODE": "strict"},
            "hardened": {"MODE": "hardened"},
            "plain": {
                "MODE": "plain",
                "Authentication__Schemes__Bearer__Authority": "{AUTHORITY}/v2.0",
                "Authentication__Schemes__Bearer__ValidAudiences__0": "{AUDIENCE}",
                "Authentication__Schemes__Bearer__RequireHttpsMetadata": "false",
            },
            "no-validation": {"MODE": "open"},
            "no-caller-check": {"MODE": "nocaller"},
        },
    ),
    _aspnet(
        "identity_web",
        "C#, ASP.NET and Microsoft.Identity.Web",
        correct=(CORRECT,),
        mistakes=(),
        modes={CORRECT: {"MODE": "identityweb"}},
        https=True,
    ),
)


def versions() -> list[tuple[Program, str]]:
    """Return every endpoint in each of its versions, the correct ones first."""
    return [(program, version) for program in PROGRAMS for version in (*program.correct, *program.mistakes)]
