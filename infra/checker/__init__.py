"""What can be held against a Bicep file without the compiler, and against the files around it.

The compiler needs the network and Azure's own binaries; this needs neither, so it runs with the tests and before every
deployment. It does not replace the compiler: it knows nothing of expression types beyond the plain ones, of function
signatures, user-defined types or the linter's rules. Before the first deployment, run `az bicep build` and
`azd provision --preview`.

A finding means that something is wrong. Silence means that nothing of what is looked for was found.
"""
