/* What a kernel declares: the types of its modules build on these. */
struct ops;
struct spa;
typedef int (*task_t)(struct spa *, unsigned long);
struct ops *kernel_ops(struct spa *spa, task_t task, const char *name, long n) { return 0; }
int other(int i) { return i; }
