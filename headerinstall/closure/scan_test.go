package closure

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// found is what a scan finds, for comparison.
type found struct {
	Includes []string // "line: form name | condition | condition"
	Configs  []string // macros
	Naked    bool
	Errors   []string
}

func scanned(source string) found {
	f := new(scanner).scan("x.h", []byte(source))
	got := found{Naked: f.naked}
	forms := map[form]string{angled: "<>", quoted: `""`, next: "next", computed: "computed"}
	for _, i := range f.includes {
		text := []string{fmt.Sprintf("%02d: %s %s", i.line, forms[i.form], i.name)}
		if i.asked {
			text[0] += " asked"
		}
		got.Includes = append(got.Includes, strings.Join(append(text, i.branch.conditions()...), " | "))
	}
	for _, use := range f.configs {
		got.Configs = append(got.Configs, use.macro)
	}
	for _, err := range f.errors {
		got.Errors = append(got.Errors, err.Error())
	}
	return got
}

func TestIncludes(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
	}{
		{"forms", "#include <a/b.h>\n#include \"c.h\"\n #\tinclude_next <d.h> // why\n#import <e.h>\n#include X(f)\n",
			[]string{"01: <> a/b.h", `02: "" c.h`, "03: next d.h", "04: <> e.h", "05: computed X(f)"}},
		{"no newline at the end, CRLF, byte order mark", "\xEF\xBB\xBF#include <a.h>\r\n#include <b.h>", []string{"01: <> a.h", "02: <> b.h"}},
		{"lines that end in a carriage return", "#ifndef A\r#define A\r#include <a.h>\r#endif\r", []string{"03: <> a.h"}},
		{"in comments", "/* #include <a.h>\n#include <b.h>\n*/ #include <c.h>\n// \\\n#include <d.h>\n", []string{"03: <> c.h"}},
		{"after code, a directive is none", "int i; /*\n*/ #include <a.h>\n", nil},
		{"comments inside", "#/**/include/* to\nthe next line */<a.h>/**/\n#include <b.h>\n", []string{"01: <> a.h", "03: <> b.h"}},
		{"continuations", "#inc\\\nlude \\ \n <a\\\n.h>\n#include <b.h>\n", []string{"01: <> a.h", "05: <> b.h"}},
		{"continued comment delimiters", "/\\\n* #include <a.h> *\\\n/\n#include <b.h>\n/\\\n/ \\\n#include <c.h>\n#include <d.h>\n",
			[]string{"04: <> b.h", "08: <> d.h"}},
		{"comments in literals are none", "char *s = \"/*\"; char c = '\"'; char d = '\\'';\n#include <a.h>\nx(\"a\\\\\", \"/*\")\n#include <b.h>\n",
			[]string{"02: <> a.h", "04: <> b.h"}},
		{"comments within comments", "/* // */ #include <a.h>\n// /*\n#include <b.h>\n/*/ #include <c.h> */\n/**/#include <d.h>\n/* *\\\n/ #include <e.h>\n",
			[]string{"01: <> a.h", "03: <> b.h", "05: <> d.h", "07: <> e.h"}},
		{"comments after literals", "char c = '\"'; /* '\n#include <a.h>\n*/ char *s = \"\\\"//\"; // \"\n#include <b.h>\nint i = a / b; /*\n#include <c.h> */\n",
			[]string{"04: <> b.h"}},
		{"a literal over two lines", "char *s = \"a \\\n#include <a.h> /* \"; /*\n#include <b.h>\n*/\n#include <c.h>\n", []string{"05: <> c.h"}},
		{"a comment ends where a directive begins", "int i; /*\n*/\n/*\n*/ # /* x\n*/ include <a.h>\nint j; /* */ #include <b.h>\n", []string{"04: <> a.h"}},
		{"a continued line is no begin", "int i; \\\n#include <a.h>\n \\\n #include <b.h>\n// x \\\n#include <c.h>\n", []string{"04: <> b.h"}},
		{"stringizing and pasting", "#define S(x) #x\n#define P(a, b) a ## b\nchar *s = S(a) \"#include <a.h>\";\n#include <b.h>\n", []string{"04: <> b.h"}},
		{"raw strings", "char *s = R\"x(/* \" )y\"\n#include <a.h>\n)x\"; /*\n#include <b.h> */\n#include <c.h>\nchar *t = \"BAR\"; int i; // \"\n#include <d.h>\n" +
			"int u8R\"(\n)\" /* \n#include <e.h>\n*/;\nPR\"(\"\n#include <f.h>\n",
			[]string{"05: <> c.h", "07: <> d.h", "13: <> f.h"}},
		{"separated digits", "int i = 1'000; /* '\n#include <a.h>\n*/ int j = 0x1'F'0; int k = '0'/*\n#include <b.h>\n*/ + L'\"';\n#include <c.h>\n", []string{"06: <> c.h"}},
		{"an apostrophe hides the rest of its line", "#error don't /*\n#include <a.h>\n", []string{"02: <> a.h"}},
		{"names are literals too", "#include <a//b.h>\n#include \"c/*d.h\"\n#include <e.h>\n",
			[]string{"01: <> a//b.h", `02: "" c/*d.h`, "03: <> e.h"}},
		{"self, absolute, case, blanks in names", "#include \"x.h\"\n#include </usr/include/a.h>\n#include <Sys/A.h>\n#include < a.h >\n",
			[]string{"01: \"\" x.h", "02: <> /usr/include/a.h", "03: <> Sys/A.h", "04: <>  a.h "}},
		{"computed", "#define HERE <a.h>\n#include HERE\n#include_next X /* b */ (c)\n", []string{"02: computed HERE", "03: computed X   (c)"}},
		{"conditions", "#ifdef A\n# if B  &&\tC /* why */\n#include <a.h>\n# elif D\n#include <b.h>\n# else /* E */\n#include <c.h>\n# endif\n#endif\n#include <d.h>\n",
			[]string{"03: <> a.h | #ifdef A | #if B && C", "05: <> b.h | #ifdef A | #elif D after #if B && C",
				"07: <> c.h | #ifdef A | #else after #if B && C", "10: <> d.h"}},
		{"dead branches", "#if 0\n#include <a.h>\n#ifdef A\n#include <b.h>\n#else\n#include <c.h>\n#endif\n#else\n#include <d.h>\n#endif\n" +
			"#if 1\n#include <e.h>\n#elif A\n#include <f.h>\n#else\n#include <g.h>\n#endif\n",
			[]string{"09: <> d.h | #else after #if 0", "12: <> e.h | #if 1"}},
		{"guards are no condition", "#ifndef X_H\n#define X_H\n#include <a.h>\n#ifndef Y\n#include <b.h>\n#endif\n#endif\n",
			[]string{"03: <> a.h", "05: <> b.h | #ifndef Y"}},
		{"__has_include in conjunctions", "#if defined(__has_include) && __has_include(<a.h>)\n#include <a.h>\n#elif !__has_include_next(<b.h>)\n#include <c.h>\n#else\n#include_next <b.h>\n#endif\n",
			[]string{"02: <> a.h asked | #if defined(__has_include) && __has_include(<a.h>)",
				"04: <> c.h | #elif !__has_include_next(<b.h>) after #if defined(__has_include) && __has_include(<a.h>)",
				"06: next b.h asked | #else after #if defined(__has_include) && __has_include(<a.h>)"}},
		{"__has_include", "#ifdef __has_include\n#if __has_include(<a//a.h>) || __has_include ( \"b.h\" )\n#include <a//a.h>\n#include \"b.h\"\n#else\n#include <c.h>\n#endif\n#endif\n",
			[]string{"03: <> a//a.h asked | #ifdef __has_include | #if __has_include(<a//a.h>) || __has_include ( \"b.h\" )",
				"04: \"\" b.h asked | #ifdef __has_include | #if __has_include(<a//a.h>) || __has_include ( \"b.h\" )",
				"06: <> c.h | #ifdef __has_include | #else after #if __has_include(<a//a.h>) || __has_include ( \"b.h\" )"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := scanned(test.source)
			if diff := cmp.Diff(test.want, got.Includes); diff != "" {
				t.Errorf("includes (-want +got):\n%s", diff)
			}
			if len(got.Errors) > 0 {
				t.Errorf("errors: %q", got.Errors)
			}
		})
	}
}

