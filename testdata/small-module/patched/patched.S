# Functions of which tables say that the kernel changes them when it starts, or that they go on elsewhere: a way that takes more stack is
# found only by the table. FEATURE is the directive for that field of struct alt_instr, whose size is not the same in all releases.

	.macro alternative first, last, replacement, end
	.pushsection .altinstructions, "a"
	.long \first - ., \replacement - .
	FEATURE 1
	.byte \last - \first, \end - \replacement
	.popsection
	.endm

	.macro function name
	.globl \name
	.type \name, @function
\name:
	.endm

	.macro end name
	.size \name, . - \name
	.endm

	.text
function replaced # a call by what pushes
	push %rbx
661:	call ordinary
	nopw (%rax)
662:	pop %rbx
	ret
end replaced
	.pushsection .altinstr_replacement, "ax"
663:	pushf
	pushf
	pop %rax
	pop %rax
664:	.popsection
	alternative 661b, 662b, 663b, 664b

function erased # a jump by nothing
661:	jmp 1f
662:	push %rbx
	push %rbp
	push %r12
	call ordinary
	pop %r12
	pop %rbp
	pop %rbx
1:	ret
end erased
	.pushsection .altinstr_replacement, "ax"
663:
	.popsection
	alternative 661b, 662b, 663b, 663b

function away # by a detour to one of two places
661:	.byte 0xe9
	.long 3f - 662f
662:	ret
1:	push %rbx
	call ordinary
	pop %rbx
	ret
2:	push %rbx
	push %rbp
	call ordinary
	pop %rbp
	pop %rbx
	ret
end away
	.pushsection .altinstr_aux, "ax"
3:	testb $1, flag(%rip)
	jnz 1b
	jmp 2b
	.popsection
	.pushsection .altinstr_replacement, "ax"
663:
	.popsection
	alternative 661b, 662b, 663b, 663b

	.macro label from, to
	.pushsection __jump_table, "aw"
	.balign 8
	.long \from - ., \to - .
	.quad flag - .
	.popsection
	.endm

function jumps # or goes on
1:	.byte 0x0f, 0x1f, 0x44, 0, 0
	ret
2:	sub $40, %rsp
	call ordinary
	add $40, %rsp
	ret
end jumps
	label 1b, 2b

function stays # or jumps
1:	.byte 0xe9
	.long 2f - 3f
3:	sub $56, %rsp
	call ordinary
	add $56, %rsp
2:	ret
end stays
	label 1b, 2b

function faults # or not
1:	mov (%rdi), %eax
	ret
2:	sub $24, %rsp
	call ordinary
	add $24, %rsp
	ret
end faults
	.pushsection __ex_table, "a"
	.balign 4
	.long 1b - ., 2b - ., 1
	.popsection

function ordinary
	ret
end ordinary

	.section __ksymtab, "a"
	.long 0

	.data
	.balign 8
flag:	.quad 0
	.section .note.GNU-stack, ""
