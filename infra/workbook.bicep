// One page to look at: volume, times by phase, outcomes, caches, cold starts. workbook.json is generated from queries/.

param location string
param tags object
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'claims-endpoint')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Claims endpoint'
    category: 'workbook'
    version: 'Notebook/1.0'
    sourceId: workspaceId
    serializedData: replace(loadTextContent('workbook.json'), '{workspaceId}', workspaceId)
  }
}
