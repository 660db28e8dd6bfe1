"""The provider's module: imported and asked for its provider, or refused with file and line.

A mistake in it is reported as a problem of the settings, because ``Claims__Provider`` names it. Of an exception only
the type is shown: its message may contain a secret, and so might a chained traceback.
"""

import importlib
import inspect
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from types import ModuleType

from claims.errors import SettingsError, own_path
from claims.provider import Provider
from claims.settings.reader import SettingsReader
from claims.settings.settings import PROVIDER, SETTINGS, Settings, provider_name_problem


def configure(environ: Mapping[str, str]) -> tuple[Settings, Provider]:
    """Read the endpoint's settings and create the provider; the problems of both are one error.

    Raises:
        SettingsError: A setting is at fault; the message names all of them.
    """
    reader = SettingsReader(environ, SETTINGS)
    settings = Settings.read(reader)
    try:
        provider = load_provider(settings.provider, environ)
    except SettingsError as error:
        raise SettingsError((*reader.problems, *error.problems)) from None
    reader.require_good()
    return settings, provider


def load_provider(name: str, environ: Mapping[str, str]) -> Provider:
    """Import the named provider and create it.

    Raises:
        SettingsError: The module is missing or cannot be imported, it has no ``create`` or creates no provider, or the
            provider's own settings are invalid.
    """
    if problem := provider_name_problem(name):
        raise SettingsError((problem,))
    qualified = f"claims.providers.{name}"
    try:
        return _create(importlib.import_module(qualified), name, environ)
    except SettingsError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever it is, the start must say where)
        fault = _fault(error, name, environ)
    raise SettingsError((fault,))


def _create(module: ModuleType, name: str, environ: Mapping[str, str]) -> Provider:
    create = getattr(module, "create", None)
    if not callable(create):
        raise _refused(name, f"claims/providers/{name}.py has no create(environ)")
    provider = create(environ)
    if not isinstance(provider, Provider) or not callable(provider.provide):
        raise _refused(name, "what it creates has no provide(event, context)")
    provide = inspect.unwrap(provider.provide)
    written_as_function = inspect.isfunction(provide) or inspect.ismethod(provide)
    if written_as_function and not inspect.iscoroutinefunction(provide):
        code = provide.__code__
        place = f"{own_path(code.co_filename) or PurePath(code.co_filename).name}:{code.co_firstlineno}"
        raise _refused(name, f"its provide is not 'async def' ({place})")
    return provider


def _fault(error: BaseException, name: str, environ: Mapping[str, str]) -> str:
    """Return the sentence for an exception that left the module."""
    place = _where(error, name)
    match error:
        case ModuleNotFoundError(name=missing) if missing == f"claims.providers.{name}":
            return f"{PROVIDER} names '{name}', and there is no claims/providers/{name}.py"
        case ModuleNotFoundError(name=str(missing)):
            return f"{PROVIDER} names '{name}', which imports '{missing}', and there is no such module ({place})"
        case SyntaxError(filename=str(file), lineno=int(line), msg=message):
            place = f"{own_path(file) or PurePath(file).name}:{line}"
            return f"{PROVIDER} names '{name}', which is not valid Python: {message} ({place})"
        case KeyError(args=(str(key),)) if (
            key.startswith(("Claims__", "AuthenticationEvents__")) and key not in environ
        ):
            return f"{key} is required and is not set ({place})"
    return f"{PROVIDER} names '{name}', which raised {type(error).__name__} ({place})"


def _where(error: BaseException, name: str) -> str:
    """Return the last place in the developer's own code that an exception passed."""
    place = f"claims/providers/{name}.py"
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        if own_path(path) or name in {PurePath(path).stem, PurePath(path).parent.name}:
            place = f"{own_path(path) or PurePath(path).name}:{line}"
    return place


def _refused(name: str, sentence: str) -> SettingsError:
    return SettingsError((f"{PROVIDER} names '{name}', and {sentence}",))
