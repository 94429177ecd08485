# Of an object that the build keeps objtool from.
	.text
	.globl	unchecked
	.type	unchecked, @function
unchecked:
	push	%rbx
	pop	%rbx
	ret
	.size	unchecked, .-unchecked
	.section .note.GNU-stack, "", @progbits
