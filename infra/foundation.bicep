// What the app stands on: who it is, where its package lies, where its logs go, and what it may do there.
// The roles are here and not beside the app, so that the app cannot be made before they are.

param location string
param tags object

@description('The names of identity, storage, containers, workspace and insights. main.bicep decides them, so that a preview knows them.')
param names object
param zoneRedundant bool
param logRetentionDays int

@description('Gigabytes of logs a day after which Azure drops the rest until the next day; -1: no limit.')
param dailyLogCapGb int
param virtualNetwork bool

@description('The NAT gateway of the subnet; empty: none.')
param natGatewayId string
param sharedCache bool

var storageBlobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var monitoringMetricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.identity
  location: location
  tags: tags
}

// No key opens it: the platform and the people come with tokens.
resource storage 'Microsoft.Storage/storageAccounts@2026-06-01' = {
  name: names.storage
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowSharedKeyAccess: false
    allowBlobPublicAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
  }

  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 7 }
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
    }

    resource containers 'containers' = [
      for name in names.containers: {
        name: name
        properties: { publicAccess: 'None' }
      }
    ]
  }
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: names.workspace
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: logRetentionDays
    workspaceCapping: { dailyQuotaGb: dailyLogCapGb }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: names.insights
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // Telemetry is taken from identities with the role below, not from whoever knows the connection string.
    DisableLocalAuth: true
  }
}

// Only these containers, not the account: what else somebody stores there stays out of the app's reach.
resource mayUseContainers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, i) in names.containers: {
    name: guid(storage.id, name, identity.id, storageBlobDataOwner)
    scope: storage::blobs::containers[i]
    properties: {
      principalId: identity.properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', storageBlobDataOwner)
    }
  }
]

resource mayWriteTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, identity.id, monitoringMetricsPublisher)
  scope: insights
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', monitoringMetricsPublisher)
  }
}

// A network for the app's way out, to a data source that is not on the internet. Nothing comes in through it: Entra calls
// the app's public name. The signing keys are fetched through it too, so the way to the internet has to stay open.
resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = if (virtualNetwork) {
  name: names.network
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.77.0.0/24'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.77.0.0/26'
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
          natGateway: empty(natGatewayId) ? null : { id: natGatewayId }
        }
      }
    ]
  }
}

// Last good claims for all instances: Azure Managed Redis, which takes the app's identity and no key, keeps nothing on a
// disk, and lets every value go at its own time. The app needs it for Claims__OnFailure=stale only, and does without it
// when it is down.
resource cache 'Microsoft.Cache/redisEnterprise@2025-07-01' = if (sharedCache) {
  name: names.cache
  location: location
  tags: tags
  sku: { name: 'Balanced_B0' } // the smallest: 0.5 GB, some 100,000 users and applications
  properties: {
    minimumTlsVersion: '1.2'
    highAvailability: 'Enabled'
    publicNetworkAccess: 'Enabled' // the app has no private network of its own unless virtualNetwork is set
  }

  resource database 'databases' = {
    name: 'default'
    properties: {
      port: 10000
      clientProtocol: 'Encrypted'
      clusteringPolicy: 'EnterpriseCluster' // one address for clients that know nothing of the cluster
      evictionPolicy: 'VolatileTTL'
      accessKeysAuthentication: 'Disabled'
      persistence: { aofEnabled: false, rdbEnabled: false }
    }

    resource mayUse 'accessPolicyAssignments' = {
      name: 'app'
      properties: {
        accessPolicyName: 'default'
        user: { objectId: identity.properties.principalId }
      }
    }
  }
}

output identityPrincipalId string = identity.properties.principalId
output subnetId string = virtualNetwork ? network!.properties.subnets[0].id : ''
