"""Where the evidence of the doctor comes from: files, Microsoft Graph, and the endpoint itself."""
