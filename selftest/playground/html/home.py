"""Everything that stands on the page around a sign-in: the form, the log, the app and its settings."""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final

from selftest.contract import MAX_TIMEOUT_MS
from selftest.playground.app_files import provider_file, provider_source
from selftest.playground.browser_flow import loopback_uri
from selftest.playground.choice import POLICIES, Choice
from selftest.playground.faults import grouped
from selftest.playground.guard import FORM_FIELD
from selftest.playground.html.sign_in import sign_in_view
from selftest.playground.html.timing import empty_bar
from selftest.playground.played import Played
from selftest.playground.player import Stage
from selftest.signin.sign_in_log import SignInRecord

_SHOWN_RECORDS: Final = 20
_SECRET: Final = re.compile(r"secret|password|header|key|connection|token", re.IGNORECASE)


def home_values(
    stage: Stage,
    choice: Choice,
    *,
    page_token: str,
    played: Played | None = None,
    record: SignInRecord | None = None,
) -> dict[str, Any]:
    """Gather what the template needs."""
    return {
        "form_field": FORM_FIELD,
        "page_token": page_token,
        "choice": choice,
        "offer": stage.offer,
        "troubles": grouped(),
        "policies": POLICIES,
        "browser_apps": [app for app in stage.offer.apps if loopback_uri(app) is not None],
        "played": played,
        "problem": None if played is None else played.problem,
        "view": None if record is None else sign_in_view(record, played),
        "shown_id": None if record is None else record.id,
        "rows": [_row(known, stage) for known in _newest(stage.log.records)],
        "endpoint": _endpoint(stage, choice),
    }


def _newest(records: Iterable[SignInRecord]) -> list[SignInRecord]:
    return list(records)[: -_SHOWN_RECORDS - 1 : -1]


def _row(record: SignInRecord, stage: Stage) -> dict[str, Any]:
    """Give one line of the log: what the Authentication Events tab shows."""
    played = stage.played(record.id)
    return {
        "id": record.id,
        "at": f"{dt.datetime.fromtimestamp(record.at_s).astimezone():%H:%M:%S}",
        "who": record.person.display_name,
        "app": record.client.principal.display_name,
        "trouble": "in the browser" if played is None else played.choice.trouble.label,
        "minted": record.refusal is None,
        "aadsts": record.error_code,
        "attempts": [callout.attempts for callout in record.callouts],
        "calls": [callout.as_portal() for callout in record.callouts],
    }


def _endpoint(stage: Stage, choice: Choice) -> dict[str, Any]:
    """Give what is known of the endpoint that the choice would ask."""
    ground = stage.known_ground(choice.provider, choice.on_failure)
    listener = stage.offer.directory.listener_for(choice.app)
    running = ground is not None and ground.state in {"running", "elsewhere"}
    settings = (ground or stage.main).settings if stage.app_dir is not None else stage.main.trust_settings
    provider = choice.provider
    local = stage.app_dir is not None and provider is not None
    return {
        "state": "not started" if ground is None else ground.state,
        "url": ground.entra.directory.extensions[0].target_url if ground is not None and running else "",
        "empty": empty_bar(
            timeout_ms=MAX_TIMEOUT_MS if listener is None else listener.timeout_ms, budget_ms=stage.main.budget_ms
        ),
        "app_dir": "" if stage.app_dir is None else str(stage.app_dir),
        "provider": provider,
        "file": str(provider_file(provider)) if provider is not None else "",
        "source": provider_source(stage.app_dir, provider) if local and stage.app_dir and provider else "",
        "settings": [(name, "(set)" if _SECRET.search(name) else value) for name, value in sorted(settings.items())],
        "authority": stage.main.entra.sign_in_authority_url,
    }
