"""A real Chromium on a single-page app with MSAL.js in it, and a server for the page.

``npm ci --prefix tests/clients`` installs MSAL.js; Chromium is the machine's own.
"""

import asyncio
import base64
import hashlib
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import BrowserContext, async_playwright

_MSAL_JS: Final = Path(__file__).parent / "node_modules" / "@azure" / "msal-browser" / "lib" / "msal-browser.min.js"
_CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

#: What a reader of MSAL's documentation would write, and the results in the page for the test to read.
_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>single-page app</title></head>
<body><h1>app</h1><button id="in">Sign in</button><pre id="result"></pre>
<script src="/msal.js"></script>
<script src="/app.js"></script>
</body></html>"""
_SCRIPT: Final = """
const result = document.getElementById("result");
const show = (value) => { result.textContent = JSON.stringify(value); };
const request = { scopes: %(scopes)s };
const app = new msal.PublicClientApplication({
  auth: { clientId: %(client_id)s, authority: %(authority)s, knownAuthorities: [new URL(%(authority)s).host],
          redirectUri: location.origin + "/" },
  cache: { cacheLocation: "sessionStorage" },
});
const failed = (error) =>
  show({ error: error.errorCode, message: error.errorMessage, correlation: error.correlationId });
const tokens = (answer) => show({ id: answer.idTokenClaims, access: answer.accessToken });
window.renew = () => app.acquireTokenSilent({ ...request, account: app.getAllAccounts()[0], forceRefresh: true })
  .then(tokens, failed);
window.leave = () => app.logoutRedirect({ account: app.getAllAccounts()[0] });
(async () => {
  await app.initialize();
  document.getElementById("in").onclick = () => app.loginRedirect(request);
  try {
    const answer = await app.handleRedirectPromise();
    if (answer) { tokens(answer); } else { show({ ready: true }); }
  } catch (error) { failed(error); }
})();
"""


def why_not() -> str | None:
    """Return why the browser tests cannot run, with the command that installs what is missing; None if they can."""
    if _CHROMIUM is None:
        return "the browser tests need Chromium: apt-get install chromium"
    if not _MSAL_JS.exists():
        return "MSAL.js is not installed: run npm ci --prefix tests/clients"
    return None


@asynccontextmanager
async def single_page_app(*, client_id: str, authority: str, scopes: list[str]) -> AsyncIterator[str]:
    """Serve the page on a free loopback port, and give its URL by the name that browsers trust with keys."""
    script = _SCRIPT % {"client_id": repr(client_id), "authority": repr(authority), "scopes": repr(scopes)}

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.path == "/msal.js":
            return web.FileResponse(_MSAL_JS)
        if request.path == "/app.js":
            return web.Response(text=script, content_type="text/javascript")
        return web.Response(text=_PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://localhost:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def chromium(https_port: int, profile: Path) -> AsyncIterator[BrowserContext]:
    """Start a browser that trusts the key at this port and no other unknown one."""
    pin = await asyncio.to_thread(_key_pin, https_port)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            profile,
            executable_path=_CHROMIUM,
            args=[
                f"--ignore-certificate-errors-spki-list={pin}",
                # Nothing but this machine: every other name fails at once.
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
                "--no-sandbox",
                "--disable-gpu",
            ],
        )
        try:
            context.set_default_timeout(15_000)
            yield context
        finally:
            await context.close()


def _key_pin(port: int) -> str:
    certificate = x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", port)).encode())
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()
