"""The whole way: MSAL, the emulated Entra, and the endpoint of this checkout in Microsoft's worker library."""

import asyncio
import ssl
from dataclasses import replace

import jwt
import pytest

from selftest.base.endpoint_url import CALLOUT_PATH
from selftest.host.process import AppProcess
from selftest.play.target import endpoint_settings
from selftest.signin.server import SignInServer
from selftest.signin.tenant.directory import Directory
from tests.checkout import ROOT
from tests.clients.browser import Browser
from tests.clients.test_msal_python import ORDERS, App


@pytest.mark.parametrize("external", [False, True])
async def test_sign_in_through_the_endpoint_of_this_checkout(
    sample: Directory, tls: ssl.SSLContext, browser: Browser, *, external: bool
) -> None:
    """The endpoint believes the callout's token, and its claims arrive in the app."""
    directory = replace(sample, external=external)
    async with SignInServer(directory, tls=tls) as entra, AppProcess(endpoint_settings(entra), app_dir=ROOT) as app:
        entra.service.set_target_url(app.url + CALLOUT_PATH)
        portal = await asyncio.to_thread(App, entra, "portal")
        result = await asyncio.to_thread(portal.sign_in, browser, "ben", scopes=ORDERS)
        assert "error" not in result, (result, entra.service.log.records[-1])
        assert result["id_token_claims"]["custom_roles"]
        access = jwt.decode(result["access_token"], options={"verify_signature": False})
        assert access["order_roles"] == result["id_token_claims"]["custom_roles"]
