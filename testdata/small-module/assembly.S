	.text
	.globl	in_assembly
	.type	in_assembly, @function
in_assembly:
	push	%rbx
	push	%rbp
	sub	$40, %rsp
	call	sink
	add	$40, %rsp
	pop	%rbp
	pop	%rbx
	ret
	.size	in_assembly, .-in_assembly

	.globl	has_cold_part
	.type	has_cold_part, @function
has_cold_part:
	sub	$24, %rsp
	call	sink
	test	%eax, %eax
	jne	has_cold_part.cold
back:
	add	$24, %rsp
	ret
	.size	has_cold_part, .-has_cold_part

	.section .text.unlikely, "ax", @progbits
	.type	has_cold_part.cold, @function
has_cold_part.cold:
	push	%rbx
	call	sink
	pop	%rbx
	jmp	back
	.size	has_cold_part.cold, .-has_cold_part.cold
	.section .note.GNU-stack, "", @progbits
