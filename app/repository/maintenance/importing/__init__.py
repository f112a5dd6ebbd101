"""Loading objects in the API's own shape: read, check everything, then write whole or not at all.

`window` and `documents` read files into objects; `values`, `members` and `readers` turn an object
into columns by the catalog's rows, which `layout` puts in the tables' order; `candidates` and
`checking` judge each object, `tenancy`, `presence` and `ledger` what it says of others. The rows of
good ones wait in the `spool` until `loading` writes them, and `reindexing` builds indexes behind
them. `intake` is the act.
"""
