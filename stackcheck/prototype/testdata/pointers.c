/* Calls through pointers. Each function calls through one, whose prototype its name tells in the test. */

typedef unsigned long u64;
typedef int bool_t;

struct spa;
typedef int (*task_t)(struct spa *, u64);

struct ops {
	void *unused;
	int (*open)(struct spa *, const char *);
	void (*close)(struct spa *);
	task_t tasks[3];
	struct {
		long (*count)(void);
		struct ops *(*next)(struct ops *);
	} inner;
};

struct spa {
	char name[24];
	const struct ops *ops;
	struct ops own;
	struct spa *parent, *children[4];
	union {
		void (*done)(struct spa *);
		struct {
			void (*same)(struct spa *);
			int (*other)(int);
		} two;
	} u;
	union {
		int (*first)(int);
		void (*second)(void);
	} unlike;
	struct spa *list[];
};

extern struct spa *spa_lookup(const char *);
extern void spa_config(struct spa **);
extern void noise(void);
extern struct ops external_ops;
extern task_t external_task;

struct ops table[4];
void (*global)(unsigned char, bool_t);
struct spa *root;

int by_member(struct spa *spa) { return spa->ops->open(spa, "x") + 1; }
void by_tail(struct spa *spa) { spa->ops->close(spa); }
int by_embedded(struct spa *spa) { return spa->own.open(spa, "y") + 1; }
int by_array(struct spa *spa) { return spa->own.tasks[2](spa, 1) + 1; }
int by_index(struct spa *spa, int i) { return spa->own.tasks[i](spa, 1) + 1; }
long by_nested(struct spa *spa) { return spa->parent->children[1]->ops->inner.count() + 1; }
int by_flexible(struct spa *spa, int i) { return spa->list[i]->ops->open(spa, "z") + 1; }
int by_parameter(int (*callback)(void *, u64), void *arg) { return callback(arg, 2) + 1; }
int by_typedef(task_t task, struct spa *spa) { return task(spa, 3) + 1; }
int by_global(void) { global(1, 2); return 1; }
int by_table(int i) { return table[i].open(0, "t") + 1; }
int by_extern(void) { return external_ops.open(0, "e") + 1; }
int by_extern_pointer(void) { return external_task(0, 4) + 1; }
int by_variable(void) { return root->ops->open(root, "r") + 1; }
int by_result(void) { return spa_lookup("a")->ops->open(0, "b") + 1; }
int by_result_of_pointer(struct ops *ops) { return ops->inner.next(ops)->open(0, "c") + 1; }
int by_spilled(struct spa *spa, int n)
{
	for (int i = 0; i < n; i++)
		noise();
	noise();
	return spa->ops->tasks[0](spa, n) + 1;
}
int by_list(struct spa *spa)
{
	int sum = 0;

	for (; spa; spa = spa->parent)
		sum += spa->ops->open(spa, "l");
	return sum;
}
int by_either(struct spa *a, struct spa *b, int which)
{
	const struct ops *ops;

	noise();
	ops = which ? a->ops : b->parent->ops;
	noise();
	return ops->open(a, "w") + 1;
}
void by_union(struct spa *spa) { noise(); spa->u.done(spa); noise(); }
int by_variadic(int (*print)(const char *, ...)) { return print("%d", 1) + 1; }
int by_large(struct { long a, b, c; } large, task_t task, struct spa *spa) { return task(spa, large.a) + 1; }
int by_pair(struct { long a, b; } pair, int (*f)(long), long n) { return f(pair.a + n) + 1; }

long by_stack(long a, long b, long c, long d, long e, long f, struct { long a, b, c; } g, task_t task, struct spa *spa)
{
	noise();
	return task(spa, a + b) + spa->ops->inner.count() + c;
}

/* What debug information tells, and BTF does not: of which type a variable is. */
int by_changed(void)
{
	struct spa *spa = root;

	spa_config(&spa);
	return spa->ops->open(spa, "q") + 1;
}
int by_cast(void *arg)
{
	struct spa *spa = arg;

	noise();
	return spa->ops->tasks[1](spa, 6) + 1;
}

/* What is not known: which of a union it is, what a void pointer is, a number, what another is a part of. */
int not_union(struct spa *spa) { return spa->unlike.first(1) + 1; }
int not_void(void *p) { return ((struct spa *)p)->ops->open(p, "v") + 1; }
int not_number(u64 address) { return ((int (*)(int))address)(1) + 1; }
int not_container(struct ops *ops)
{
	struct spa *spa = (struct spa *)((char *)ops - __builtin_offsetof(struct spa, own));

	return spa->u.two.other(1) + 1;
}
