module rehearsal.test/tls

go 1.21
