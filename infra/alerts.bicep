// When somebody should look: late answers, failures, refused callers, silence, and a health page that does not answer.
// The queries are files of their own, to be tried in the portal as they are. They count authenticated calls: what strangers
// send, and how often, decides nothing but the alert 'refusing'. What a deployment or a restart costs, a minute, lies in two
// windows of five minutes at most: 'late', 'failing' and 'over-budget' need three in a row.

param location string
param tags object
param workspaceId string
param insightsId string
param hostName string

@description('Who hears of it; empty: the alerts show in the portal only.')
param email string = ''
param latencyThresholdMs int
param expectTraffic bool

var rules = [
  {
    name: 'late'
    description: 'The p95 of the answers is too near to Entra\'s timeout.'
    query: loadTextContent('queries/alert-p95.kql')
    measure: 'p95_ms'
    operator: 'GreaterThan'
    threshold: latencyThresholdMs
    severity: 2
    window: 'PT5M'
    periods: 3
    enabled: true
  }
  {
    name: 'failing'
    description: 'More than 2 % of the authenticated calls are answered 5xx: these users get no token.'
    query: loadTextContent('queries/alert-server-errors.kql')
    measure: 'share_percent'
    operator: 'GreaterThan'
    threshold: 2
    severity: 1
    window: 'PT5M'
    periods: 3
    enabled: true
  }
  {
    name: 'refusing'
    description: 'More calls are answered 401 than are authenticated: strangers are probing, or the settings refuse Entra.'
    query: loadTextContent('queries/alert-refused-callers.kql')
    measure: 'share_percent'
    operator: 'GreaterThan'
    threshold: 100
    severity: 2
    window: 'PT15M'
    periods: 1
    enabled: true
  }
  {
    name: 'over-budget'
    description: 'More than 1 % of the authenticated calls waited for the whole budget: the data source is too slow.'
    query: loadTextContent('queries/alert-over-budget.kql')
    measure: 'share_percent'
    operator: 'GreaterThan'
    threshold: 1
    severity: 2
    window: 'PT5M'
    periods: 3
    enabled: true
  }
  {
    name: 'silent'
    description: 'No authenticated call for an hour: Entra is not calling, or is refused, or nothing is logged.'
    query: loadTextContent('queries/alert-no-traffic.kql')
    measure: 'calls'
    operator: 'LessThan'
    threshold: 1
    severity: 2
    window: 'PT1H'
    periods: 1
    enabled: expectTraffic
  }
  {
    name: 'failing-few'
    description: 'Within an hour two or more authenticated calls, and a fifth of all, failed or came too late for Entra.'
    query: loadTextContent('queries/alert-few-failures.kql')
    measure: 'share_percent'
    operator: 'GreaterThanOrEqual'
    threshold: 20
    severity: 1
    window: 'PT1H'
    periods: 1
    enabled: true
  }
  {
    name: 'gone-silent'
    description: 'No authenticated call for a day, after a day with at least 20. After a holiday this is no fault.'
    query: loadTextContent('queries/alert-gone-silent.kql')
    measure: 'calls'
    operator: 'LessThan'
    threshold: 1
    severity: 3
    window: 'P2D'
    periods: 1
    enabled: true
  }
]

var introduction = '''# Claims endpoint

What Entra asked, what it was answered, and where the time went. Times are milliseconds. A call that takes more than 2000 is
a failed sign-in.'''

var views = loadYamlContent('workbook.yaml')

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-claims'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'claims'
    enabled: true
    emailReceivers: [{ name: 'mail', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: 'claims-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Claims endpoint: ${rule.name}'
      description: rule.description
      severity: rule.severity
      enabled: rule.enabled
      scopes: [workspaceId]
      evaluationFrequency: rule.window == 'P2D' ? 'PT1H' : 'PT5M'
      windowSize: rule.window
      // A new workspace does not know its tables before the first line arrives.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: rule.query
            metricMeasureColumn: rule.measure
            timeAggregation: 'Maximum'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: rule.periods, minFailingPeriodsToAlert: rule.periods }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]

// Also what keeps an eye on the way in: DNS, TLS, the front end.
resource probe 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'claims-health'
  location: location
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'claims-health'
    Name: 'Claims endpoint: health'
    Kind: 'standard'
    Enabled: true
    Frequency: 300
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'emea-gb-db3-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'us-tx-sn1-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: 'https://${hostName}/api/health'
      HttpVerb: 'GET'
      FollowRedirects: false
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource unhealthy 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'claims-unhealthy'
  location: 'global'
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource', 'hidden-link:${probe.id}': 'Resource' })
  properties: {
    description: 'The health page does not answer 200 from two places of five: no signing keys, or nobody gets through.'
    severity: 1
    enabled: true
    scopes: [probe.id, insightsId]
    evaluationFrequency: 'PT1M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: probe.id
      componentId: insightsId
      failedLocationCount: 2
    }
    autoMitigate: true
    actions: empty(email) ? [] : [{ actionGroupId: people.id }]
  }
}

// One page to look at: volume, times by phase, outcomes, caches, cold starts.
// Source: the format is Azure Monitor's Notebook/1.0, as the portal exports it.
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
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat(
        [{ type: 1, name: 'introduction', content: { json: introduction } }],
        map(views, view => {
          type: 3
          name: view.name
          content: {
            version: 'KqlItem/1.0'
            title: view.title
            query: view.query
            queryType: 0
            resourceType: 'microsoft.operationalinsights/workspaces'
            size: 0
            visualization: view.shown
          }
        })
      )
      fallbackResourceIds: [workspaceId]
    })
  }
}

output actionGroupId string = empty(email) ? '' : people.id
