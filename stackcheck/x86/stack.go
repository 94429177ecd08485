package x86

const stackPointer = 4 // the number of its register

// Pushed returns by how many bytes an instruction makes the stack deeper, if that is known, and if the next one follows: a
// conditional jump is not taken, and a call comes back. Code is that of the instruction. What rounding the stack pointer down may take is not
// counted.
func (i *Instruction) Pushed(code []byte) (bytes int, ok bool) {
	if i.Vector || opcodeMaps[i.Map][i.Opcode]&told == 0 {
		return 0, false
	}
	if i.Map == 0 {
		switch op := i.Opcode; {
		case op>>3 == 0x50>>3, op == 0x68, op == 0x6a, op == 0xff && i.Reg == 6: // PUSH
			return 8, !i.Word
		case op>>3 == 0x58>>3: // POP
			return -8, !i.Word && !i.isOfStackPointer()
		case op>>3 == 0xb8>>3: // MOV
			return 0, !i.isOfStackPointer()
		case op == 0xff && (i.Reg == 4 || i.Reg == 5): // JMP
			return 0, false
		case (op == 0x81 || op == 0x83) && i.writesStackPointer() && i.REX&REXW != 0 && !i.Word:
			return i.arithmetic(code)
		}
	}
	return 0, !i.writesStackPointer()
}

// isOfStackPointer reports whether the register that the opcode names is the stack pointer.
func (i *Instruction) isOfStackPointer() bool { return i.Opcode&7 == stackPointer && i.REX&REXB == 0 }

func (i *Instruction) writesStackPointer() bool {
	what := opcodeMaps[i.Map][i.Opcode]
	return what&toRM != 0 && i.isRM(stackPointer) || what&toReg != 0 && i.Register() == stackPointer
}

// isRM reports whether rm names a register, and that.
func (i *Instruction) isRM(register byte) bool {
	return i.Mode == 3 && i.RM == register && i.REX&REXB == 0
}

// arithmetic is what an instruction of group 1 does to the stack pointer.
func (i *Instruction) arithmetic(code []byte) (bytes int, ok bool) {
	n := int(Signed(code[i.Immediate:][:i.ImmediateBytes]))
	switch i.Reg {
	case 0: // ADD
		return -n, true
	case 5: // SUB
		return n, true
	}
	return 0, i.Reg == 4 || i.Reg == 7 // AND, CMP
}

// Alignment returns what the instruction rounds the stack pointer down to, in bytes, or 0 if it does not: AND $-n,%rsp.
func (i *Instruction) Alignment(code []byte) int {
	isAnd := i.Map == 0 && !i.Vector && (i.Opcode == 0x81 || i.Opcode == 0x83) && i.Reg == 4
	if !isAnd || i.REX&REXW == 0 || !i.isRM(stackPointer) {
		return 0
	}
	n := -int(Signed(code[i.Immediate:][:i.ImmediateBytes]))
	if n <= 0 || n&(n-1) != 0 {
		return 0
	}
	return n
}

// Writes reports whether an instruction writes the register that reg of ModRM names, and what rm names; ok if that is known, and all that it
// writes but flags and what an opcode names.
func (i *Instruction) Writes() (reg, rm, ok bool) {
	if i.Vector {
		return false, false, false
	}
	what := opcodeMaps[i.Map][i.Opcode]
	return what&toReg != 0, what&toRM != 0, what&told != 0
}
