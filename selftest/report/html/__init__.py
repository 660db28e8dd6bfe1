"""The report as one page of HTML: no network, no script, light and dark, on paper and on a phone.

The data flow: results → figures (SVG) and sections (plain values) → templates → one file. Only the templates insert
text of a run, and so of the endpoint, and they escape it; no figure contains any.
"""
