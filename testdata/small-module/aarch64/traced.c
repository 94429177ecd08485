/* A function that begins with two NOPs, as those of kernels do. */
void use(void *);

void traced(void) { char large[100]; use(large); }
