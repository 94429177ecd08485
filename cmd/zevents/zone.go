package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
)

// localZone is the zone that TZ names for the C library. local is that of the
// Go runtime, which reads names of files but no rules such as CET-1CEST (POSIX.1,
// Base Definitions 8.3), and takes UTC for what it does not know.
func localZone(local *time.Location, tz string, stderr io.Writer) *time.Location {
	tz = strings.TrimPrefix(tz, ":")
	if tz == "" || tz == "UTC" || local.String() != "UTC" {
		return local
	}
	if zone := ruledZone(tz); zone != nil {
		return zone
	}
	fmt.Fprintf(stderr, "zevents: no time zone is called TZ=%q; times are UTC, choose a name such as Europe/Paris\n", tz)
	return time.UTC
}

// ruledZone is the zone of a rule, or nil if it is none. The runtime knows such rules
// in the footer of a zone's file (RFC 9636), so it is given a file that has
// nothing else.
func ruledZone(rule string) *time.Location {
	const noRule = "?"
	header := func(types, characters uint32) []byte {
		b := append([]byte("TZif2"), make([]byte, 15)...)
		for _, count := range []uint32{0, 0, 0, 0, types, characters} {
			b = binary.BigEndian.AppendUint32(b, count)
		}
		return b
	}
	name := noRule + "\x00"
	file := header(0, 0) // the part for readers of version 1
	file = append(file, header(1, uint32(len(name)))...)
	file = append(file, 0, 0, 0, 0, 0, 0) // of the one type: offset, no daylight saving, index of its name
	file = append(append(file, name...), "\n"+rule+"\n"...)
	zone, err := time.LoadLocationFromTZData(rule, file)
	if err != nil {
		return nil
	}
	if used, _ := time.Unix(0, 0).In(zone).Zone(); used == noRule {
		return nil
	}
	return zone
}
