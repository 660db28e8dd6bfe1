"""The values of the page around a sign-in: the form, the log, the app and its settings."""

import datetime as dt
import re
from typing import Any, Final

from selftest.contract import MAX_TIMEOUT_MS
from selftest.playground.app_files import provider_file, provider_source
from selftest.playground.choice import ON_FAILURE_SETTINGS, Choice
from selftest.playground.faults import grouped
from selftest.playground.guard import FORM_FIELD
from selftest.playground.html.sign_in import sign_in_view
from selftest.playground.html.timing import empty_bar
from selftest.playground.played import Played
from selftest.playground.player import SignInPlayer
from selftest.signin.sign_in_log import SignInRecord
from selftest.signin.tenant.redirect_uris import loopback_redirect_uri

_SHOWN_RECORDS: Final = 20
_SECRET: Final = re.compile(r"secret|password|header|key|connection|token", re.IGNORECASE)


def home_values(
    player: SignInPlayer,
    choice: Choice,
    *,
    page_token: str,
    played: Played | None = None,
    record: SignInRecord | None = None,
) -> dict[str, Any]:
    """Return the values of the page's template."""
    newest = player.log.records[: -_SHOWN_RECORDS - 1 : -1]
    return {
        "form_field": FORM_FIELD,
        "page_token": page_token,
        "choice": choice,
        "options": player.options,
        "faults": grouped(),
        "on_failure_settings": ON_FAILURE_SETTINGS,
        "browser_apps": [app for app in player.options.apps if loopback_redirect_uri(app) is not None],
        "failure": None if played is None else played.failure,
        "view": None if record is None else sign_in_view(record, played, player.main.log_lines),
        "shown_id": None if record is None else record.id,
        "rows": [_row(known, player) for known in newest],
        "endpoint": _endpoint(player, choice),
    }


def _row(record: SignInRecord, player: SignInPlayer) -> dict[str, Any]:
    """Return one line of the log, with the columns of the Authentication Events tab."""
    played = player.played(record.id)
    return {
        "record": record,
        "at": f"{dt.datetime.fromtimestamp(record.at_s).astimezone():%H:%M:%S}",
        "fault": "in the browser" if played is None else played.choice.fault.label,
        "codes": [callout.verdict.code for callout in record.callouts if callout.verdict.code],
    }


def _endpoint(player: SignInPlayer, choice: Choice) -> dict[str, Any]:
    """Return what is known of the endpoint that the choice would call."""
    environment = player.known_environment(choice.provider, choice.on_failure)
    listener = player.options.directory.listener_for(choice.app)
    running = environment is not None and environment.state in {"running", "elsewhere"}
    local = player.app_dir is not None
    settings = (environment or player.main).settings if local else player.main.trust_settings
    provider = choice.provider
    return {
        "state": "not started" if environment is None else environment.state,
        "url": environment.entra.directory.extensions[0].target_url if environment is not None and running else "",
        "empty": empty_bar(
            timeout_ms=MAX_TIMEOUT_MS if listener is None else listener.timeout_ms, budget_ms=player.main.budget_ms
        ),
        "app_dir": "" if player.app_dir is None else str(player.app_dir),
        "provider": provider,
        "file": str(provider_file(provider)) if provider is not None else "",
        "source": provider_source(player.app_dir, provider) if player.app_dir is not None and provider else "",
        "settings": [(name, "(set)" if _SECRET.search(name) else value) for name, value in sorted(settings.items())],
        "authority": player.main.entra.sign_in_authority_url,
    }
