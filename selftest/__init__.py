"""The harness: plays Microsoft Entra against an endpoint on this machine and judges what it answers.

Never deployed. It shares with the endpoint only ``claims.contract``, the names and limits that Microsoft fixes.
"""
