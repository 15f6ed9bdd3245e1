module github.com/serialkit/serialkit/mutants

go 1.26.0
