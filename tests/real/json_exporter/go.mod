module rehearsal.example/tests/real/json-exporter

go 1.23

require github.com/prometheus-community/json_exporter v0.7.0
