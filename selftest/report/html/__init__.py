"""The report as one page of HTML: no network, no script, light and dark, on paper and on a phone.

The way of the data: results → pictures (SVG) and sections (plain values) → templates → one file. Text from a run, and
so from the endpoint, is only ever put in by the templates, which escape it; no picture holds any.
"""
