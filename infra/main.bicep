// Everything that the endpoint needs in a subscription, in a resource group of its own.
// `azd provision` deploys this file with main.parameters.json; docs/deploy.md says how, and what it costs.
// After a change of parameters or settings run `make bicep`, which writes preflight.json from it.
targetScope = 'subscription'

@description('Names the azd environment, the resource group and, by a hash, everything in it.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('The region; near the tenant\'s users, because Entra calls from near them.')
@minLength(1)
@metadata({ azd: { type: 'location' } })
param location string

// --- The plan ---

@description('flex: Flex Consumption with instances that are always ready. premium: Elastic Premium EP1.')
@allowed(['flex', 'premium'])
param plan string = 'flex'

@description('Instances that never sleep. Below two, a restart of the only one is an outage of sign-in.')
@minValue(1)
@maxValue(20)
param alwaysReadyInstances int = 2

@description('Flex: memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Flex: how many instances there may be. Premium: the workers of the plan are limited to 20.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Flex: requests that one instance takes at once before another one is started. Never leave it to the platform.')
@minValue(1)
@maxValue(1000)
param perInstanceConcurrency int = 16

@description('Spread the instances over the region\'s zones. Costs more; not in every region.')
param zoneRedundant bool = false

// --- Whom the endpoint believes: the settings of docs/settings.md ---

@description('https://login.microsoftonline.com/<tenantId>, or https://<sub>.ciamlogin.com/<tenantId> for External ID.')
@minLength(20)
param authorityUrl string

@description('The client id of the API\'s app registration.')
@minLength(36)
@maxLength(36)
param audienceAppId string

@description('The only caller: Microsoft\'s event service, unless the cloud has one of its own.')
@minLength(36)
@maxLength(36)
param authorizedPartyAppId string = '99045fe1-7639-4a75-9d4a-577b6ca3810f'

@description('api://<host>/<audienceAppId>; only v1.0 tokens carry it.')
param applicationIdUri string = ''

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

// --- How the endpoint answers ---

@description('The answer leaves after so many milliseconds. Entra gives up at 2000.')
@minValue(100)
@maxValue(1900)
param budgetMs int = 1500

@description('What Entra hears when the provider fails or is late.')
@allowed(['fail', 'omit', 'stale'])
param onFailure string = 'fail'

@description('How old claims may be for onFailure=stale, in seconds.')
@minValue(1)
@maxValue(86400)
param staleSeconds int = 3600

@description('Events that one instance works on at once.')
@minValue(1)
@maxValue(10000)
param maxConcurrent int = 200

@description('The module in claims/providers/ that knows the claims.')
@minLength(1)
param provider string = 'sample'

@description('How the provider gets tokens for its downstream API.')
@allowed(['managed-identity', 'client-secret', 'default'])
param credential string = 'managed-identity'

@description('client-secret: the tenant of the app registration that calls downstream.')
param credentialTenantId string = ''

@description('client-secret: the client id of that app registration.')
param credentialClientId string = ''

@description('client-secret: the URI of the secret in a Key Vault. The secret itself is never a parameter.')
param clientSecretUri string = ''

// --- The settings of the providers that are here ---

param profileApiUrl string = ''
param profileApiScope string = ''
param profileApiClaims string = ''
param graphAttributes string = ''
param graphGroupsClaim string = ''
param graphGroupsStartWith string = ''
param graphAppRolesClaim string = ''
@minValue(1)
@maxValue(998)
param graphMaxNames int = 100
param graphUrl string = ''
param graphScope string = ''
param tableName string = ''
param tableUrl string = ''
param tableClaims string = ''
param tableLists string = ''

@description('The URI of a Key Vault secret with the table\'s connection string; tableUrl with a token is better.')
param tableConnectionStringUri string = ''

@description('Further app settings, by name: those of your own provider. No secrets: give Key Vault references.')
param providerSettings object = {}

// --- Around it ---

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

@description('Who may upload packages by hand, which the premium plan needs; azd gives the id of who deploys.')
param deployerPrincipalId string = ''

var suffix = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var appName = 'func-claims-${suffix}'
var usesManagedIdentity = credential != 'client-secret'

@description('App Service reads the secret from the Key Vault, with the app\'s identity.')
func keyVaultReference(uri string) string => empty(uri) ? '' : '@Microsoft.KeyVault(SecretUri=${uri})'

