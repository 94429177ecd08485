extern void sink(void*);
static void __attribute__((noinline)) st(void) { char b[64]; sink(b); }
void pub(void) { st(); sink(0); }
