module example.org/proxies

go 1.19
