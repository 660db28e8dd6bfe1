"""B: the body of a callout."""

from selftest.checks.body import event, form, media_type, precedence
