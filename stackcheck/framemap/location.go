package framemap

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
)

// maxFrameBytes bounds offsets and sizes that are believed.
const maxFrameBytes = 1 << 30

// stackPointerAt is where the stack pointer is taken to be below the CFA, which where it is rounded down is not known: so far that what is told by the
// one and by the other shares nothing.
const stackPointerAt = -maxFrameBytes / 2

// Operations of location expressions (DWARF 5, section 7.7.1).
const (
	opPlus    = 0x23 // DW_OP_plus_uconst: adds a number to what was told before
	opReg0    = 0x50 // to opReg31
	opReg31   = 0x6f
	opBase0   = 0x70 // DW_OP_breg0: an offset from what register 0 holds; the others follow
	opFrame   = 0x91 // DW_OP_fbreg: an offset from the frame's base
	opPiece   = 0x93
	opCFA     = 0x9c // DW_OP_call_frame_cfa
	opWasInit = 0xf0 // DW_OP_GNU_uninit
)

// Kinds of entries of location lists (DWARF 5, section 7.7.3).
const (
	listEnd        = 0
	listBaseX      = 1
	listStartXEndX = 2
	listStartXLen  = 3
	listPair       = 4
	listDefault    = 5
	listBase       = 6
	listStartEnd   = 7
	listStartLen   = 8
)

// spans returns where in the frame a variable of so many bytes lies.
func (u *unit) spans(f *dwarf.Field, bytes int64) []Span {
	var spans []Span
	u.each(f, func(_, _ uint64, expression []byte) { spans = append(spans, u.inFrame(expression, bytes)...) })
	if f.Class == dwarf.ClassLocListPtr || f.Class == dwarf.ClassLocList {
		return union(spans)
	}
	return spans
}

// locations reads those of a unit's variables.
type locations struct {
	*reading
	version   int
	order     binary.ByteOrder
	base      uint64 // what addresses in lists are relative to
	listsBase int64  // where the table of lists that have numbers begins in .debug_loclists
}

// settle takes from the unit's first entry what its lists need.
func (l *locations) settle(root *dwarf.Entry) {
	if base, ok := root.Val(dwarf.AttrLoclistsBase).(int64); ok {
		l.listsBase = base
	}
	if base, ok := root.Val(dwarf.AttrLowpc).(uint64); ok {
		l.base = base
	}
}

// anywhere is the end of what holds for all of a scope, and unknown that of what holds where these lists are not read to tell.
const (
	anywhere = ^uint64(0)
	unknown  = uint64(0)
)

// each visits the expressions of a location, with the addresses from which on, and up to which, each holds.
func (l *locations) each(f *dwarf.Field, visit func(from, to uint64, expression []byte)) {
	switch f.Class {
	case dwarf.ClassExprLoc, dwarf.ClassBlock:
		expression, _ := f.Val.([]byte)
		visit(0, anywhere, expression)
	case dwarf.ClassLocListPtr:
		switch at, ok := f.Val.(int64); {
		case !ok:
		case l.version >= 5:
			l.eachInList(at, visit)
		default:
			l.eachInOldList(at, visit)
		}
	case dwarf.ClassLocList:
		if number, ok := f.Val.(uint64); ok && number <= maxFrameBytes {
			table := cursor{data: l.sections.loclists}
			table.skip(l.listsBase + 4*int64(number))
			if offset := table.fixed(4, l.order); !table.failed {
				l.eachInList(l.listsBase+int64(offset), visit)
			}
		}
	}
}

// inFrame returns what an expression tells of places in the frame: all of the variable, or pieces. What is computed otherwise from
// such a place is none.
func (u *unit) inFrame(expression []byte, bytes int64) []Span {
	b := cursor{data: expression}
	var spans []Span
	for b.left() {
		offset, isFrame := int64(0), false
		switch op := b.byte(); {
		case op == opFrame, op == opBase0+u.stackPointer():
			offset, isFrame = b.signed(), true
			for b.left() && b.peek() == opPlus {
				b.byte()
				offset += int64(min(b.unsigned(), maxFrameBytes))
			}
			if op != opFrame && u.belowCFA { // clang has both, and its frame's base is the stack pointer
				offset += stackPointerAt
			}
		case op >= opReg0 && op <= opReg31, op == opPiece:
			if op == opPiece {
				b.unsigned()
				continue
			}
		default:
			return nil
		}
		size := bytes
		for b.left() && b.peek() == opWasInit {
			b.byte()
		}
		if b.left() {
			if b.byte() != opPiece {
				return nil
			}
			size = int64(min(b.unsigned(), maxFrameBytes))
		}
		if isFrame {
			spans = u.appendSpan(spans, offset, size)
		}
	}
	if b.failed {
		return nil
	}
	return spans
}

