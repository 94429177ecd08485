package framemap

import (
	"errors"
	"fmt"
)

// Bounds on a unit's abbreviations: what the attributes of entries are, of which entries only give the values. gcc writes some
// kilobytes for a unit, and at most 20 attributes.
const (
	maxAbbreviationBytes = 1 << 20
	maxAttributes        = 128
)

// Forms that need a look (DWARF 5, section 7.5.6).
const (
	formRefAddr       = 0x10
	formImplicitConst = 0x21
)

// abbreviations returns the table at an offset, without what follows it. debug/dwarf would make of 3 bytes a hundred, and
// make the table anew for each unit.
func abbreviations(section []byte, offset uint64) ([]byte, error) {
	if offset >= uint64(len(section)) {
		return nil, fmt.Errorf("abbreviations at byte %d of %d", offset, len(section))
	}
	table := section[offset:min(uint64(len(section)), offset+maxAbbreviationBytes)]
	b := cursor{data: table}
	for b.left() {
		if b.unsigned() == 0 {
			return section[:offset+uint64(len(table)-len(b.data))], nil
		}
		b.unsigned() // tag
		b.byte()     // whether there are children
		for n := 0; ; n++ {
			attribute, form := b.unsigned(), b.unsigned()
			switch {
			case b.failed || attribute == 0 && form == 0:
			case form == formRefAddr:
				return nil, errors.New("it refers to other units, as after link-time optimisation or dwz; give the object that the compiler wrote")
			case n == maxAttributes:
				return nil, fmt.Errorf("an entry has more than %d attributes", maxAttributes)
			default:
				if form == formImplicitConst {
					b.signed()
				}
				continue
			}
			break
		}
	}
	return nil, errors.New("its abbreviations do not end")
}
