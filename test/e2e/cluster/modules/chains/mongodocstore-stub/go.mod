module gocloud.dev/docstore/mongodocstore

go 1.20
