/* Calls as machine code has them, see record.sh. */
struct ops {
	int (*open)(int);
	int (*close)(int);
};

int sink(int, char *);
int tail_target(int);
void *kthread_create_on_node(int (*)(void *), void *, int);
int register_callback(int (*)(int));
void panic(const char *) __attribute__((noreturn));
int __SCT__hook(int);

__attribute__((noinline)) static int helper(int n)
{
	char room[100];
	return sink(n, room);
}

static int my_open(int n) { return helper(n) + 1; }
static int my_close(int n) { return helper(n) + 2; }
const struct ops my_ops = {my_open, my_close};

int by_slot(const struct ops *o, int n) { return o->close(n) + 1; }
int by_table(int n) { return my_ops.open(n) + 1; }
extern int (*hook)(int);
int by_tail_pointer(int n) { return hook(n); }
int by_static_call(int n) { return __SCT__hook(n) + 1; }

int by_two(int n)
{
	char room[40];
	if (sink(n, room))
		return 0;
	return tail_target(n);
}

int recurses(int n) { return n ? recurses(n - 1) + helper(n) : 0; }

static int thread(void *p) { return helper((long)p); }
static int callback(int n) { return helper(n) + 3; }

int start(void)
{
	if (!kthread_create_on_node(thread, 0, 1))
		panic("no thread");
	return register_callback(callback);
}

int chooses(int n)
{
	switch (n) {
	case 0: return sink(1, 0);
	case 1: return sink(2, 0);
	case 2: return sink(4, 0);
	case 3: return sink(8, 0);
	case 4: return sink(16, 0);
	case 5: return sink(32, 0);
	default: return 0;
	}
}

int weak_one(int n) __attribute__((weak));
int weak_one(int n) { return helper(n) + 4; }
int other_name(int n) __attribute__((alias("weak_one")));
