module rehearsal.example/http2

go 1.24