func TestGuards(t *testing.T) {
	tests := []struct {
		name, source string
		naked        bool
	}{
		{"ifndef", "/* x */\n#ifndef X\n#define X\nint i;\n#endif /* X */\n// end\n", false},
		{"if !defined", "#if !defined(X)\n#define X\nint i;\n#endif\n", false},
		{"if ! defined without parentheses", "#if (! defined X)\n#define X\nint i;\n#endif\n", false},
		{"pragma", "#pragma once\nint i;\n", false},
		{"pragma inside of a guard", "#ifndef X\n#pragma once\nint i;\n#endif\n", false},
		{"pragma for one compiler", "#ifdef _MSC_VER\n#pragma once\n#endif\nint i;\n", true},
		{"guard after a comment, CRLF, no newline", "\xEF\xBB\xBF/*\r\n*/ // x\r\n\r\n# ifndef X\r\n#define X\r\nint i;\r\n#endif", false},
		{"guard with a continuation", "#if \\\n !defined /* */ (X)\n#define \\\nX\nint i;\n#endif\n", false},
		{"list of macros to be expanded", "ENTRY(a)\nENTRY(b)\n#undef ENTRY\n", true},
		{"nothing to guard", "/* x */\n#include <a.h>\n", false},
		{"empty", "", false},
		{"declaration", "int i;\n", true},
		{"macro", "#define I 1\n", true},
		{"dead declaration", "#if 0\nint i;\n#endif\n", false},
		{"never defined", "#ifndef X\nint i;\n#endif\n", true},
		{"other macro defined", "#ifndef X_H\n#define X_G\nint i;\n#endif\n", true},
		{"something before", "int j;\n#ifndef X\n#define X\nint i;\n#endif\n", true},
		{"something after", "#ifndef X\n#define X\nint i;\n#endif\n#include <a.h>\n", true},
		{"else", "#ifndef X\n#define X\nint i;\n#else\nint j;\n#endif\n", true},
		{"read many times on purpose", "#if !defined(X) || defined(MULTI_READ)\n#define X\nint i;\n#endif\n", true},
		{"wrong way round", "#ifdef X\n#define X\nint i;\n#endif\n", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := scanned(test.source); got.Naked != test.naked || len(got.Errors) > 0 {
				t.Errorf("needs a guard: %v, want %v; errors %q", got.Naked, test.naked, got.Errors)
			}
		})
	}
}

