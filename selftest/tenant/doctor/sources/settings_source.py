"""The source of the settings: a named file, an azd environment, the environment, or ``local.settings.json``."""

from collections.abc import Mapping
from pathlib import Path

from selftest.base.bounded_file import FileError
from selftest.base.settings_file import LOCAL_SETTINGS, parse_settings
from selftest.tenant.doctor.evidence.settings import AZD_ORIGIN, SettingsRead


def find_settings(
    *, file: Path | None, azd_env: str | None, environ: Mapping[str, str], directory: Path
) -> SettingsRead | None:
    """Read the settings that the user named, else those of the environment, else ``local.settings.json``.

    Args:
        file: The value of ``--settings``.
        azd_env: The value of ``--azd-env``: the name of an azd environment.
        environ: The environment variables; they count where they name an authority or an audience.
        directory: Where ``local.settings.json`` and ``.azure`` are looked for.

    Returns:
        None where the user named nothing and nothing was found.

    Raises:
        FileError: The named file cannot be read, or holds something else.
    """
    if file is not None:
        return SettingsRead(parse_settings(file), str(file))
    if azd_env is not None:
        if not azd_env or azd_env in {".", ".."} or "/" in azd_env or "\\" in azd_env:
            raise FileError(f"--azd-env {azd_env[:40]!r} is not the name of an environment; `azd env list` shows them")
        return SettingsRead(parse_settings(directory / ".azure" / azd_env / ".env"), f"{AZD_ORIGIN}{azd_env}")
    present = SettingsRead(environ, "the environment")
    if present.authority_url or present.audience_app_id:
        return present
    local = directory / LOCAL_SETTINGS
    return SettingsRead(parse_settings(local), str(LOCAL_SETTINGS)) if local.is_file() else None
