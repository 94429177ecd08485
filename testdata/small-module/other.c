/* A local function that has a namesake in frames.c, of another size. */
void sink(void *);
static __attribute__((noinline)) int local(int x) { char buffer[208]; sink(buffer); return x; }
int use_other_local(int x) { return local(x) + local(x + 1); }
