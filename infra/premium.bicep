// The app on Elastic Premium EP1: instances that are always there, and one more kept warm.
// The usual content share would need the storage account's key, so the app runs from the package's blob, read with its
// identity. azd cannot upload to it: docs/deploy.md has the two commands.

param location string
param tags object
param appName string
param identityId string
param storageAccountName string
param packageContainerName string
param insightsName string

@description('The delegated subnet for outbound traffic; empty: none.')
param subnetId string
param appSettings object
param alwaysReadyInstances int
param zoneRedundant bool

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: last(split(identityId, '/'))
}

resource storage 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

var hostSettings = {
  // Microsoft's host answers a larger body with an empty 500 from the length that the request announces. By its default,
  // 100 MB, a stranger's bodies would be held in memory before the endpoint looks at the token.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '65536' // bytes; the endpoint's own limit
  FUNCTIONS_EXTENSION_VERSION: '~4'
  FUNCTIONS_WORKER_RUNTIME: 'python'
  WEBSITE_RUN_FROM_PACKAGE: '${storage.properties.primaryEndpoints.blob}${packageContainerName}/package.zip'
  WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID: identityId
  AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${appName}'
  location: location
  tags: tags
  kind: 'elastic'
  sku: { name: 'EP1', tier: 'ElasticPremium', capacity: alwaysReadyInstances }
  properties: {
    reserved: true // Linux
    maximumElasticWorkerCount: 20
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: appName
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      linuxFxVersion: 'Python|3.13'
      minimumElasticInstanceCount: alwaysReadyInstances
      preWarmedInstanceCount: 1
      healthCheckPath: '/api/health'
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      appSettings: map(items(union(appSettings, hostSettings)), setting => { name: setting.key, value: setting.value })
    }
  }
}
