"""The pages of the emulated sign-in: the choice of a user, the return to the app, and errors.

They work without scripts and load nothing. Their Content Security Policy allows nothing else, and lets forms be sent
only to this server and to the app. The only script, which submits a form-post response, is allowed by its hash; without
it the user presses a button.

Source: WCAG 2.2 (labels, headings, contrast, focus); CSP Level 3; OAuth 2.0 Form Post Response Mode.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import jinja2
from aiohttp import web

from selftest.entra.oauth_error import OAuthError, Trace
from selftest.signin.browser_sessions import FORM_FIELD
from selftest.signin.tenant.directory import App, Person

_HTML: Final = Path(__file__).parent / "html"
_STYLE: Final = (_HTML / "style.css").read_text(encoding="utf-8")
_SUBMIT: Final = "document.forms[0].submit()"
_PAGES: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_HTML), autoescape=True, undefined=jinja2.StrictUndefined
)


def user_page(
    app: App, people: Iterable[Person], *, action: str, form_token: str, signed_in: Iterable[str], focus: str | None
) -> web.Response:
    """Return the page on which a user is chosen; ``action`` is the form's target, ``focus`` the expected user."""
    return _page(
        "choose",
        "Sign in",
        form_to=("'self'", *sorted({_form_target(uri.uri) for uri in app.redirect_uris})),
        app=app.principal.display_name,
        people=list(people),
        action=action,
        form_field=FORM_FIELD,
        form_token=form_token,
        signed_in=frozenset(signed_in),
        focus=focus,
    )


def form_post_page(app: App, action: str, fields: Mapping[str, str]) -> web.Response:
    """Return the page that posts a response to the app."""
    return _page(
        "send",
        "Signing in",
        form_to=(_form_target(action),),
        script=_SUBMIT,
        app=app.principal.display_name,
        action=action,
        fields=fields,
    )


def message_page(title: str, text: str, facts: Mapping[str, str] | None = None, *, status: int = 200) -> web.Response:
    """Return a page with a message for the user."""
    return _page("message", title, status=status, text=text, facts=facts or {})


def error_page(error: OAuthError, trace: Trace) -> web.Response:
    """Return the page of an error that the app is not informed of, with the ids that trace it."""
    facts = {
        "Error": error.code,
        "Trace ID": trace.trace_id,
        "Correlation ID": trace.correlation_id,
        "Timestamp": trace.timestamp,
    }
    return message_page("Sign-in failed", error.description(), facts, status=error.status)


def _page(
    name: str,
    title: str,
    *,
    form_to: Iterable[str] = ("'none'",),
    script: str = "",
    status: int = 200,
    **values: object,
) -> web.Response:
    text = _PAGES.get_template(f"{name}.html.jinja").render(title=title, style=_STYLE, script=script, **values)
    policy = {
        "default-src": "'none'",
        "style-src": _hash(_STYLE),
        "script-src": _hash(script) if script else "'none'",
        # The policy also covers a form's redirects, so the app has to be in the list.
        "form-action": " ".join(form_to),
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return web.Response(
        text=text,
        status=status,
        content_type="text/html",
        headers={
            "Content-Security-Policy": "; ".join(f"{directive} {value}" for directive, value in policy.items()),
            "Cache-Control": "no-store",
            # Not no-referrer: the browser would send Origin: null with a form, and the origin is checked.
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _form_target(uri: str) -> str:
    """Return the CSP source of a form's target; a loopback URI may have any port."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return f"{uri.partition(':')[0]}:"
    host = rest.partition("/")[0].partition("?")[0]
    name = host.partition(":")[0]
    return f"{scheme}://{name}:*" if scheme == "http" else f"{scheme}://{host}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
