void sink(void *);
namespace n { template <class T, int N> struct Box { T get(int) const; operator bool() const; T a[N]; };
template <class T, int N> T Box<T,N>::get(int i) const { char b[100]; sink(b); return a[i]; }
template <class T, int N> Box<T,N>::operator bool() const { char b[10]; sink(b); return a[0]; }
template struct Box<int, 64>;
namespace { int __attribute__((noinline)) anon(int x) { char b[10]; sink(b); return x; } }
int lam(int k) { auto f = [&](int x) __attribute__((noinline)) { char b[20]; sink(b); return x + k; }; return f(anon(1)) + f(2); }
inline int __attribute__((noinline)) comdat(int x) { char b[12]; sink(b); return x; }
int use(int x) { return comdat(x) + 1; }
template <char c> int chr(int x) { char b[12]; sink(b); return x; } template int chr<'\n'>(int); template int chr<'"'>(int);template int chr<':'>(int);
}
