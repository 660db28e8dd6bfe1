// A network for the app's way out, to a data source that is not on the internet. Nothing comes in through it: Entra calls
// the app's public name. The signing keys are fetched through it too, so the way to the internet has to stay open.

param location string
param tags object
param suffix string

@description('The NAT gateway of the subnet; empty: none.')
param natGatewayId string = ''

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: 'vnet-claims-${suffix}'
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

output subnetId string = network.properties.subnets[0].id
