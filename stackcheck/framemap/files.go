package framemap

import "path"

// Forms and contents of the tables of files (DWARF 5, sections 6.2.4 and 7.22).
const (
	formBlock    = 0x09
	formData1    = 0x0b
	formData2    = 0x05
	formData4    = 0x06
	formData8    = 0x07
	formData16   = 0x1e
	formString   = 0x08
	formStrp     = 0x0e
	formUdata    = 0x0f
	formLineStrp = 0x1f

	contentPath      = 1
	contentDirectory = 2

	// mostFiles bounds the files, and the directories, of a unit. One of the kernel has some hundred.
	mostFiles = 1 << 16
)

// readFiles returns the files that a unit's line table names, by the number by which entries name them. What cannot be read
// is missing.
func (u *unit) readFiles(offset int64, directory string) []string {
	b := cursor{data: u.sections.line}
	b.skip(offset)
	b.data = b.take(b.fixed(4, u.order))
	version := b.fixed(2, u.order)
	if version >= 5 {
		b.skip(2) // size of addresses and of segment selectors
	}
	b.skip(4 + 1) // length of the header, of instructions
	if version >= 4 {
		b.skip(1)
	}
	b.skip(3) // whether a row begins a statement, base and range of lines
	if opcodes := b.byte(); opcodes > 0 {
		b.skip(int64(opcodes) - 1)
	}
	if version >= 5 {
		directories := u.readTable(&b, nil)
		return u.readTable(&b, directories)
	}
	return readOldTables(&b, directory)
}

// readTable reads the table of directories, or that of files, in which case the directories are given.
func (u *unit) readTable(b *cursor, directories []string) []string {
	type column struct{ content, form uint64 }
	columns := make([]column, b.byte())
	for i := range columns {
		columns[i] = column{b.unsigned(), b.unsigned()}
	}
	count := b.unsigned()
	if count > mostFiles || len(columns) == 0 {
		return nil
	}
	var names []string
	for range count {
		name, directory := "", uint64(0)
		for _, c := range columns {
			text, number, ok := u.lineValue(b, c.form)
			if !ok {
				return names
			}
			switch c.content {
			case contentPath:
				name = text
			case contentDirectory:
				directory = number
			}
		}
		if directory < uint64(len(directories)) {
			name = inDirectory(directories[directory], name)
		}
		if b.failed || !u.spend(len(name)) {
			return names
		}
		names = append(names, name)
	}
	return names
}

func (u *unit) lineValue(b *cursor, form uint64) (text string, number uint64, ok bool) {
	at := func(section []byte) string {
		s := cursor{data: section}
		s.skip(int64(b.fixed(4, u.order)))
		s.data = s.data[:min(len(s.data), maxPathBytes)]
		return s.string()
	}
	switch form {
	case formString:
		text = b.string()
	case formLineStrp:
		text = at(u.sections.lineStr)
	case formStrp:
		text = at(u.sections.str)
	case formUdata:
		number = b.unsigned()
	case formData1:
		number = b.fixed(1, u.order)
	case formData2:
		number = b.fixed(2, u.order)
	case formData4:
		number = b.fixed(4, u.order)
	case formData8:
		number = b.fixed(8, u.order)
	case formData16:
		b.skip(16)
	case formBlock:
		b.take(b.unsigned())
	default:
		return "", 0, false
	}
	return text, number, true
}

// maxPathBytes is Linux's PATH_MAX.
const maxPathBytes = 4096

// readOldTables reads those of DWARF up to 4, in which numbers begin at 1: 0 is the directory of the compiler.
func readOldTables(b *cursor, directory string) []string {
	directories := []string{directory}
	for len(directories) < mostFiles {
		name := b.string()
		if name == "" {
			break
		}
		directories = append(directories, name)
	}
	names := []string{""}
	for len(names) < mostFiles {
		name := b.string()
		if name == "" {
			break
		}
		number := b.unsigned()
		b.unsigned() // time
		b.unsigned() // length
		if number > 0 && number < uint64(len(directories)) {
			name = inDirectory(directories[number], name)
		}
		names = append(names, name)
	}
	return names
}

func inDirectory(directory, name string) string {
	if path.IsAbs(name) || directory == "" {
		return name
	}
	return path.Join(directory, name)
}
