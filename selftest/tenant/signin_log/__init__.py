"""Entra's sign-in log next to the endpoint's log: what Entra saw of each call, what the endpoint did, what it means.

Sign-in logs contain personal data. The members that leave this package are chosen one by one: times, ids of sign-ins
and applications, codes, counts and durations. User names, mail addresses and IP addresses are never read from a row.
"""
