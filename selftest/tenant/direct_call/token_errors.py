"""What the token endpoint's refusals mean for this test, a line each.

Source: entra-docs ``reference-error-codes.md``, ``v2-oauth2-client-creds-grant-flow.md``; the advice is ours.
"""

from typing import Final

from selftest.base.setting_names import APPLICATION_ID_URI, AUTHORITY_URL

_ERRORS: Final = {
    7000215: "the secret is wrong: give the secret's value, not its id, and a secret of this app registration",
    7000222: "the secret has expired: make a new one under Certificates & secrets",
    7000218: "the request has neither secret nor certificate: set CLIENT_SECRET, or give --certificate",
    7000216: "the request has neither secret nor certificate: set CLIENT_SECRET, or give --certificate",
    700027: "the certificate or its key does not belong to this app registration: upload its public part there",
    700024: "the certificate's assertion is not valid now: compare this machine's clock",
    700016: "the tenant has no such application: is --client-id the API's client id, and the tenant the right one?",
    7000112: "the application is disabled in this tenant: set accountEnabled of its service principal to true",
    90002: f"there is no such tenant: compare the GUID in {AUTHORITY_URL}",
    900023: f"the tenant in the authority is neither a GUID nor a domain: correct {AUTHORITY_URL}",
    500011: (
        f"no service principal in the tenant has this identifier URI: compare {APPLICATION_ID_URI} with "
        "identifierUris, and create the service principal (`explain 1003016`)"
    ),
    500014: "the API's service principal is disabled: set accountEnabled to true (`explain 1003019`)",
    501051: "the API requires assignment and the app has none: assign it a role, or turn the requirement off",
    650057: "the app may not request this resource: is the scope the API's own identifier URI?",
    70011: "the scope is malformed: it must be the identifier URI and /.default, alone",
    1002012: "the scope is malformed: it must be the identifier URI and /.default, alone",
    70003: "the tenant does not know this grant: is the authority an Entra authority?",
    900144: "a parameter of the request is missing; that is an error of this command",
    53003: "a Conditional Access policy for workload identities blocks the app",
    50105: "the app must be assigned to the API and is not (`explain AADSTS50105`)",
}


def meaning_of_error(number: int | None) -> str:
    """Return what a refusal means and what to do; a general text for an unusual number."""
    if number is None:
        return "the reply has no AADSTS code: something other than Entra answered, or the URL is wrong"
    return _ERRORS.get(number, "not a usual code for this request: look it up in Microsoft's list of AADSTS codes")
