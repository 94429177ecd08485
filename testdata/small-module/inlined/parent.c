/* Frames that are heavy because of what was inlined. */
void sink(void *);
int more(void);

struct record { char name[104]; long values[12]; };
struct node { struct node *next; };

/* These do not live at once, and share their bytes of parent's frame. */
static void step_one(void) { char line[208]; sink(line); }
static void step_two(void) { struct record r; sink(&r); }
static void step(void) { char path[64]; sink(path); step_one(); }

static __attribute__((noinline)) void deep(void) { char page[512]; sink(page); }

/* The deepest path leaves by deep: what is not inlined any more helps. */
void parent(void) { long totals[8]; sink(totals); step(); step_two(); deep(); sink(totals); }

/* The deepest path leaves by the inlined function: it gets deeper. */
static void only(void) { char page[320]; sink(page); deep(); sink(page); }
int through(int n) { long found[10]; sink(found); only(); sink(found); return found[n]; }

/* Recursion: each turn has the frame, and not all need it. */
static void visit(struct node *n) { char name[256]; sink(name); sink(n); sink(name); }
int walk(struct node *n)
{
	int count = 1;
	if (more())
		visit(n);
	for (struct node *at = n->next; at; at = at->next)
		count += walk(at);
	return count;
}
