package proc

import "syscall"

// endWithParent has the kernel send SIGTERM when the parent dies, however it does. It is
// the death of the thread that counts (prctl(2), PR_SET_PDEATHSIG); Go ends threads only when a
// goroutine that was locked to one returns.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGTERM }
