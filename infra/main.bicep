// Everything that the endpoint needs in a subscription, in its own resource group.
// `azd provision` deploys this file with main.parameters.json; docs/deploy.md says how, and what it costs.
// After a change of parameters or settings run `make bicep`, which writes preflight.json from it.
targetScope = 'subscription'

@description('Names the azd environment, the resource group and, by a hash, everything in it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region; near the tenant\'s users, because Entra calls from near them. The regions with Flex Consumption.')
@metadata({ azd: { type: 'location' } })
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
param location string

// --- The instances ---

@description('Instances that never sleep. Below two, a restart of the only one is an outage of sign-in.')
@minValue(1)
@maxValue(20)
param alwaysReadyInstances int = 2

@description('Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('How many instances there may be.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Requests that one instance takes at once before another one is started. Never leave it to the platform.')
@minValue(1)
@maxValue(1000)
param perInstanceConcurrency int = 16

@description('Spread the instances over the region\'s zones. Costs more; not in every region.')
param zoneRedundant bool = false

// --- Whom the endpoint believes: the settings of docs/settings.md ---
// azd asks for each parameter without a default before any hook runs. What a hook provides is therefore nullable, and the
// predeploy hook stops when MISSING_SETTINGS, below, names it.

@description('https://login.microsoftonline.com/<tenantId>, or https://<sub>.ciamlogin.com/<tenantId> for External ID.')
@minLength(20)
param authorityUrl string?

@description('The client id of the API\'s app registration; the preprovision hook creates it.')
@minLength(36)
@maxLength(36)
param audienceAppId string?

@description('The only caller: Microsoft\'s event service, unless the cloud has one of its own.')
@minLength(36)
@maxLength(36)
param authorizedPartyAppId string = '99045fe1-7639-4a75-9d4a-577b6ca3810f'

@description('The tenant\'s id, when authorityUrl ends in a domain name.')
param tenantId string = ''

@description('Further metadata documents of the same tenant, comma-separated.')
param additionalAuthorityUrls string = ''

@description('More callers, comma-separated; for direct tests, never in production.')
param additionalCallerAppIds string = ''

@description('Says that additionalCallerAppIds is meant.')
param allowAdditionalCallers bool = false

@description('The only custom authentication extensions that are answered, comma-separated ids.')
param allowedExtensionIds string = ''

// --- How the provider reaches its data source ---

@description('How the provider gets tokens for its downstream API.')
@allowed(['managed-identity', 'client-secret', 'default'])
param credential string = 'managed-identity'

@description('client-secret: the tenant of the app registration that calls downstream.')
param credentialTenantId string = ''

@description('client-secret: the client id of that app registration.')
param credentialClientId string = ''

@description('client-secret: the URI of the secret in a Key Vault. The secret itself is never a parameter.')
param clientSecretUri string = ''

@description('The URI of a Key Vault secret with the table\'s connection string; a token (Claims__Table__Url) is better.')
param tableConnectionStringUri string = ''

// --- Last good claims for all instances ---

@description('A Redis for Claims__OnFailure=stale. Costs every hour, used or not; the package needs EXTRA=shared-cache.')
param sharedCache bool = false

@description('The URI of a Key Vault secret with the password of a Redis of your own, which Claims__SharedCache names.')
param sharedCacheSecretUri string = ''

// --- Every other setting, under its own name; main.parameters.json lists them ---

@description('An empty value is left out, and then the endpoint\'s own default holds.')
param settings { *: string } = {}

@description('Further app settings: those of your own provider. No secrets: give Key Vault references.')
param providerSettings { *: string } = {}

// --- Around it ---

@description('The host that Entra calls, where it is not the app\'s own: a custom domain, Front Door, API Management.')
param publicHost string = ''

@description('App Service authentication in front of the code, which validates all the same.')
param appServiceAuthentication bool = false

@description('A virtual network for the way to the data source. Entra still comes in from the internet.')
param virtualNetwork bool = false

@description('The id of a NAT gateway for the subnet, where the region gives subnets no way out of their own.')
param natGatewayId string = ''

@description('Who hears of alerts; empty: they show in the portal only.')
param alertEmail string = ''

@description('Alert when the p95 of a quarter of an hour is above so many milliseconds.')
@minValue(50)
@maxValue(2000)
param latencyThresholdMs int = 800

@description('Alert when an hour passes without a call. Only where somebody signs in every hour.')
param expectTraffic bool = false

@description('How many days logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs a day, -1 for no limit. Once it is reached, alerts and workbook see nothing until the next day.')
@minValue(-1)
@maxValue(1000)
param dailyLogCapGb int = -1

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var appName = 'func-claims-${suffix}'
// Decided here and not read from a module's outputs: a preview leaves out, silently, every resource whose name it does
// not know.
var names = {
  identity: 'id-claims-${suffix}'
  storage: 'stclaims${suffix}'
  workspace: 'log-claims-${suffix}'
  insights: 'appi-claims-${suffix}'
  network: 'vnet-claims-${suffix}'
  cache: 'redis-claims-${suffix}'
  // The package, then the two that the Functions host uses for itself.
  containers: ['packages', 'azure-webjobs-hosts', 'azure-webjobs-secrets']
}

@description('App Service reads the secret from the Key Vault, with the app\'s identity.')
func keyVaultReference(uri string) string => empty(uri) ? '' : '@Microsoft.KeyVault(SecretUri=${uri})'

var trust = {
  AuthenticationEvents__AuthorityUrl: authorityUrl ?? ''
  AuthenticationEvents__AudienceAppId: audienceAppId ?? ''
  AuthenticationEvents__AuthorizedPartyAppId: authorizedPartyAppId
  Claims__TenantId: tenantId
  Claims__AdditionalAuthorityUrls: additionalAuthorityUrls
  Claims__AdditionalCallerAppIds: additionalCallerAppIds
  Claims__AllowAdditionalCallers: string(allowAdditionalCallers)
  Claims__AllowedExtensionIds: allowedExtensionIds
  Claims__Credential: credential
  Claims__Table__ConnectionString: keyVaultReference(tableConnectionStringUri)
  Claims__SharedCachePassword: keyVaultReference(sharedCacheSecretUri)
  AZURE_TENANT_ID: credentialTenantId
  AZURE_CLIENT_ID: credential == 'client-secret' ? credentialClientId : '' // otherwise the managed identity's
  AZURE_CLIENT_SECRET: keyVaultReference(clientSecretUri)
}
// Azure Managed Redis is found by this name; an output of the module would hide the setting from a preview.
var cacheSettings = sharedCache ? { Claims__SharedCache: 'rediss://${names.cache}.${location}.redis.azure.net:10000' } : {}
var present = filter(
  items(union(settings, providerSettings, trust, cacheSettings)),
  setting => !empty(setting.value)
)
var appSettings = toObject(present, setting => setting.key, setting => setting.value)
var missing = filter(
  ['AuthenticationEvents__AuthorityUrl', 'AuthenticationEvents__AudienceAppId'],
  name => !contains(appSettings, name)
)

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = {
  scope: group
  name: names.workspace
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  scope: group
  name: names.insights
}

// Identity, storage, telemetry, and the roles. The app comes after it: its first start already reads with the identity.
module foundation 'foundation.bicep' = {
  name: 'foundation'
  scope: group
  params: {
    location: location
    tags: tags
    names: names
    zoneRedundant: zoneRedundant
    logRetentionDays: logRetentionDays
    dailyLogCapGb: dailyLogCapGb
    virtualNetwork: virtualNetwork
    natGatewayId: natGatewayId
    sharedCache: sharedCache
  }
}

module flex 'flex.bicep' = {
  name: 'flex'
  scope: group
  params: {
    location: location
    tags: tags
    appName: appName
    identityName: names.identity
    storageAccountName: names.storage
    packageContainerName: names.containers[0]
    insightsName: names.insights
    subnetId: foundation.outputs.subnetId
    appSettings: appSettings
    alwaysReadyInstances: alwaysReadyInstances
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    perInstanceConcurrency: perInstanceConcurrency
    zoneRedundant: zoneRedundant
    appServiceAuthentication: appServiceAuthentication
    authorityUrl: authorityUrl ?? ''
    audienceAppId: audienceAppId ?? ''
    authorizedPartyAppId: authorizedPartyAppId
    additionalCallerAppIds: additionalCallerAppIds
  }
}

var host = empty(publicHost) ? flex.outputs.hostName : publicHost

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: workspace.id
    insightsId: insights.id
    hostName: host
    email: alertEmail
    latencyThresholdMs: latencyThresholdMs
    expectTraffic: expectTraffic
  }
}

// azd writes these into its environment, where the hooks, docs/deploy.md and the pipeline find them.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = appName
output APP_HOST string = flex.outputs.hostName
output ENDPOINT_HOST string = host
output ENDPOINT_URL string = 'https://${host}/api/onTokenIssuanceStart'
output IDENTITY_PRINCIPAL_ID string = foundation.outputs.identityPrincipalId
output LOG_ANALYTICS_WORKSPACE_ID string = workspace.id
output ACTION_GROUP_ID string = alerts.outputs.actionGroupId

@description('Settings that the app cannot start without and that this deployment did not have, comma-separated.')
output MISSING_SETTINGS string = join(missing, ',')
