// Last good claims for all instances: Azure Managed Redis, which takes the app's identity and no key, keeps nothing on a
// disk, and lets every value go at its own time. The app needs it for Claims__OnFailure=stale only, and does without it
// when it is down.

param location string
param tags object
param name string

@description('The identity of the app.')
param identityName string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

resource cache 'Microsoft.Cache/redisEnterprise@2025-07-01' = {
  name: name
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
