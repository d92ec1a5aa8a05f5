module mail

go 1.21