func TestConfigMacros(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
	}{
		{"conditions", "#ifdef CONFIG_A\n#elif IS_ENABLED(CONFIG_B) && CONFIG_C\n#endif\n#ifndef CONFIG_D\n#endif\n",
			[]string{"CONFIG_A", "CONFIG_B", "CONFIG_C", "CONFIG_D"}},
		{"body of a macro", "#define A(x) (CONFIG_B + x)\n", []string{"CONFIG_B"}},
		{"parts of names", "#ifdef MY_CONFIG_A\n#endif\n#define X CONFIG_\n", nil},
		{"code", "static int a[CONFIG_A]; /* CONFIG_B */\nint f(void) { return IS_ENABLED(CONFIG_C) && \\\n CONFIG_D; }\n#if X\n#endif\nint CONFIG_E",
			[]string{"CONFIG_A", "CONFIG_C", "CONFIG_D", "CONFIG_E"}},
		{"code beside comments and literals", "/* x */ int i = CONFIG_A; char c = '\"'; /* CONFIG_B\nCONFIG_C */ int j = CONFIG_D; // CONFIG_E\n",
			[]string{"CONFIG_A", "CONFIG_D"}},
		{"comments and literals", "// CONFIG_A\n/* CONFIG_B */\nchar *s = \"CONFIG_C\", t[] = \"\\\"CONFIG_D\";\n#define S \"CONFIG_E\"\nchar *r = R\"(\nCONFIG_F)\";\n", nil},
		{"code for the kernel, and dead code", "#ifdef __KERNEL__\nint i = CONFIG_A;\n#else\nint i = CONFIG_B;\n#endif\n#if 0\nint i = CONFIG_C;\n#endif\n",
			[]string{"CONFIG_B"}},
		{"for the kernel", "#ifdef __KERNEL__\n#ifdef CONFIG_A\n#endif\n#else\n#ifdef CONFIG_B\n#endif\n#endif\n", []string{"CONFIG_B"}},
		{"for a kernel's condition", "#if defined(_KERNEL) && defined(CONFIG_A)\n#elif CONFIG_B\n#endif\n", []string{"CONFIG_B"}},
		{"perhaps for the kernel", "#if defined(_KERNEL) || defined(CONFIG_A)\n#endif\n", []string{"CONFIG_A"}},
		{"not for user space", "#if !defined(__KERNEL__)\n#if CONFIG_A\n#endif\n#else\n#if CONFIG_B\n#endif\n#endif\n", []string{"CONFIG_A"}},
		{"dead", "#if 0\n#if CONFIG_A\n#endif\n#endif\n", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, scanned(test.source).Configs); diff != "" {
				t.Errorf("macros (-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
	}{
		{"comment", "int i;\n int j; /* x\n", []string{"x.h:2:9: the comment is not terminated; close it with */"}},
		{"raw string", "int i;\nchar *s = R\"x(\n", []string{"x.h:2:12: the raw string is not terminated; close it with )x\""}},
		{"not text", "#\x00i\x00", []string{"x.h:1:2: a NUL byte, this is no text in ASCII or UTF-8; the file was not read"}},
		{"conditional", "#ifdef A\n /**/ #if B\n#endif\n  # if C\n", []string{
			"x.h:1:1: #ifdef A is not terminated; close it with #endif", "x.h:4:3: #if C is not terminated; close it with #endif"}},
		{"endif", "/*\n*/ #endif\n#include <a.h>\n", []string{"x.h:2:4: #endif without #if; add the #if, or remove it"}},
		{"else", "#else\n#if A\n#else\n#else\n#endif\n", []string{"x.h:1:1: #else without #if; add the #if, or remove it",
			"x.h:4:1: #else after the #else of the conditional of line 2; close that with #endif"}},
		{"include", "#include <a.h\n#include\n", []string{`x.h:1:1: want #include "name" or <name>, got "<a.h"; complete it`,
			`x.h:2:1: want #include "name" or <name>, got ""; complete it`}},
		{"depth", strings.Repeat("#if A\n", maxDepth+1), []string{
			"x.h:201:1: conditionals are nested more than 200 deep; the rest of the file was not read"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, scanned(test.source).Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
	if got := scanned(strings.Repeat("int i = CONFIG_A;\n", 2*maxUses)); len(got.Configs) != maxUses || len(got.Errors) != 1 {
		t.Errorf("%d macros, errors %q; want %d and one error", len(got.Configs), got.Errors, maxUses)
	}
	if got := scanned(strings.Repeat("#include <a.h>\n", 2*maxUses)); len(got.Includes) != maxUses || len(got.Errors) != 1 {
		t.Errorf("%d includes, errors %q; want %d and one error", len(got.Includes), got.Errors, maxUses)
	}
}

// headers returns the text of the bundled headers.
func headers(tb testing.TB) (texts [][]byte) {
	tb.Helper()
	dir := os.DirFS(openzfs)
	err := fs.WalkDir(dir, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".h") {
			return err
		}
		text, err := fs.ReadFile(dir, name)
		texts = append(texts, text)
		return err
	})
	if err != nil || len(texts) == 0 {
		tb.Fatalf("%d bundled headers, error %v", len(texts), err)
	}
	return texts
}

func FuzzScan(f *testing.F) {
	for _, text := range headers(f) {
		f.Add(text)
	}
	f.Add([]byte("#if !((defined(A))) /\\\n* x *\\\n/\n#elif __has_include(<a//b.h>)\n# include X\n#define CONFIG_A '\\\\\"'\n#else\n#endif\n#if 0"))
	f.Add([]byte("char *s = u8R\"x(/* \" )x\"; int i = 1'000; /*\n#if A */ char c = '\\''; // x \\\n#endif\n/**/ # /* */ include \"b.h\" // c"))
	f.Fuzz(func(t *testing.T, source []byte) {
		var s scanner
		got := s.scan("x.h", source)
		lines := strings.Count(string(source), "\n") + 1
		last := 0
		for _, i := range got.includes {
			if i.line < last || i.line > lines {
				t.Errorf("an include in line %d of %d, after one in line %d", i.line, lines, last)
			}
			last = i.line
			i.branch.conditions()
		}
		for _, err := range got.errors {
			if err.Line < 1 || err.Line > lines || err.Column < 1 || err.Column > len(source)+1 {
				t.Errorf("%v is not in the file", err)
			}
		}
		// A continuation anywhere but in a raw string changes neither what is included nor how, if the file is read in both.
		if bytes.Contains(source, []byte("R\"")) || bytes.IndexByte(source, 0) >= 0 {
			return
		}
		if again := s.scan("x.h", spliced(source)); !slices.EqualFunc(got.includes, again.includes, func(a, b include) bool {
			return a.name == b.name && a.form == b.form && a.asked == b.asked
		}) {
			t.Errorf("includes change when every line is continued somewhere: %+v, %+v", got.includes, again.includes)
		}
	})
}

// spliced continues a file between all its characters, but where a backslash or a blank could take another meaning.
func spliced(source []byte) (out []byte) {
	source = []byte(strings.TrimPrefix(string(source), "\xEF\xBB\xBF"))
	for i, c := range source {
		out = append(out, c)
		if c != '\\' && c != '\n' && i+1 < len(source) && source[i+1] != '\n' && !isBlank(c) && !isBlank(source[i+1]) {
			out = append(out, '\\', '\n')
		}
	}
	return out
}

func BenchmarkScan(b *testing.B) {
	texts := headers(b)
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	b.SetBytes(int64(size))
	var s scanner
	for b.Loop() {
		for _, text := range texts {
			s.scan("x.h", text)
		}
	}
	b.ReportMetric(float64(b.N*len(texts))/b.Elapsed().Seconds(), "headers/s")
}
