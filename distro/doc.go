// Package distro gets kernels, module sources and tools from the distribution of
// this machine, Debian or Ubuntu, through its own apt.
//
// Everything but tools is unpacked into a directory and not installed. The
// package index lies in a private Dir::State (apt.conf(5)), since the module's source may be in a
// component that the machine does not use: contrib on Debian, universe on
// Ubuntu. The machine's own index, sources and package list stay as they are; only
// [Apt.Install] changes the machine, and installs what is missing.
package distro
