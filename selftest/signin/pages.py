"""The pages of the emulated sign-in: choose a user, go back to the app, or read what went wrong.

They are rendered here, work without script, and load nothing. A policy (CSP) lets nothing else run, and lets forms go
to this server and to the app alone. The one script, which sends a form-post answer on its way, is allowed by its hash;
without it there is a button.

Source: WCAG 2.2 (labels, headings, contrast, focus); CSP Level 3; OAuth 2.0 Form Post Response Mode.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import Final

import jinja2
from aiohttp import web

from selftest.entra.oauth_error import OAuthError, Trace
from selftest.signin.browser_sessions import FORM_FIELD
from selftest.signin.tenant.directory import App, Person

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; display: grid; place-items: center; min-height: 100vh; background: Canvas; color: CanvasText; }
main { width: min(26rem, 100% - 2rem); padding: 1.5rem 0; }
h1 { font-size: 1.4rem; margin: 0 0 .25rem; }
p { margin: .25rem 0 1rem; }
ul { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .5rem; }
button { font: inherit; width: 100%; text-align: left; padding: .6rem .8rem; border-radius: .4rem;
  border: 1px solid GrayText; background: ButtonFace; color: ButtonText; cursor: pointer; }
button:hover, button:focus-visible { outline: 3px solid Highlight; outline-offset: 1px; }
button small { display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; overflow-wrap: anywhere; }
dd { margin: 0; }
"""
_SUBMIT: Final = "document.forms[0].submit()"

_LAYOUT: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }} - emulated Entra</title>
<style>{{ style|safe }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
{% block content %}{% endblock %}
</main>
</body>
</html>
"""
_CHOOSE: Final = """{% extends "layout" %}{% block content %}
<p>to {{ app }}. This is an emulator on this computer: there is no password, choose who you are.</p>
<form method="post" action="{{ action }}">
<input type="hidden" name="{{ form_field }}" value="{{ form_token }}">
<ul>
{% for person in people %}
<li><button name="user" value="{{ person.key }}"{% if person.key == focus %} autofocus{% endif %}>
{{ person.display_name }}
<small>{{ person.sign_in_name }}{% if person.key in signed_in %} (signed in){% endif %}</small>
</button></li>
{% endfor %}
</ul>
<button name="cancel" value="1">Cancel</button>
</form>
{% endblock %}"""
_SEND: Final = """{% extends "layout" %}{% block content %}
<p>Going back to {{ app }}.</p>
<form method="post" action="{{ action }}">
{% for name, value in fields.items() %}
<input type="hidden" name="{{ name }}" value="{{ value }}">
{% endfor %}
<button>Continue</button>
</form>
<script>{{ script|safe }}</script>
{% endblock %}"""
_MESSAGE: Final = """{% extends "layout" %}{% block content %}
<p>{{ text }}</p>
{% if facts %}
<dl>
{% for name, value in facts.items() %}
<dt>{{ name }}</dt><dd>{{ value }}</dd>
{% endfor %}
</dl>
{% endif %}
{% endblock %}"""

_PAGES: Final = jinja2.Environment(
    loader=jinja2.DictLoader({"layout": _LAYOUT, "choose": _CHOOSE, "send": _SEND, "message": _MESSAGE}),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
)


def choose_page(
    app: App, people: Iterable[Person], *, action: str, form_token: str, signed_in: Iterable[str], focus: str | None
) -> web.Response:
    """Ask who is signing in; ``action`` is where the choice is posted, ``focus`` the user who is likely meant."""
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


def send_page(app: App, action: str, fields: Mapping[str, str]) -> web.Response:
    """Send an answer to the app as a form."""
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
    """Tell the user something that no app can be told."""
    return _page("message", title, status=status, text=text, facts=facts or {})


def error_page(error: OAuthError, trace: Trace) -> web.Response:
    """Tell the user what the app cannot be told, with what traces it."""
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
    text = _PAGES.get_template(name).render(title=title, style=_STYLE, script=script, **values)
    policy = {
        "default-src": "'none'",
        "style-src": _hash(_STYLE),
        "script-src": _hash(script) if script else "'none'",
        # A form's redirects count too, so the app has to be in the list.
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
            # Not no-referrer: with it a form's Origin would be null, and it is checked.
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        },
    )


def _form_target(uri: str) -> str:
    """Give what CSP calls the target of a form; a loopback URI may come back with any port."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return f"{uri.partition(':')[0]}:"
    host = rest.partition("/")[0].partition("?")[0]
    name = host.partition(":")[0]
    return f"{scheme}://{name}:*" if scheme == "http" else f"{scheme}://{host}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
