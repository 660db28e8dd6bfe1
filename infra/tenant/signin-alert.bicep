// Alerts on what only Entra knows: that it called, and could not use the answer or got none.
// Deployed by hand into the resource group of the workspace that signin-logs.bicep fills.

param location string = resourceGroup().location

@description('The Log Analytics workspace that has the sign-in logs.')
@minLength(1)
param workspaceId string

@description('The id of the custom authentication extension.')
@minLength(36)
@maxLength(36)
param extensionId string

@description('Who hears of it; empty: the alert shows in the portal only.')
param actionGroupId string = ''

resource failedEvents 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = {
  name: 'claims-failed-sign-ins'
  location: location
  kind: 'LogAlert'
  properties: {
    displayName: 'Claims endpoint: sign-ins that failed'
    description: 'Entra called the endpoint and could not use the answer. entra-selftest explain CODE says why.'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: replace(loadTextContent('../queries/alert-signin-errors.kql'), '{extensionId}', extensionId)
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: empty(actionGroupId) ? [] : [actionGroupId] }
  }
}
