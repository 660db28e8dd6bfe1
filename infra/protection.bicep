// What guards the app: no passwords for publishing and, optionally, App Service authentication in front of the code.

param appName string

@description('Let App Service refuse callers before Python is reached. The code validates the token all the same.')
param appServiceAuthentication bool
param authorityUrl string
param audienceAppId string
param authorizedPartyAppId string

@description('Comma-separated.')
param additionalCallerAppIds string = ''

var callers = filter(split('${authorizedPartyAppId},${additionalCallerAppIds}', ','), id => !empty(trim(id)))

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName

  resource noFtpPassword 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noScmPassword 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }

  resource authentication 'config' = if (appServiceAuthentication) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: {
        requireAuthentication: true
        unauthenticatedClientAction: 'Return401'
        // The availability test has no token, and the answer names nobody.
        excludedPaths: ['/api/health']
      }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: audienceAppId
            openIdIssuer: '${authorityUrl}/v2.0'
          }
          validation: {
            allowedAudiences: [audienceAppId]
            defaultAuthorizationPolicy: { allowedApplications: map(callers, id => trim(id)) }
          }
        }
      }
      login: { tokenStore: { enabled: false } }
    }
  }
}

output hostName string = app.properties.defaultHostName
