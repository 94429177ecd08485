extern void weak_hook(void); extern void assembler_name(void); extern void fixed(void); extern void sink2(void*);
static void __attribute__((noinline)) even(void) { char b[8]; sink2(b); }
void weak_elsewhere(void) { char b[1000]; sink2(b);}
void root(void) { weak_hook(); assembler_name(); fixed(); even(); }
