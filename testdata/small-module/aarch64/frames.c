/* Functions that take the stack in the ways that gcc has on aarch64. */
void use(void *);
void end(void) __attribute__((noreturn));
int next(int);

/* Room for other instructions: no address in it is to be filled in. */
long first(const long *p)
{
	return p[0] * p[1] ^ p[2] * p[3] ^ p[4] * p[5] ^ p[6] * p[7] ^ p[8] * p[9] ^ p[10] * p[11];
}

int leaf(int a) { return a + 1; }
int saves(int a) { return next(a) + a; }
void fixed(void) { char b[300]; use(b); }
void pages(void) { char b[8192]; use(b); }     /* a number that is built in a register */
void pages_and_more(void) { char b[9000]; use(b); }
void odd(void) { char b[70000]; use(b); }      /* of two instructions */
void grows(int n) { char b[n]; use(b); }       /* as only run time knows */
void aligned(void) { char b[100] __attribute__((aligned(64))); use(b); }
double floats(double a) { return a * next((int)a); }
int jumps(int a) { return next(a * 3); }       /* the last call is a jump */
int ends(int a) { char b[40]; if (a) end(); use(b); return 0; }
int early(int a)
{
	char b[200];

	if (a < 5)
		return next(a);
	use(b);
	return b[a];
}
int dense(int a, int *p)
{
	switch (a) {
	case 0: return next(p[3]);
	case 1: use(p); return 7;
	case 2: return p[0] + next(9);
	case 3: end();
	case 4: return next(p[1]) - 3;
	case 5: use(&a); return a;
	case 6: return p[2];
	}
	return -1;
}
int by_pointer(int (*f)(int), int a) { return f(a); }
