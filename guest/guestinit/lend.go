//go:build linux

package main

import "github.com/kmodaudit/kmodaudit/guest/wire"

// leastLentBytes is where a text takes the serial port longer than memory takes the host.
const leastLentBytes = 256

// lender puts texts into memory that the host sees too, one after the other while there is room.
type lender struct {
	memory []byte
	next   int64
}

func (l *lender) lend(r *wire.Record) {
	size := int64(len(r.Text))
	if size < leastLentBytes || size > int64(len(l.memory))-l.next {
		return
	}
	copy(l.memory[l.next:], r.Text)
	r.Lent, r.Text = &wire.Area{Offset: l.next, Bytes: size}, ""
	l.next += size
}
