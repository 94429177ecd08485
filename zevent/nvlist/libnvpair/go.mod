module github.com/kmodaudit/kmodaudit/zevent/nvlist/libnvpair

go 1.26.0

require github.com/kmodaudit/kmodaudit v0.0.0

replace github.com/kmodaudit/kmodaudit => ../../..
