module rehearsal.test/streams/http2

go 1.26
