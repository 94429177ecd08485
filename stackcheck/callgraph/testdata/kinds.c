extern void sink(void *);
void fixed(void) { char buffer[300]; sink(buffer); }
void vla(int n) { char row[n]; sink(row); }
struct wide { long words[40]; };
int many(struct wide, int, int, int, int, int, int, int, int);
int pushed(struct wide *w) { return many(*w, 1, 2, 3, 4, 5, 6, 7, 8) + 1; }
static int odd(int);
static int __attribute__((noinline)) even(int n) { char pad[64]; sink(pad); return n == 0 ? 1 : odd(n - 1) + 1; }
static int __attribute__((noinline)) odd(int n) { char pad[32]; sink(pad); return n == 0 ? 0 : even(n - 1) + 1; }
int parity(int n) { return even(n) + 1; }
int indirect(int (*callee)(int)) { return callee(3) + 1; }
void leaf(void) {}
void __attribute__((weak)) weak_hook(void) { char pad[48]; sink(pad); }
void call_weak(void) { weak_hook(); sink(0); }
void __attribute__((alias("fixed"))) other_name(void);
void call_alias(void) { other_name(); sink(0); }
void labelled(void) __asm__("assembler_name");
void labelled(void) { char pad[16]; sink(pad); }
extern void weak_elsewhere(void) __attribute__((weak));
void call_weak_elsewhere(void) { if (weak_elsewhere) weak_elsewhere(); sink(0); }
static int __attribute__((noinline)) cloned(int n, int mode) { char pad[128]; sink(pad); return n + mode + pad[mode]; }
int use_one(int n) { return cloned(n, 1) + 1; }
int use_two(int n) { return cloned(n, 1) * 3; }
int tail(int n) { return even(n); }
unsigned __int128 divide(unsigned __int128 a, unsigned __int128 b) { return a / b; }
