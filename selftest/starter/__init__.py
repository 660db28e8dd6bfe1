"""The starter: a copy of the endpoint for a team of its own, made by one command and updated by another.

`answers` validates what was asked, `contents` lists the files of a copy, `manifest` remembers what was written,
`comparison` decides what an update does to each file, and `writing` does it so that an interruption loses nothing.
`tool_wheel` packs the installed tool, so that the copy runs the version that made it.

The engine is small and ours. copier was measured (9.19): it brings 14 further distributions (15 MB: pydantic, prompt
toolkit, plumbum and others) into an installation that should be lean, and it needs git: it updates by a three-way merge
between tags of a template's repository, and here the template is data in a wheel, without a repository or an index. What
remains is text with placeholders and a comparison of hashes. Placeholders are those of `string.Template` behind ``@@``,
because ``$`` and ``{{`` have a meaning in makefiles and workflows.

Files of this repository that a copy has unchanged are not kept twice: a build of the wheel takes them in below
``repository/``, and in a checkout they are read in place. Only what differs in a copy is in ``template/``.
"""