// stackPointer returns the number of that register.
func (u *unit) stackPointer() byte {
	if u.file.Machine == elf.EM_AARCH64 {
		return 31
	}
	return 7
}

// appendSpan adds a place, as far as it lies below the CFA: above are the arguments that the caller has pushed.
func (u *unit) appendSpan(spans []Span, offset, bytes int64) []Span {
	if bytes <= 0 || bytes > maxFrameBytes || offset < -maxFrameBytes || offset > maxFrameBytes {
		return spans
	}
	s := Span{int(offset), int(offset + bytes)}
	if u.belowCFA {
		s.To = min(s.To, 0)
	}
	if s.From >= s.To {
		return spans
	}
	return append(spans, s)
}

// eachInList visits the expressions of the list at an offset of .debug_loclists.
func (l *locations) eachInList(at int64, visit func(from, to uint64, expression []byte)) {
	b := cursor{data: l.sections.loclists}
	b.skip(at)
	for base := l.base; b.left(); {
		from, to := unknown, unknown
		switch b.byte() {
		case listEnd:
			return
		case listBaseX:
			b.unsigned()
			base = unknown
			continue
		case listBase:
			base = b.fixed(8, l.order)
			continue
		case listStartXEndX, listStartXLen:
			b.unsigned()
			b.unsigned()
		case listPair:
			if from, to = b.unsigned(), b.unsigned(); base == unknown && l.file.Linked {
				from, to = unknown, unknown
			} else {
				from, to = base+from, base+to
			}
		case listDefault:
		case listStartEnd:
			from, to = b.fixed(8, l.order), b.fixed(8, l.order)
		case listStartLen:
			from = b.fixed(8, l.order)
			to = from + b.unsigned()
		default:
			return
		}
		expression := b.take(b.unsigned())
		if b.failed || !l.spend(4+len(expression)) {
			return
		}
		visit(from, to, expression)
	}
}

// eachInOldList visits the expressions of the list at an offset of .debug_loc, of DWARF 4.
func (l *locations) eachInOldList(at int64, visit func(from, to uint64, expression []byte)) {
	b := cursor{data: l.sections.loc}
	b.skip(at)
	for base := l.base; b.left(); {
		from, to := b.fixed(8, l.order), b.fixed(8, l.order)
		if b.failed || from == 0 && to == 0 {
			return
		}
		if from == ^uint64(0) {
			base = to
			continue
		}
		expression := b.take(b.fixed(2, l.order))
		if b.failed || !l.spend(16+len(expression)) {
			return
		}
		visit(base+from, base+to, expression)
	}
}

// A cursor takes values from data. What is behind its end is zero, and noted.
type cursor struct {
	data   []byte
	failed bool
}

func (c *cursor) left() bool { return len(c.data) > 0 && !c.failed }

func (c *cursor) peek() byte { return c.data[0] }

func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.data)) {
		c.failed, c.data = true, nil
		return nil
	}
	taken := c.data[:n]
	c.data = c.data[n:]
	return taken
}

func (c *cursor) skip(n int64) { c.take(uint64(n)) }

func (c *cursor) byte() byte {
	if b := c.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// fixed takes a number of 1, 2, 4 or 8 bytes.
func (c *cursor) fixed(bytes int, order binary.ByteOrder) uint64 {
	b := c.take(uint64(bytes))
	if b == nil {
		return 0
	}
	switch bytes {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	}
	return order.Uint64(b)
}

// unsigned takes an ULEB128.
func (c *cursor) unsigned() uint64 {
	n, length := binary.Uvarint(c.data)
	if length <= 0 {
		c.failed, c.data = true, nil
		return 0
	}
	c.data = c.data[length:]
	return n
}

// signed takes an SLEB128.
func (c *cursor) signed() int64 {
	var n int64
	for shift := 0; shift < 64; shift += 7 {
		if !c.left() {
			break
		}
		b := c.byte()
		n |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if shift += 7; b&0x40 != 0 && shift < 64 {
				n |= -1 << shift
			}
			return n
		}
	}
	c.failed, c.data = true, nil
	return 0
}

// string takes bytes up to a NUL.
func (c *cursor) string() string {
	for i, b := range c.data {
		if b == 0 {
			s := string(c.data[:i])
			c.data = c.data[i+1:]
			return s
		}
	}
	c.failed, c.data = true, nil
	return ""
}
