"""The sign-in log beside the endpoint's own: what Entra saw of each call, what the endpoint did, and what that means.

Sign-in logs are full of people. What leaves this package is chosen member by member: times, ids of sign-ins and
applications, codes, counts and durations. User names, mail addresses and IP addresses are never read out of a row.
"""
