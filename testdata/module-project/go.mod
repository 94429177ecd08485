module example.org/mymod

go 1.26.0

tool github.com/magefile/mage

require (
	github.com/kmodaudit/kmodaudit v0.0.0
	github.com/magefile/mage v1.17.2
)

replace github.com/kmodaudit/kmodaudit => ../..