// A name is the setting's, a value is its text; what is empty is left out, and then the endpoint's own default holds.
var settings = {
  AuthenticationEvents__AuthorityUrl: authorityUrl
  AuthenticationEvents__AudienceAppId: audienceAppId
  AuthenticationEvents__AuthorizedPartyAppId: authorizedPartyAppId
  Claims__ApplicationIdUri: applicationIdUri
  Claims__TenantId: tenantId
  Claims__AdditionalAuthorityUrls: additionalAuthorityUrls
  Claims__AdditionalCallerAppIds: additionalCallerAppIds
  Claims__AllowAdditionalCallers: string(allowAdditionalCallers)
  Claims__AllowedExtensionIds: allowedExtensionIds
  Claims__BudgetMs: string(budgetMs)
  Claims__OnFailure: onFailure
  Claims__StaleSeconds: string(staleSeconds)
  Claims__MaxConcurrent: string(maxConcurrent)
  Claims__Provider: provider
  Claims__Credential: credential
  Claims__ProfileApi__Url: profileApiUrl
  Claims__ProfileApi__Scope: profileApiScope
  Claims__ProfileApi__Claims: profileApiClaims
  Claims__Graph__Attributes: graphAttributes
  Claims__Graph__GroupsClaim: graphGroupsClaim
  Claims__Graph__GroupsStartWith: graphGroupsStartWith
  Claims__Graph__AppRolesClaim: graphAppRolesClaim
  Claims__Graph__MaxNames: string(graphMaxNames)
  Claims__Graph__Url: graphUrl
  Claims__Graph__Scope: graphScope
  Claims__Table__Name: tableName
  Claims__Table__Url: tableUrl
  Claims__Table__Claims: tableClaims
  Claims__Table__Lists: tableLists
  Claims__Table__ConnectionString: keyVaultReference(tableConnectionStringUri)
  AZURE_TENANT_ID: credentialTenantId
  AZURE_CLIENT_ID: usesManagedIdentity ? foundation.outputs.identityClientId : credentialClientId
  AZURE_CLIENT_SECRET: keyVaultReference(clientSecretUri)
}
var present = filter(items(union(settings, providerSettings)), setting => !empty(setting.value))
var appSettings = toObject(present, setting => setting.key, setting => setting.value)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

// Identity, storage, telemetry, and the roles. The app comes after it: its first start already reads with the identity.
module foundation 'foundation.bicep' = {
  name: 'foundation'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    zoneRedundant: zoneRedundant
    logRetentionDays: logRetentionDays
    uploaderPrincipalId: plan == 'premium' ? deployerPrincipalId : ''
  }
}

module network 'network.bicep' = if (virtualNetwork) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    suffix: suffix
    delegation: plan == 'flex' ? 'Microsoft.App/environments' : 'Microsoft.Web/serverFarms'
    natGatewayId: natGatewayId
  }
}

module flex 'flex.bicep' = if (plan == 'flex') {
  name: 'flex'
  scope: group
  params: {
    location: location
    tags: tags
    appName: appName
    identityId: foundation.outputs.identityId
    storageAccountName: foundation.outputs.storageAccountName
    packageContainerName: foundation.outputs.packageContainerName
    insightsName: foundation.outputs.insightsName
    subnetId: virtualNetwork ? network!.outputs.subnetId : ''
    appSettings: appSettings
    alwaysReadyInstances: alwaysReadyInstances
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    perInstanceConcurrency: perInstanceConcurrency
    zoneRedundant: zoneRedundant
  }
}

module premium 'premium.bicep' = if (plan == 'premium') {
  name: 'premium'
  scope: group
  params: {
    location: location
    tags: tags
    appName: appName
    identityId: foundation.outputs.identityId
    storageAccountName: foundation.outputs.storageAccountName
    packageContainerName: foundation.outputs.packageContainerName
    insightsName: foundation.outputs.insightsName
    subnetId: virtualNetwork ? network!.outputs.subnetId : ''
    appSettings: appSettings
    alwaysReadyInstances: alwaysReadyInstances
    zoneRedundant: zoneRedundant
  }
}

// What holds for the app on either plan.
module protection 'protection.bicep' = {
  name: 'protection'
  scope: group
  params: {
    appName: appName
    appServiceAuthentication: appServiceAuthentication
    authorityUrl: authorityUrl
    audienceAppId: audienceAppId
    authorizedPartyAppId: authorizedPartyAppId
    additionalCallerAppIds: additionalCallerAppIds
  }
  dependsOn: [
    flex
    premium
  ]
}

module alerts 'alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: foundation.outputs.workspaceId
    insightsId: foundation.outputs.insightsId
    hostName: protection.outputs.hostName
    email: alertEmail
    latencyThresholdMs: latencyThresholdMs
    expectTraffic: expectTraffic
  }
}

module workbook 'workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: foundation.outputs.workspaceId
  }
}

// azd writes these into its environment, where the hooks, docs/deploy.md and the pipeline find them.
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_FUNCTION_APP string = appName
output ENDPOINT_HOST string = protection.outputs.hostName
output ENDPOINT_URL string = 'https://${protection.outputs.hostName}/api/onTokenIssuanceStart'
output IDENTITY_PRINCIPAL_ID string = foundation.outputs.identityPrincipalId
output STORAGE_ACCOUNT string = foundation.outputs.storageAccountName
output PACKAGE_CONTAINER string = foundation.outputs.packageContainerName
output LOG_ANALYTICS_WORKSPACE_ID string = foundation.outputs.workspaceId
output ACTION_GROUP_ID string = alerts.outputs.actionGroupId
