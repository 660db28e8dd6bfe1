"""What the token endpoint's refusals mean for this test, a line each.

Source: entra-docs ``reference-error-codes.md``, ``v2-oauth2-client-creds-grant-flow.md``; the way on is ours.
"""

from typing import Final

_ERRORS: Final = {
    7000215: "the secret is wrong: give the secret's value, not its id, and one of this very app registration",
    7000222: "the secret has expired: make a new one under Certificates & secrets",
    7000218: "the request has neither secret nor certificate: set CLIENT_SECRET, or give --certificate",
    7000216: "the request has neither secret nor certificate: set CLIENT_SECRET, or give --certificate",
    700027: "the certificate is not one of this app registration, or its key is another: upload its public part there",
    700024: "the certificate's assertion is not valid now: compare this machine's clock",
    700016: "the tenant has no such application: is --client-id the API's client id, and the tenant the right one?",
    7000112: "the application is disabled in this tenant: set accountEnabled of its service principal to true",
    90002: "there is no such tenant: compare the GUID in AuthenticationEvents__AuthorityUrl",
    900023: "the tenant in the authority is neither a GUID nor a domain: mend AuthenticationEvents__AuthorityUrl",
    500011: (
        "no service principal in the tenant has this identifier URI: compare Claims__ApplicationIdUri with "
        "identifierUris, and create the service principal (`explain 1003016`)"
    ),
    500014: "the API's service principal is disabled: set accountEnabled to true (`explain 1003019`)",
    501051: "the API demands assignment and the app has none: assign it a role, or switch the requirement off",
    650057: "the app may not ask for this resource: is the scope the API's own identifier URI?",
    70011: "the scope is malformed: it must be the identifier URI and /.default, alone",
    1002012: "the scope is malformed: it must be the identifier URI and /.default, alone",
    70003: "the tenant does not know this grant: is the authority one of Entra's?",
    900144: "the request lacks a parameter; that is a fault of this command",
    53003: "a Conditional Access policy for workload identities blocks the app",
    50105: "the app must be assigned to the API and is not (`explain AADSTS50105`)",
}


def meaning_of_error(number: int | None) -> str:
    """Say what a refusal means and what to do; general where the number is none of the usual ones."""
    if number is None:
        return "the answer has no AADSTS code: something else than Entra answered, or the URL is another's"
    return _ERRORS.get(number, "not one of the usual ones: look it up in Microsoft's list of AADSTS codes")
