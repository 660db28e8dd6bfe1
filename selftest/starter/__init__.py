"""The starter: a copy of the endpoint for a team of its own, made by one command and updated by another.

`answers` validates what was asked, `contents` lists the files of a copy, `manifest` remembers what was written,
`comparison` decides what an update does to each file, and `writing` does it so that an interruption loses nothing.
`tool_wheel` packs the installed tool, so that the copy runs the version that made it.

The engine is a small one of this project. copier was measured (9.19): it adds 14 distributions (15 MB: pydantic,
prompt toolkit, plumbum and others) to an installation that should stay lean, and its update is a three-way merge
between two tags of a template's Git repository, while this template is data in a wheel. What remains is text with
placeholders and a comparison of hashes. Placeholders are those of `string.Template` with the delimiter ``@@``, because
``$`` and ``{{`` have a meaning in makefiles and workflows.

Files that a copy shares with this repository exist once: the build of the wheel puts them into ``repository/``, and in
a checkout they are read in place. Only what differs in a copy is in ``template/``.
"""
