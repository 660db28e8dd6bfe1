"""Loading the provider's module: what is wrong with it is a problem of the settings, with file and line."""

import functools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from claims.errors import SettingsError
from claims.event import TokenIssuanceStart
from claims.provider import Provider, ProviderContext
from claims.provider_module import load_provider
from claims.providers.sample import SampleProvider

WRAPPED = "def logged(f):\n    def g(*a): return f(*a)\n    g.__wrapped__ = f\n    return g\nclass P:\n    @logged\n"


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Return what writes the module ``mine``, or another file beside it."""
    monkeypatch.setattr("claims.providers.__path__", [str(tmp_path)])

    def write(code: str, file: str = "mine.py") -> None:
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(code)
        for name in [name for name in sys.modules if name.startswith("claims.providers.")]:
            monkeypatch.delitem(sys.modules, name)

    return write


def _problems(name: str = "mine", environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        load_provider(name, environ or {})
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return refused.value.problems


def test_a_module_that_is_not_there() -> None:
    """A name without a module is reported as the setting that it came from."""
    assert _problems("nobody") == ("Claims__Provider names 'nobody', and there is no claims/providers/nobody.py",)


def test_a_name_that_is_no_module_s() -> None:
    """Nothing outside claims/providers/ is imported."""
    for name in ("../x", "os.path", "", "Mine"):
        assert _problems(name) == (f"Claims__Provider must be the name of a module in claims/providers/, got '{name}'",)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("x = 1\n", "and claims/providers/mine.py has no create(environ)"),
        ("create = 1\n", "and claims/providers/mine.py has no create(environ)"),
        ("create = dict\n", "and what it creates has no provide(event, context)"),
        ("class P:\n    provide = 5\ndef create(environ): return P()\n", "and what it creates has no provide"),
        ("\nimport not_installed\n", "which imports 'not_installed', and there is no such module (mine.py:2)"),
        ("x = 1\ndef create(environ)\n    pass\n", "which is not valid Python: expected ':' (mine.py:2)"),
        ("raise SyntaxError('hush')\n", "which raised SyntaxError (mine.py:1)"),
        ("raise ModuleNotFoundError('hush')\n", "which raised ModuleNotFoundError (mine.py:1)"),
        ("\n\nraise SystemExit('hush')\n", "which raised SystemExit (mine.py:3)"),
        ("def create(environ):\n    raise SystemExit\n", "which raised SystemExit (mine.py:2)"),
        ("def create(environ):\n    raise ValueError('hush')\n", "which raised ValueError (mine.py:2)"),
        ("import json\ndef create(environ):\n    json.loads('hush')\n", "which raised JSONDecodeError (mine.py:3)"),
        ("def create(): pass\n", "which raised TypeError (claims/providers/mine.py)"),
        ("def create(environ):\n    environ['hush']\n", "which raised KeyError (mine.py:2)"),
        (
            "class P:\n    def provide(self, event, context): return {}\ncreate = lambda environ: P()\n",
            "and its provide is not 'async def' (mine.py:2)",
        ),
        (
            "class P:\n\n    async def provide(self, event, context): yield 1\ncreate = lambda environ: P()\n",
            "and its provide is not 'async def' (mine.py:3)",
        ),
        (
            WRAPPED + "    def provide(self, event, context): return {}\ncreate = lambda environ: P()\n",
            "and its provide is not 'async def' (mine.py:6)",
        ),
    ],
)
def test_a_mistake_in_the_module(write: Callable[..., None], code: str, problem: str) -> None:
    """Each is one problem that names file and line, and no message of an exception, which may hold a secret."""
    write(code)
    (found,) = _problems()
    assert found.startswith(f"Claims__Provider names 'mine', {problem}")
    assert "hush" not in found


def test_a_setting_that_is_missing(write: Callable[..., None]) -> None:
    """A plain subscript of the environment is reported as a required setting is."""
    write("def create(environ):\n    return environ['Claims__Mine__Url']\n")
    assert _problems() == ("Claims__Mine__Url is required and is not set (mine.py:2)",)
    write("def create(environ):\n    return {}[environ['Claims__Mine__Url']]\n")
    assert _problems(environ={"Claims__Mine__Url": "Claims__Mine__Url"}) == (
        "Claims__Provider names 'mine', which raised KeyError (mine.py:2)",
    )


def test_a_provider_that_is_a_package(write: Callable[..., None]) -> None:
    """The place is in the package's own file."""
    write("from . import database\n", "mine/__init__.py")
    write("\n1 / 0\n", "mine/database.py")
    assert _problems() == ("Claims__Provider names 'mine', which raised ZeroDivisionError (database.py:2)",)


def test_the_provider_s_own_problems_stay_as_they_are(write: Callable[..., None]) -> None:
    """The reader's error is the provider's word on its settings."""
    write(
        "from claims.settings.reader import SettingsReader\ndef create(environ):\n"
        "    settings = SettingsReader(environ, ('Claims__Mine__Url',))\n"
        "    settings.url('Claims__Mine__Url')\n    settings.require_good()\n"
    )
    with pytest.raises(SettingsError, match="Claims__Mine__Url is required and is not set"):
        load_provider("mine", {})


class Awaitable:
    """A callable object whose call can be awaited."""

    async def __call__(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        del event, context
        return {}


async def _of(prefix: str, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
    del event, context
    return {prefix: "x"}


class Decorated:
    """A provider behind a decorator that is itself no coroutine function."""

    @staticmethod
    def logged(method: Any) -> Any:
        """Wrap a method as a decorator of tracing does."""

        @functools.wraps(method)
        def logging(*arguments: Any) -> Any:
            return method(*arguments)

        return logging

    @logged
    async def provide(self, event: TokenIssuanceStart, context: ProviderContext) -> Mapping[str, object]:
        """Return nothing."""
        del event, context
        return {}


class Duck:
    """A provider whose ``provide`` is an attribute."""

    def __init__(self, provide: object) -> None:
        self.provide = provide


@pytest.mark.parametrize(
    "provider",
    [SampleProvider(), Duck(Awaitable()), Duck(functools.partial(_of, "a")), Decorated()],
    ids=lambda provider: type(provider).__name__,
)
def test_what_can_be_awaited_is_accepted(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    """Coroutine functions, decorated ones, and objects that only a call can judge."""
    module = ModuleType("duck")
    vars(module)["create"] = lambda _environ: provider
    monkeypatch.setitem(sys.modules, "claims.providers.duck", module)
    assert load_provider("duck", {}) is provider
