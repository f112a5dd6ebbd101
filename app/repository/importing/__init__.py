"""Loading objects in the API's own shape: read, check everything, then write whole or not at all.

`documents` reads files into objects, `readers` turns an object into columns by the catalog's rows,
`tenancy` and `ledger` check what objects say of each other, `checking` does all that and fills the
`spool`, `loading` writes the spool into the tables.
"""
