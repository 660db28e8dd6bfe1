"""The names of the endpoint's settings, as the tool knows them; a test compares them with the endpoint's own."""

from typing import Final

AUTHORITY_URL: Final = "AuthenticationEvents__AuthorityUrl"
AUDIENCE_APP_ID: Final = "AuthenticationEvents__AudienceAppId"
AUTHORIZED_PARTY_APP_ID: Final = "AuthenticationEvents__AuthorizedPartyAppId"
APPLICATION_ID_URI: Final = "Claims__ApplicationIdUri"
TENANT_ID: Final = "Claims__TenantId"
ADDITIONAL_AUTHORITY_URLS: Final = "Claims__AdditionalAuthorityUrls"
ADDITIONAL_CALLER_APP_IDS: Final = "Claims__AdditionalCallerAppIds"
ALLOW_ADDITIONAL_CALLERS: Final = "Claims__AllowAdditionalCallers"
ALLOWED_EXTENSION_IDS: Final = "Claims__AllowedExtensionIds"
BUDGET_MS: Final = "Claims__BudgetMs"
ON_FAILURE: Final = "Claims__OnFailure"
PROVIDER: Final = "Claims__Provider"
#: What the name of every setting of the endpoint starts with.
PREFIXES: Final = ("AuthenticationEvents__", "Claims__")
