/* One function for each way in which sources of frame sizes differ. */
void sink(void *);
int many(long, long, long, long, long, long, long, long, long);

int leaf(int x) { return x + 1; }
void fixed(void) { char buffer[304]; sink(buffer); }
int pushed(long x) { return many(x, 1, 2, 3, 4, 5, 6, 7, x) + 1; }
void variable(int n) { char row[n]; sink(row); }
void realigned(void) { char lines[128] __attribute__((aligned(64))); sink(lines); }

static __attribute__((noinline)) int local(int x) { char buffer[48]; sink(buffer); return x; }
int use_local(int x) { return local(x) + local(x + 1); }

static __attribute__((noinline)) int cloned(int x, int k) { char buffer[128]; sink(buffer); return x * k + k; }
int use_cloned(int x) { return cloned(x, 7) + cloned(x + 1, 7); }

/* gcc does not see what inline assembly pushes. */
unsigned long push_in_assembly(void) { unsigned long flags; asm volatile("pushf; pop %0" : "=rm"(flags)); return flags; }

static int start(void) { char buffer[16]; sink(buffer); return 0; }
int init_module(void) __attribute__((alias("start")));
