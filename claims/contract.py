"""The names and limits that Microsoft's contract fixes, shared by the endpoint and the harness.

Nothing here is ours to choose: a change in this module means that Microsoft's documentation changed.

Source: entra-docs ``custom-claims-provider-reference.md``, ``custom-extension-overview.md``,
``reference-claims-customization.md``; Microsoft Graph v1.0 ``customExtensionClientConfiguration``.
"""

import re
from collections.abc import Mapping
from typing import Final

#: A claim as the event's reply carries it. Booleans, numbers and objects are not supported.
type ClaimValue = str | list[str] | tuple[str, ...]
type Claims = Mapping[str, ClaimValue]

EVENT_TYPE: Final = "microsoft.graph.authenticationEvent.tokenIssuanceStart"
CALLOUT_DATA_TYPE: Final = "microsoft.graph.onTokenIssuanceStartCalloutData"
RESPONSE_DATA_TYPE: Final = "microsoft.graph.onTokenIssuanceStartResponseData"
PROVIDE_CLAIMS_ACTION: Final = "microsoft.graph.tokenIssuanceStart.provideClaimsForToken"

#: The application id of the service that makes the call: "Azure AD Authentication Extensions".
EVENT_SERVICE_APP_ID: Final = "99045fe1-7639-4a75-9d4a-577b6ca3810f"

#: Entra waits this long for one attempt; the tenant chooses between the two.
MIN_TIMEOUT_MS: Final = 200
MAX_TIMEOUT_MS: Final = 2000
#: What Graph stores when an extension is created without a timeout: always set 2000.
DEFAULT_TIMEOUT_MS: Final = 1000
MAX_RETRIES: Final = 1

#: Keys and values together, in UTF-8 bytes. The page says "3 KB"; whether that is 3000 or 3072 is
#: not published, so the endpoint stays under the smaller and the judge refuses above the larger.
SAFE_CLAIMS_BYTES: Final = 3000
MAX_CLAIMS_BYTES: Final = 3072

#: Claim types that a mapping policy may not emit, beside the two prefixes below.
RESTRICTED_CLAIM_NAMES: Final = frozenset(
    """
    . _claim_names _claim_sources aai access_token account_type acct acr acrs actor actortoken
    ageGroup aio altsecid amr app_chain app_displayname app_res appctx appctxsender appid appidacr
    assertion at_hash aud auth_data auth_time authorization_code azp azpacr bk_claim bk_enclave
    bk_pub brk_client_id brk_redirect_uri c_hash ca_enf ca_policy_result capolids capolids_latebind
    cc cert_token_use child_client_id child_redirect_uri client_id client_ip cloud_graph_host_name
    cloud_instance_host_name cloud_instance_name CloudAssignedMdmId cnf code controls controls_auds
    credential_keys csr csr_type ctry deviceid dns_names domain_dns_name domain_netbios_name e_exp
    email endpoint enfpolids exp expires_on fido_auth_data fido_ver fwd fwd_appidacr grant_type
    graph group_sids groups hasgroups hash_alg haswids home_oid home_puid home_tid iat
    identityprovider idp idtyp in_corp instance inviteTicket ipaddr isbrowserhostedapp iss isViral
    jwk key_id key_type login_hint mam_compliance_url mam_enrollment_url mam_terms_of_use_url
    mdm_compliance_url mdm_enrollment_url mdm_terms_of_use_url msgraph_host msproxy nameid nbf
    netbios_name nickname nonce oid on_prem_id onprem_sam_account_name onprem_sid openid2_id
    origin_header password platf polids pop_jwk preferred_username previous_refresh_token
    primary_sid prov_data puid pwd_exp pwd_url rdp_bt redirect_uri refresh_token
    refresh_token_issued_on refreshtoken request_nonce resource rh role roles rp_id rt_type scope
    scp secaud sid signature signin_state source_anchor src1 src2 sub target_deviceid tbid tbidv2
    tenant_ctry tenant_display_name tenant_id tenant_region_scope tenant_region_sub_scope
    thumbnail_photo tid tokenAutologonEnabled trustedfordelegation ttr unique_name upn user_agent
    user_setting_sync_url username uti ver verified_primary_email verified_secondary_email vnet
    vsm_binding_key wamcompat_client_info wamcompat_id_token wamcompat_scopes wids win_ver x5c_ca
    xcb2b_rclient xcb2b_rcloud xcb2b_rtenant ztdid
    """.split()
)
RESTRICTED_CLAIM_PREFIXES: Final = ("xms_", "extn.")


_GUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ZERO_GUID: Final = "00000000-0000-0000-0000-000000000000"


def is_guid(text: str) -> bool:
    """Whether a text is a GUID that can name something: Microsoft's form with hyphens, in any case, and not zero."""
    return _GUID.fullmatch(text) is not None and text != _ZERO_GUID


def is_restricted(name: str) -> bool:
    """Say whether a token may not carry a mapped claim of this name."""
    return name in RESTRICTED_CLAIM_NAMES or name.startswith(RESTRICTED_CLAIM_PREFIXES)


def claims_size_bytes(claims: Claims) -> int:
    """Count the UTF-8 bytes of keys and values, as the 3 KB limit counts them."""
    texts = list(claims)
    for value in claims.values():
        if isinstance(value, str):
            texts.append(value)
        else:
            texts += value
    return len("".join(texts).encode())
