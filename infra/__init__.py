"""Deploys the endpoint: the package, the Azure resources and the Entra objects. Nothing here is deployed itself."""
