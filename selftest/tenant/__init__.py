"""What works on a real tenant: Microsoft Graph, the Entra objects, the doctor, the sign-in log and the direct call."""
