// Sends the tenant's sign-in logs to a workspace, where signin-alert.bicep looks for failed authentication events.
// Deployed by a person, once, and not with the app: it concerns every sign-in of the tenant, personal data, and money.
targetScope = 'tenant'

@description('The Log Analytics workspace that takes the logs.')
@minLength(1)
param workspaceId string

@description('Sign-ins without a person present, of which there are many more.')
param nonInteractive bool = true

resource signInLogs 'Microsoft.AADIAM/diagnosticSettings@2017-04-01' = {
  name: 'sign-ins-to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'SignInLogs', enabled: true }
      { category: 'NonInteractiveUserSignInLogs', enabled: nonInteractive }
    ]
  }
}
